"""Groups of problems in addresses and cookies."""

from __future__ import annotations

import pytest

from api.console.pages.problems.group_key import GroupKey, decode_group

KEYS = [
    GroupKey("NOT_FOUND", "user_id", "jones-1"),
    GroupKey("REQUIRED", "case_id", None),
    GroupKey("TOO_MANY_CELLS", None, None),
    GroupKey("INVALID", "name", ""),
    GroupKey("INVALID", "name", 'Zoë "\u200b" <b>&'),
]


@pytest.mark.parametrize("key", KEYS)
def test_round_trip(key: GroupKey) -> None:
    """A key is read as it was written; a blank cell is not a missing one."""
    assert decode_group(key.encode()) == key


@pytest.mark.parametrize("text", [None, "", "x", "é", "W10", "WzEsMiwzXQ", "e30"])
def test_nonsense(text: str | None) -> None:
    """What is no key is none."""
    assert decode_group(text) is None


def test_marks() -> None:
    """Each group has a mark of its own."""
    assert len({key.mark() for key in KEYS}) == len(KEYS)


def test_row_filter() -> None:
    """A field that the errors lack can't be asked for, and is left open."""
    filters = [key.row_filter() for key in KEYS[:3]]

    assert filters == [
        {"code": ["NOT_FOUND"], "column": ["user_id"], "value": "jones-1"},
        {"code": ["REQUIRED"], "column": ["case_id"], "value": None},
        {"code": ["TOO_MANY_CELLS"], "column": None, "value": None},
    ]
