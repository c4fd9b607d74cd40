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

    def address(self) -> str:
        first = f"{column_letters(self.first_column)}{self.first_row}"
        return f"{first}:{column_letters(self.last_column)}{self.last_row}"


@dataclass(slots=True)
class SheetNotes:
    """What is found out about a sheet while its rows are read."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[range] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    conditional: list[Area] = field(default_factory=list)
    """Cells whose numbers are shown in a way that depends on a condition."""
    covered: list[tuple[int, int]] = field(default_factory=list)
    """Rows and columns of cells that have a value and are merged with another, which is shown."""


def covered_cells(rows: Iterable[SheetRow], merged: Iterable[Area]) -> Iterator[tuple[int, int]]:
    """Yield the row and the column of each value that a sheet with merged cells does not show."""
    areas = sorted(merged, reverse=True)
    begun: list[Area] = []
    for row in rows:
        while areas and areas[-1].first_row <= row.number:
            begun.append(areas.pop())
        begun = [area for area in begun if area.last_row >= row.number]
        for column, text in zip(row.columns, row.texts, strict=True) if begun else ():
            if text.strip() and any(area.covers(row.number, column) for area in begun):
                yield row.number, column


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
