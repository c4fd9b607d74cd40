"""Records: a row's cells with the row's number, as a spreadsheet shows it."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

Record: TypeAlias = tuple[int, list[str]]


class Batch(NamedTuple):
    """Rows that are processed together, as two sequences of the same length.

    Args:
        numbers: of the rows, ascending; negative for context rows, which only help to judge others.
        cells: of each row; rows may differ in how many they have.
    """

    numbers: Sequence[int]
    cells: Sequence[list[str]]

    @classmethod
    def of(cls, records: Iterable[Record]) -> Batch:
        numbers, cells = [], []
        for number, row in records:
            numbers.append(number)
            cells.append(row)
        return cls(numbers, cells)

    def records(self) -> Iterator[Record]:
        return zip(self.numbers, self.cells, strict=True)

    def part(self, start: int, stop: int) -> Batch:
        """Return some of the rows, by their positions."""
        return Batch(self.numbers[start:stop], self.cells[start:stop])

    def without(self, numbers: Collection[int]) -> Batch:
        """Return the rows except those with certain numbers."""
        # What is left out are early failures, which are among a file's first rows.
        if not numbers or self.numbers[0] > max(numbers):
            return self
        return Batch.of(record for record in self.records() if record[0] not in numbers)


Batches: TypeAlias = Generator[Batch, None, None]

FORMULA_STARTS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""A spreadsheet computes a cell that begins with one of these; in Japanese, also the wide forms."""

_GUARDED = tuple(f"'{start}" for start in FORMULA_STARTS)


def is_blank(cells: list[str]) -> bool:
    """Tell whether every cell is empty once trimmed."""
    return not any(cell.strip() for cell in cells)


def drop_guards(cells: list[str]) -> list[str]:
    """Drop the `'` that a download puts before a cell that a spreadsheet would compute."""
    return [cell[1:] if cell.startswith(_GUARDED) else cell for cell in cells]
