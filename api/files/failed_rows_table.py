"""The failed rows of an import as a table that can be corrected and uploaded as it is."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from api.files.table_row import TableRow
from api.language import translator
from importers.reading.record import add_guards
from importers.rows.header_mapping import IGNORED, HeaderMapping
from importers.sdk.cell_note import Holds, note_of, shown_text
from importers.sdk.columns import Column, column_name
from models.row import failed_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from asyncpg import Record

    from api.access.scope import Scope
    from importers.sdk.importer import Importer
    from models.row import RowResult

# What a download may hold in memory; `_BLOCK_BYTES` of `api/http/downloads.py` counts as much.
_PAGE_BYTES = 1024 * 1024
_DAMAGED = "SPREADSHEET_DAMAGE"
_UNREAD = frozenset({"TOO_MANY_CELLS", "IMPORTER_ERROR"})
# A spreadsheet's error value, which every column refuses.
_UNKNOWN = "#VALUE!"
_TEXT = Column[str]()


class FailedRowsTable:
    """The file's own columns, then `row` and `errors`.

    Columns of these two names in the file itself come from an earlier download, and are left out.
    Cells beyond the header come last: without them, a row that failed for having too many would
    pass. Cells that a spreadsheet would compute get a `'`, which an upload takes off again.

    Args:
        mapping: what the upload has said of the header.
        columns: those of the import's type.
    """

    def __init__(
        self,
        header: Sequence[str],
        mapping: HeaderMapping | None = None,
        columns: Iterable[Column[Any]] = (),
    ) -> None:
        self._known = {column.public_name: column for column in columns}
        self._width = len(header)
        self._names = (mapping or HeaderMapping()).columns_of(header)
        own = list(map(column_name, header))
        # Errors name a column as the type does or, if that has several names for it, as the file.
        self._meant = dict(zip(own, self._names, strict=True))
        self._kept = [index for index, name in enumerate(own) if name not in IGNORED]
        self.columns = [self._names[index] for index in self._kept]
        self.header = [*[header[index] for index in self._kept], "row", "errors"]

    def row_of(self, result: RowResult) -> TableRow:
        """Lay a result out as a row of the table."""
        messages = defaultdict(list)
        damaged = set()
        said = list(map(translator().error, result.errors))
        for error, message in zip(result.errors, said, strict=True):
            column = self._meant.get(error["column"], error["column"])
            messages[column].append(message)
            if error["code"] == _DAMAGED:
                damaged.add(column)
        is_unread = not _UNREAD.isdisjoint(each["code"] for each in result.errors)
        read = result.cells
        cells = [
            _as_text(
                cell, self._known.get(name, _TEXT), is_damaged=name in damaged, is_unread=is_unread
            )
            for cell, name in zip(read, self._names, strict=False)
        ]
        cells += [""] * (self._width - len(cells))
        own = [
            *[cells[index] for index in self._kept],
            str(result.number),
            " ".join(said),
            *map(shown_text, read[self._width :]),
        ]
        notes = {
            index: "\n".join(messages[name])
            for index, name in enumerate(self.columns)
            if name in messages
        }
        return TableRow(result.number, add_guards(own), notes)


def table_of(of_import: Record, importer: Importer | None) -> FailedRowsTable:
    """Return the table of an import's failed rows; the importer is None if it is not on."""
    mapping = HeaderMapping.of(json.loads(of_import["header_mapping"] or "null"))
    columns = importer.columns.values() if importer else ()
    known = (column for column in columns if isinstance(column, Column))
    return FailedRowsTable(of_import["header"] or [], mapping, known)


async def failed_rows(
    scope: Scope, of_import: Record, table: FailedRowsTable
) -> AsyncIterator[list[TableRow]]:
    """Read the failed rows of an import, page by page."""
    # By row number, not by offset: PostgreSQL would read all rows that an offset skips.
    last = 0
    while page := await scope.read(failed_page, of_import["id"], after=last, most=_PAGE_BYTES):
        yield [table.row_of(result) for result in page]
        last = page[-1].number


def _as_text(cell: str, column: Column[Any], *, is_damaged: bool, is_unread: bool) -> str:
    """Return a cell as plain text, which an upload takes for nothing else than the cell.

    A workbook's cell may hold something else than it shows. A date is written in the form that can
    be no other date. What was refused for what it holds must not pass as the text that it shows.

    Args:
        is_damaged: the cell was refused for what it holds.
        is_unread: the row failed before its cells were looked at.
    """
    note = note_of(cell)
    if note is None or note.holds is Holds.ERROR:
        return shown_text(cell)
    if is_damaged:
        return _UNKNOWN
    if is_unread and note.holds not in (Holds.DATE, Holds.PARTED):
        return _UNKNOWN
    return column._as_text(note)
