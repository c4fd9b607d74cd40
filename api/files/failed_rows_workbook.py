"""The failed rows of an import as a workbook."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import HttpError
from api.files.failed_rows_table import FailedRowsTable, failed_rows
from api.files.text_workbook import SheetColumn, TextWorkbook, WorkbookLimitError
from api.files.workbook_thread import in_workbook_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncpg import Record

    from api.access.scope import Scope
    from api.files.failed_rows_table import FailedRow
    from api.schema.importing.plugin_descriptions import ColumnDescription

_BLOCK_BYTES = 256 * 1024
# A person corrects fewer by hand, and more would take the server a minute.
_MOST_ROWS = 100_000


async def failed_rows_workbook(
    scope: Scope, of_import: Record, described: Sequence[ColumnDescription]
) -> AsyncIterator[bytes]:
    """Write the failed rows to a temporary file, then send that.

    Args:
        described: what the import's type says of its columns; may be empty.

    Raises:
        HttpError: before the first block; a workbook can't hold the rows.
    """
    if of_import["failed"] > _MOST_ROWS:
        raise _no_workbook(f"there are {of_import['failed']:,}, and {_MOST_ROWS:,} are the most")
    with tempfile.TemporaryDirectory(prefix="caseroll-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "failed-rows.xlsx"
        await _write_workbook(path, scope, of_import, described)
        with await in_workbook_thread(path.open, "rb") as file:
            while block := await in_workbook_thread(file.read, _BLOCK_BYTES):
                yield block


async def _write_workbook(
    path: Path, scope: Scope, of_import: Record, described: Sequence[ColumnDescription]
) -> None:
    table = FailedRowsTable(of_import["header"] or [])
    pages = failed_rows(scope, of_import, table)
    page: list[FailedRow] = await anext(pages, [])
    columns = _sheet_columns(table, described, page)
    workbook = await in_workbook_thread(TextWorkbook, path, columns)
    try:
        while page:
            await in_workbook_thread(_add_rows, workbook, page)
            page = await anext(pages, [])
    finally:
        await in_workbook_thread(workbook.close)


def _sheet_columns(
    table: FailedRowsTable, described: Sequence[ColumnDescription], page: Sequence[FailedRow]
) -> list[SheetColumn]:
    """Describe the sheet's columns; the first page stands for all rows."""
    by_name = {column.name: column for column in described}
    return [
        SheetColumn.of(name, by_name.get(column), [row.cells[index] for row in page])
        for index, (name, column) in enumerate(
            zip(table.header, chain(table.columns, ["", ""]), strict=True)
        )
    ]


def _add_rows(workbook: TextWorkbook, page: Sequence[FailedRow]) -> None:
    for row in page:
        try:
            workbook.add_row(row.cells, row.notes)
        except WorkbookLimitError as error:
            raise _no_workbook(f"a cell of row {row.number} has {error}") from error


def _no_workbook(reason: str) -> HttpError:
    message = f"A workbook can't hold these rows: {reason}. Download the CSV file instead."
    return HttpError(422, "WORKBOOK_TOO_LARGE", message)
