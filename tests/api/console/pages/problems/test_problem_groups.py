"""Groups of problems: listed, left out, and mended at once."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.pages.problems.failed_rows import EditedRow, FileColumn
from api.console.pages.problems.group_key import GroupKey
from api.console.pages.problems.problem_groups import (
    is_left_out,
    list_groups,
    preview_replacement,
    write_ranges,
)

USER_ID = FileColumn(
    place=1,
    header="User ID",
    name="user_id",
    meant="user_id",
    description="",
    choices=(),
    names="user",
)
ROWS = [EditedRow(number=each, cells=[], errors=[], is_too_long=False) for each in range(2, 9)]


def a_group(column: str | None, value: str | None = "x") -> dict[str, Any]:
    """A group, as the operation has it."""
    return {"code": "C", "column": column, "value": value, "count": 2, "rows": ["4-5"]}


@pytest.mark.parametrize(
    ("ranges", "count", "shown"),
    [
        (["301"], 1, "301"),
        (["18-25", "301"], 9, "18\u201325, 301"),
        (["18-25", "301"], 10, "18\u201325, 301, …"),
    ],
)
def test_ranges(ranges: list[str], count: int, shown: str) -> None:
    """Rows that are not listed are said to be there."""
    assert write_ranges({"rows": ranges, "count": count}) == shown


def test_left_out() -> None:
    """Groups that were left out are listed apart; a row with their error can't pass either."""
    gone, kept = a_group("user_id"), a_group("case_id")
    left_out = [GroupKey.of(gone).mark()]

    listed = list_groups([gone, kept], left_out)

    assert [[group.error for group in groups] for groups in listed] == [[kept], [gone]]
    assert is_left_out([kept, gone], left_out)
    assert not is_left_out([kept], left_out)


def test_preview() -> None:
    """Five rows are shown; a blank cell is a choice, none is not."""
    shown = preview_replacement(USER_ID, " jones-001 ", ROWS)
    blank = preview_replacement(USER_ID, "", ROWS)

    assert shown is not None
    assert (shown.value, [row.number for row in shown.rows]) == ("jones-001", [2, 3, 4, 5, 6])
    assert blank is not None
    assert not blank.value
    assert preview_replacement(USER_ID, None, ROWS) is None
    assert preview_replacement(None, "x", ROWS) is None
