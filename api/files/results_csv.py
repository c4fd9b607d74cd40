"""All rows of an import as a CSV file: what became of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.files.csv_file import csv_blocks
from api.language import translator
from importers.reading.record import add_guards
from importers.sdk.cell_note import shown_text
from models.row import result_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Record

    from api.access.scope import Scope
    from models.row import RowResult

_PAGE_BYTES = 1024 * 1024
_ADDED = ("row", "status", "outcome", "message", "errors")


def results_csv(scope: Scope, of_import: Record) -> AsyncIterator[bytes]:
    """Write the rows with the file's own delimiter, page by page.

    The columns are the file's, then `row`, `status`, `outcome`, `message` with what there is to
    remark, and `errors`. Cells beyond the header come last. Cells that a spreadsheet would compute
    get a `'`.
    """
    header = of_import["header"] or []
    rows = _pages(scope, of_import["id"], len(header))
    # Names are the client's, like cells.
    names = [*add_guards(header), *_ADDED]
    return csv_blocks(names, rows, delimiter=of_import["delimiter"] or ",")


async def _pages(scope: Scope, key: int, width: int) -> AsyncIterator[list[list[str]]]:
    last = 0
    while page := await scope.read(result_page, key, after=last, most=_PAGE_BYTES):
        yield [_shown_row(result, width) for result in page]
        last = page[-1].number


def _shown_row(result: RowResult, width: int) -> list[str]:
    cells = list(map(shown_text, result.cells))
    say = translator()
    remarks = [say.remark(result.message), *map(say.error, result.warnings)]
    added = [
        str(result.number),
        result.status.name,
        result.outcome.name if result.outcome else "",
        " ".join(filter(None, remarks)),
        " ".join(map(say.error, result.errors)),
    ]
    missing = [""] * (width - len(cells))
    return add_guards([*cells[:width], *missing, *added, *cells[width:]])
