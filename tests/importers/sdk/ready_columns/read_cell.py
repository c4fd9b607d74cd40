"""What a column makes of a cell."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Column, RowError


def error_of(column: Column[Any], cell: str) -> RowError:
    """Return the error that a cell fails with."""
    with pytest.raises(RowError) as caught:
        column.read(cell)
    return caught.value


def key_of(column: Column[Any], cell: str) -> str:
    """Return the group key of a cell."""
    return column.group_key(column.read(cell))
