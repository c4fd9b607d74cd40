"""Sheets of workbooks of any kind: their rows, and what is hidden or merged in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from importers.reading.workbooks.sheet_address import column_letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class SheetRow(NamedTuple):
    """A row's cells, but for those that are empty.

    Args:
        number: as the sheet shows it.
        columns: indices of the cells' columns, ascending; that of A is 0.
        texts: what each cell shows, with a note where it does not hold that.
    """

    number: int
    columns: tuple[int, ...]
    texts: list[str]


class Area(NamedTuple):
    """A rectangle of cells: numbers of rows, indices of columns."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int

    def covers(self, row: int, column: int) -> bool:
        """Tell whether it has the cell, and this is not its first one."""
        is_first = (row, column) == (self.first_row, self.first_column)
        has_row = self.first_row <= row <= self.last_row
        return has_row and self.first_column <= column <= self.last_column and not is_first

    def size(self) -> int:
        rows = self.last_row - self.first_row + 1
        return rows * (self.last_column - self.first_column + 1)

    def address(self) -> str:
        first = f"{column_letters(self.first_column)}{self.first_row}"
        return f"{first}:{column_letters(self.last_column)}{self.last_row}"


class UnderMerged(NamedTuple):
    """What is in merged cells.

    Args:
        with_blanks: areas that have blank cells beside the first.
        hidden: rows and columns of cells with another value than the first cell, which is shown.
    """

    with_blanks: list[Area]
    hidden: list[tuple[int, int]]


@dataclass(slots=True)
class SheetNotes:
    """What is found out about a sheet while its rows are read."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[range] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    """Merged cells, of which all but the first are blank, or some."""
    conditional: list[Area] = field(default_factory=list)
    """Cells whose numbers are shown in a way that depends on a condition."""
    covered: list[tuple[int, int]] = field(default_factory=list)
    """Rows and columns of cells that are merged with one that shows another value."""


def look_under(rows: Iterable[SheetRow], merged: Iterable[Area]) -> UnderMerged:
    """Find out what is in the cells that a sheet does not show, as they are merged with others."""
    waiting = sorted(merged, reverse=True)
    shown: dict[Area, str] = {}
    blank = {area: area.size() - 1 for area in waiting}
    hidden = []
    for row in rows:
        while waiting and waiting[-1].first_row <= row.number:
            shown[waiting.pop()] = ""
        shown = {area: text for area, text in shown.items() if area.last_row >= row.number}
        cells = dict(zip(row.columns, map(str.strip, row.texts), strict=True)) if shown else {}
        for area in shown:
            if area.first_row == row.number:
                shown[area] = cells.get(area.first_column, "")
            for column, text in cells.items():
                if text and area.covers(row.number, column):
                    blank[area] -= 1
                    if text != shown[area]:
                        hidden.append((row.number, column))
    return UnderMerged([area for area, count in blank.items() if count], hidden)


class Sheet(Protocol):
    """A sheet that can be read once.

    Args:
        notes: complete when all rows have been read.
    """

    name: str
    is_hidden: bool
    notes: SheetNotes

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that have cells, in their order."""
        ...
