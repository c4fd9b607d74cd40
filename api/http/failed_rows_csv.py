"""The failed rows of an import as a file that can be corrected and uploaded as it is."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from importers.reading.record import FORMULA_STARTS
from importers.rows.header import IGNORED, column_name
from models.row import failed_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from asyncpg import Record

    from api.access.scope import Scope

# Excel takes a CSV file for UTF-8 only if it begins so.
_BOM = "\ufeff"
# What a download may hold in memory; `_BLOCK_BYTES` of `api/http/downloads.py` counts as much.
_PAGE_BYTES = 1024 * 1024


async def failed_rows_csv(scope: Scope, of_import: Record) -> AsyncIterator[bytes]:
    """Write the failed rows, page by page: the file's own columns, then `row` and `errors`.

    Columns of these two names in the file itself come from an earlier download, and are left out.
    Cells beyond the header come last: without them, a row that failed for having too many would
    pass. Cells that a spreadsheet would compute get a `'`, which an upload drops again.
    """
    header: list[str] = of_import["header"] or []
    kept = [index for index, name in enumerate(header) if column_name(name) not in IGNORED]
    delimiter = of_import["delimiter"] or ","
    names = [*[header[index] for index in kept], "row", "errors"]
    yield _write_csv(delimiter, [names], _BOM)
    # By row number, not by offset: PostgreSQL would read all rows that an offset skips.
    last = 0
    while rows := await scope.read(failed_page, of_import["id"], after=last, most=_PAGE_BYTES):
        records = [
            [
                *[row.cells[index] if index < len(row.cells) else "" for index in kept],
                str(row.number),
                " ".join(error["message"] for error in row.errors),
                *row.cells[len(header) :],
            ]
            for row in rows
        ]
        yield _write_csv(delimiter, records)
        last = rows[-1].number


def _write_csv(delimiter: str, rows: Iterable[Sequence[str]], beginning: str = "") -> bytes:
    text = io.StringIO(newline="")
    text.write(beginning)
    csv.writer(text, delimiter=delimiter).writerows(
        [f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in row] for row in rows
    )
    return text.getvalue().encode()
