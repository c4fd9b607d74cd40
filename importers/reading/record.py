"""Records: rows by their numbers, as a spreadsheet shows them, with their cells."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

Record: TypeAlias = tuple[int, list[str]]


class Batch(NamedTuple):
    """Rows that are worked on at once; a number and the cells of each.

    Args:
        numbers: ascending; negative for rows that are only context for others.
        cells: as many; a row may have more or fewer cells than others.
    """

    numbers: Sequence[int]
    cells: Sequence[list[str]]

    @classmethod
    def of(cls, records: Iterable[Record]) -> Batch:
        """Gather records."""
        numbers, cells = [], []
        for number, row in records:
            numbers.append(number)
            cells.append(row)
        return cls(numbers, cells)

    def records(self) -> Iterator[Record]:
        """Return the rows one by one."""
        return zip(self.numbers, self.cells, strict=True)

    def part(self, start: int, stop: int) -> Batch:
        """Return some of the rows, by their positions."""
        return Batch(self.numbers[start:stop], self.cells[start:stop])

    def without(self, numbers: Collection[int]) -> Batch:
        """Return the rows but those with certain numbers."""
        if not numbers or self.numbers[0] > max(numbers):
            return self
        return Batch.of(record for record in self.records() if record[0] not in numbers)


Batches: TypeAlias = Generator[Batch, None, None]

FORMULA_STARTS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet compute a cell that begins with it; in Japan, so do the wide forms."""

_GUARDED = tuple(f"'{start}" for start in FORMULA_STARTS)


def is_blank(cells: list[str]) -> bool:
    """Tell whether every cell trims to nothing."""
    return not any(cell.strip() for cell in cells)


def drop_guards(cells: list[str]) -> list[str]:
    """Drop the `'` that a download puts before a cell that a spreadsheet would compute."""
    return [cell[1:] if cell.startswith(_GUARDED) else cell for cell in cells]
