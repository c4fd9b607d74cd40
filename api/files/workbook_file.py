"""Writes a table as a workbook: to a temporary file, which is then sent."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import HttpError
from api.files.text_workbook import SheetColumn, TextWorkbook, WorkbookLimitError
from api.files.workbook_thread import in_workbook_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from api.files.table_row import TableRow
    from api.schema.importing.plugin_descriptions import ColumnDescription

_BLOCK_BYTES = 256 * 1024
# A person works on fewer by hand, and more would take the server a minute.
_MOST_ROWS = 100_000


def check_workbook_rows(count: int) -> None:
    """Refuse a workbook of too many rows.

    Raises:
        HttpError: the client is told to take the CSV file.
    """
    if count > _MOST_ROWS:
        raise _no_workbook(f"there are {count:,}, and {_MOST_ROWS:,} are the most")


async def workbook_blocks(
    header: Sequence[str],
    described: Sequence[ColumnDescription | None],
    pages: AsyncIterator[Sequence[TableRow]],
) -> AsyncIterator[bytes]:
    """Write the rows to a temporary file, then send that.

    Args:
        described: what the import type says of each column of the header.

    Raises:
        HttpError: before the first block; a workbook can't hold a cell.
    """
    with tempfile.TemporaryDirectory(prefix="caseroll-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "rows.xlsx"
        await _write_workbook(path, header, described, pages)
        with await in_workbook_thread(path.open, "rb") as file:
            while block := await in_workbook_thread(file.read, _BLOCK_BYTES):
                yield block


async def _write_workbook(
    path: Path,
    header: Sequence[str],
    described: Sequence[ColumnDescription | None],
    pages: AsyncIterator[Sequence[TableRow]],
) -> None:
    page: Sequence[TableRow] = await anext(pages, [])
    # The first page stands for all rows: its cells set the widths of the columns.
    columns = [
        SheetColumn.of(name, column, [row.cells[index] for row in page])
        for index, (name, column) in enumerate(zip(header, described, strict=True))
    ]
    workbook = await in_workbook_thread(TextWorkbook, path, columns)
    try:
        while page:
            await in_workbook_thread(_add_rows, workbook, page)
            page = await anext(pages, [])
    finally:
        await in_workbook_thread(workbook.close)


def _add_rows(workbook: TextWorkbook, page: Sequence[TableRow]) -> None:
    for row in page:
        try:
            workbook.add_row(row.cells, row.notes)
        except WorkbookLimitError as error:
            raise _no_workbook(f"a cell of row {row.number} has {error}") from error


def _no_workbook(reason: str) -> HttpError:
    message = f"A workbook can't hold these rows: {reason}. Download the CSV file instead."
    return HttpError(422, "WORKBOOK_TOO_LARGE", message)
