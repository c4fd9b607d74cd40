"""The failed rows of an import as a CSV file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from api.files.failed_rows_table import FailedRowsTable, failed_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from asyncpg import Record

    from api.access.scope import Scope

# Excel takes a CSV file for UTF-8 only if it begins so.
_BOM = "\ufeff"


async def failed_rows_csv(scope: Scope, of_import: Record) -> AsyncIterator[bytes]:
    """Write the failed rows with the file's own delimiter, page by page."""
    table = FailedRowsTable(of_import["header"] or [])
    delimiter = of_import["delimiter"] or ","
    yield _BOM.encode() + _write_csv(delimiter, [table.header])
    async for page in failed_rows(scope, of_import, table):
        yield _write_csv(delimiter, [row.cells for row in page])


def _write_csv(delimiter: str, rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()
