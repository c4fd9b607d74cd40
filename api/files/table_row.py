"""A row of a table to download."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TableRow(NamedTuple):
    """A row of a table.

    Args:
        number: by which messages name the row.
        notes: what is wrong with a cell, by the cell's index.
    """

    number: int
    cells: Sequence[str]
    notes: Mapping[int, str] = {}
