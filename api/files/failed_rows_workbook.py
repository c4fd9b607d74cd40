"""The failed rows of an import as a workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.files.failed_rows_table import failed_rows, table_of
from api.files.workbook_file import check_workbook_rows, workbook_blocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncpg import Record

    from api.access.scope import Scope
    from api.schema.importing.plugin_descriptions import ColumnDescription
    from importers.sdk.importer import Importer


def failed_rows_workbook(
    scope: Scope,
    of_import: Record,
    importer: Importer | None,
    described: Sequence[ColumnDescription],
) -> AsyncIterator[bytes]:
    """Write the failed rows to a temporary file, then send that.

    Args:
        described: what the import's type says of its columns; may be empty.

    Raises:
        HttpError: a workbook can't hold the rows; because of a cell, before the first block.
    """
    check_workbook_rows(of_import["failed"])
    table = table_of(of_import, importer)
    by_name = {column.name: column for column in described}
    # `row` and `errors` come last.
    columns = [*(by_name.get(name) for name in table.columns), None, None]
    return workbook_blocks(table.header, columns, failed_rows(scope, of_import, table))
