"""Rows of a file, as a plugin sees them: one, or all."""

from __future__ import annotations

import functools
from collections import deque
from dataclasses import dataclass, make_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from typing import Self


class Row:
    """The values of one row: an attribute for each column and each `AssignmentOf`, and `number`.

    So is each `AssignmentsOf`. `row.matter` is the value that the column `matter` read from its
    cell. The engine makes rows.

    Args:
        number: the row's number as a spreadsheet shows it; the header is row 1.
        values: one for each column, in the order of the importer's columns.

    Example:
        >>> def change(self, row):
        ...     return Remove(case=row.matter, user=row.person)
    """

    __slots__ = ()

    number: int

    # For type checkers; `make_dataclass` writes the real ones.
    if TYPE_CHECKING:

        def __init__(self, number: int, *values: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row of a group whose cells are not all right, as `Importer.change_group` gets it.

    Args:
        number: the row's number as a spreadsheet shows it.
        columns: the columns, by their attributes, whose cells are wrong; none where the row failed
            for something else.

    Example:
        >>> [failed.number for failed in (FailedRow(7, ("role",)), FailedRow(9, ()))]
        [7, 9]
    """

    number: int
    columns: Sequence[str]


class FileRows:
    """All rows of a file in its order, to be read once, a part at a time.

    Rows with a wrong cell have no values and are left out; `failed` counts them.

    Args:
        parts: the rows of each part of the file, and how many more of its rows have a wrong cell.

    Example:
        >>> async def check_file(self, rows, directory):
        ...     named = {row.matter.id async for row in rows}
        ...     if rows.failed == 0 and len(named) < 10:
        ...         return [RowError(None, "TOO_FEW", "names {count} matters.", count=len(named))]
    """

    failed: int
    """How many of the rows that were read by now have a wrong cell; after the loop, of all."""

    def __init__(self, parts: AsyncIterator[tuple[Iterable[Row], int]]) -> None:
        self.failed = 0
        self._parts = parts
        self._rows: deque[Row] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Row:
        while not self._rows:
            rows, failed = await anext(self._parts)
            self._rows.extend(rows)
            self.failed += failed
        return self._rows.popleft()


def row_type(columns: Iterable[str]) -> type[Row]:
    """Return the class of rows with these columns; the same columns get the same class."""
    return _row_type(tuple(columns))


# `make_dataclass` compiles source code: once for each set of columns, not for each chunk.
@functools.cache
def _row_type(columns: tuple[str, ...]) -> type[Row]:
    return make_dataclass("Row", ("number", *columns), bases=(Row,), slots=True)
