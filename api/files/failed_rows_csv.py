"""The failed rows of an import as a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.files.csv_file import csv_blocks
from api.files.failed_rows_table import failed_rows, table_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Record

    from api.access.scope import Scope
    from importers.sdk.importer import Importer


def failed_rows_csv(
    scope: Scope, of_import: Record, importer: Importer | None
) -> AsyncIterator[bytes]:
    """Write the failed rows with the file's own delimiter, page by page."""
    table = table_of(of_import, importer)
    pages = ([row.cells for row in page] async for page in failed_rows(scope, of_import, table))
    return csv_blocks(table.header, pages, delimiter=of_import["delimiter"] or ",")
