"""The table in a sheet: where it is, its rows, and what lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.reading.refusal import refusal
from importers.reading.workbooks.sheet_address import column_letters
from importers.sdk.cell_note import shown_text
from importers.sdk.errors import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from importers.reading.workbooks.sheet import Area, SheetNotes, SheetRow
    from importers.sdk.errors import FileRefusedError

_MOST_SHAPES = 1000


class TableArea:
    """The columns of the table whose header is a row of a sheet.

    Args:
        header: the first row with values.
        below: the next rows. Only they tell where the table begins if the header is a single cell,
            which may be a title above the header.
    """

    def __init__(self, header: SheetRow, below: Iterable[SheetRow]) -> None:
        columns = _filled_columns(header)
        self.first_column, self._header_row = columns[0], header.number
        if len(columns) == 1:
            self.first_column = min([columns[0], *map(_leftmost, below)])
        self._width = columns[-1] + 1 - self.first_column
        self._columns = tuple(range(self.first_column, columns[-1] + 1))
        # For rows with cells in certain columns: which of them stands in each of the table's.
        self._orders: dict[tuple[int, ...], Sequence[int]] = {}
        self.header = [shown_text(cell) for cell in self.cells(header)]
        self._first_beside = ""
        self._beside = 0
        self._unnamed = ""

    def cells(self, row: SheetRow) -> list[str]:
        """Return a row's cells; those that belong to no column of the table come last.

        A value beside the table, with an empty cell between, does not belong to the row.
        """
        if row.columns == self._columns:
            return row.texts
        order = self._orders.get(row.columns)
        if order is None:
            return self._placed(row)
        texts = [*row.texts, ""]
        return [texts[index] for index in order]

    def _placed(self, row: SheetRow) -> list[str]:
        places = {column - self.first_column: index for index, column in enumerate(row.columns)}
        if min(places) >= 0 and max(places) < self._width and len(self._orders) < _MOST_SHAPES:
            blank = len(places)
            self._orders[row.columns] = [places.get(place, blank) for place in range(self._width)]
        cells = [""] * self._width
        for column, text in zip(row.columns, row.texts, strict=True):
            place = column - self.first_column
            if 0 <= place < self._width:
                cells[place] = text
            elif text.strip():
                self._place_outside(row.number, column, text, cells)
        return cells

    def _place_outside(self, number: int, column: int, text: str, cells: list[str]) -> None:
        address = f"{column_letters(column)}{number}"
        if column == self.first_column + len(cells):
            cells.append(text)
        elif column == self.first_column - 1:
            self._unnamed = self._unnamed or address
        else:
            self._first_beside = self._first_beside or address
            self._beside += 1

    def unnamed_column(self) -> FileRefusedError | None:
        """Return the refusal of values to the left of the first name, if there are any."""
        if not self._unnamed:
            return None
        letters = column_letters(self.first_column - 1)
        return refusal(
            "UNNAMED_COLUMN",
            "Column {letters} has no name, and {cell} has a value. "
            "Name the column in the header row, or remove it.",
            letters=letters,
            cell=self._unnamed,
        )

    def conditional_formats(self, notes: SheetNotes) -> FileRefusedError | None:
        """Return the refusal of cells whose conditions decide what they show, if there are any."""
        if not (areas := self._in_table(notes.conditional)):
            return None
        return refusal(
            "CONDITIONAL_FORMAT",
            "In the cells {cells} a condition decides which number format is used, so it can't be "
            "known what they show. Clear the rules of conditional formatting that set a number "
            "format, or save the sheet as CSV UTF-8.",
            cells=areas[0].address(),
        )

    def covered_cell(self, notes: SheetNotes) -> FileRefusedError | None:
        """Return the refusal of values under merged cells, which an admin has not seen."""
        columns = range(self.first_column, self.first_column + self._width)
        for row, column in notes.covered:
            if row >= self._header_row and column in columns:
                return refusal(
                    "COVERED_CELL",
                    "{cell} is merged with other cells, and has a value that the sheet does not "
                    "show. Unmerge the cells, and keep the values that are right.",
                    cell=f"{column_letters(column)}{row}",
                )
        return None

    def _in_table(self, areas: Iterable[Area]) -> list[Area]:
        last = self.first_column + self._width - 1
        return [
            area
            for area in areas
            if area.last_row >= self._header_row
            and area.first_column <= last
            and area.last_column >= self.first_column
        ]

    def warnings(self, notes: SheetNotes) -> Iterator[ErrorDetail]:
        """Yield what an admin may not expect of the table, once all rows are read."""
        yield from self._hidden_rows(notes)
        yield from self._hidden_columns(notes)
        yield from self._merged_cells(notes)
        if self._beside:
            more = self._beside - 1
            cells = _numbered(more, "", " and {more} more cell", " and {more:,} more cells")
            template = "{cell}" + cells + " beside the table " + _was(self._beside) + " not read."
            cell = self._first_beside
            yield ErrorDetail.of("BESIDE_TABLE", template, cell=cell, more=more)

    def _hidden_rows(self, notes: SheetNotes) -> Iterator[ErrorDetail]:
        rows = [row for row in notes.hidden_rows if row > self._header_row]
        if rows:
            are = "row is" if len(rows) == 1 else "rows are"
            template = "{count:,} " + are + " hidden, by a filter for instance, and "
            template += _was(len(rows)) + " read as well; the first is row {row}."
            yield ErrorDetail.of("HIDDEN_ROWS", template, count=len(rows), row=rows[0])

    def _hidden_columns(self, notes: SheetNotes) -> Iterator[ErrorDetail]:
        hidden = {
            column
            for columns in notes.hidden_columns
            for column in self._columns
            if column in columns
        }
        if hidden:
            letters = ", ".join(column_letters(column) for column in sorted(hidden))
            are = "Column {letters} is" if len(hidden) == 1 else "The columns {letters} are"
            template = are + " hidden, and " + _was(len(hidden)) + " read as well."
            yield ErrorDetail.of("HIDDEN_COLUMNS", template, letters=letters)

    def _merged_cells(self, notes: SheetNotes) -> Iterator[ErrorDetail]:
        if merged := self._in_table(notes.merged):
            areas = ", and {more:,} more areas," if len(merged) > 1 else ""
            template = "The cells {cells}" + areas + " are merged. The value is that of the first"
            template += " cell alone; the others are blank."
            cells, more = merged[0].address(), len(merged) - 1
            yield ErrorDetail.of("MERGED_CELLS", template, cells=cells, more=more)


def filled_cells(row: SheetRow) -> int:
    """Count the cells that are not blank."""
    return len(_filled_columns(row))


def _filled_columns(row: SheetRow) -> Sequence[int]:
    return [column for column, text in zip(row.columns, row.texts, strict=True) if text.strip()]


def _leftmost(row: SheetRow) -> int:
    return _filled_columns(row)[0]


def _numbered(count: int, none: str, one: str, many: str) -> str:
    return (none, one)[count] if count < 2 else many


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
