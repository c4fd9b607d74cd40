"""What cells of a file show of how its columns are to be read: a day first, for example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from importers.isolation.guard import guarded
from importers.sdk.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.rows.layout import Layout
    from importers.sdk.importer import Importer

Observed: TypeAlias = "dict[str, set[str]]"
"""Column name → what its cells have shown; columns that have shown nothing are left out."""


def observing_positions(importer: Importer, layout: Layout) -> list[int]:
    """Return the positions of the columns that can't be read cell by cell alone."""
    return [layout.positions[name] for name in _observing(importer) if name in layout.positions]


def observe(
    importer: Importer, layout: Layout, rows: Sequence[Sequence[str]], observed: Observed
) -> None:
    """Add what some rows of the file show.

    Args:
        rows: their cells; some may be short.
    """
    for name, column in _observing(importer).items():
        position = layout.positions.get(name)
        if position is not None:
            cells = {cells[position] for cells in rows if position < len(cells)}
            shown = set(guarded(column.observe, cells))
            if shown:
                observed.setdefault(name, set()).update(shown)


def _observing(importer: Importer) -> dict[str, Column[Any]]:
    columns = importer.columns.items()
    return {name: each for name, each in columns if type(each).observe is not Column.observe}
