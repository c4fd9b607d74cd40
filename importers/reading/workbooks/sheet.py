"""Sheets of workbooks of any kind: their rows, and what is hidden or merged in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from importers.reading.workbooks.sheet_address import column_letters

if TYPE_CHECKING:
    from collections.abc import Iterator


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
