"""Records: a row's cells with the row's number, as a spreadsheet shows it."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

Record: TypeAlias = tuple[int, list[str]]


class Batch(NamedTuple):
    """Rows that are processed together, as two sequences of the same length.

    Args:
        numbers: of the rows, ascending; negative for context rows, which only help to judge others.
        cells: of each row; rows may differ in how many they have.
        texts: the lines of a chunk's payload, of rows that were stored as such; else empty.
    """

    numbers: Sequence[int]
    cells: Sequence[list[str]]
    texts: Sequence[bytes] = ()

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
        return Batch(self.numbers[start:stop], self.cells[start:stop], self.texts[start:stop])

    def without(self, numbers: Collection[int]) -> Batch:
        """Return the rows except those with certain numbers."""
        # What is left out are early failures, which are among a file's first rows.
        if not numbers or self.numbers[0] > max(numbers):
            return self
        return Batch.of(record for record in self.records() if record[0] not in numbers)

    def without_guards(self) -> Batch:
        """Return the rows as they were before a download guarded their cells."""
        return Batch(self.numbers, [remove_guards(cells) for cells in self.cells])


Batches: TypeAlias = Generator[Batch, None, None]

# A spreadsheet computes a cell that begins with one of these; in Japanese, also the wide forms. LF
# is one of them because a workbook makes LF of CR.
_FORMULA_STARTS = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
# A cell that begins like a guarded one is guarded, too: else an upload would take its own `'` off.
_TO_GUARD = re.compile(f"'*{_FORMULA_STARTS}")
_GUARDED = re.compile(f"'+{_FORMULA_STARTS}")


def is_blank(cells: list[str]) -> bool:
    """Tell whether every cell is empty once trimmed."""
    return not any(cell.strip() for cell in cells)


def add_guards(cells: Iterable[str]) -> list[str]:
    """Put a `'` before each cell that a spreadsheet would compute.

    Example:
        >>> add_guards(["=1+1", "trv-001", "'=1+1"])
        ["'=1+1", 'trv-001', "''=1+1"]
    """
    return [f"'{cell}" if _TO_GUARD.match(cell) else cell for cell in cells]


def remove_guards(cells: Iterable[str]) -> list[str]:
    """Take off what `add_guards` has put on."""
    return [cell[1:] if _GUARDED.match(cell) else cell for cell in cells]
