"""A record: a row's number, as a spreadsheet shows it, and its cells."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

Record: TypeAlias = tuple[int, list[str]]
Records: TypeAlias = Generator[Record, None, None]

_GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")


def is_blank(cells: list[str]) -> bool:
    """Tell whether every cell trims to nothing."""
    return not any(cell.strip() for cell in cells)


def drop_guards(cells: list[str]) -> list[str]:
    """Drop the `'` that a download puts before a cell that a spreadsheet would compute."""
    return [cell[1:] if cell.startswith(_GUARDED) else cell for cell in cells]
