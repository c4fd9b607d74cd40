"""What a reader yields becomes rows, or is said to be none."""

from __future__ import annotations

from typing import Any

import pytest

from importers.reading.isolated.plugin_rows import WrongRowError, checked_rows
from importers.reading.limits import Limits
from importers.sdk.errors import FileRefusedError

LIMITS = Limits(max_columns=3)


class Text(str):
    """A text that a library has made."""


@pytest.mark.parametrize(
    ("yielded", "rows"),
    [
        pytest.param([(0, ["a"]), (5, ("b", ""))], [(0, ["a"]), (5, ["b", ""])], id="rows"),
        pytest.param([], [], id="none"),
        pytest.param([(1, [])], [(1, [])], id="a row without cells"),
        pytest.param([(1, ["a", "b", "c", "", " "])], [(1, ["a", "b", "c"])], id="padding"),
        pytest.param([(1, [Text("a")])], [(1, ["a"])], id="texts of another class"),
        pytest.param([(1, ["\ud800é"])], [(1, ["\ufffdé"])], id="half a character"),
    ],
)
def test_rows(yielded: Any, rows: list[tuple[int, list[str]]]) -> None:
    """Numbers and cells stay as they are; what no file can have is cut or marked."""
    assert list(checked_rows(yielded, LIMITS)) == rows


@pytest.mark.parametrize(
    ("yielded", "reason"),
    [
        pytest.param([["a"]], "it yields ['a'], which is no pair", id="cells alone"),
        pytest.param([(1, "abc")], "row 1 is 'abc', which is no list of texts", id="a text"),
        pytest.param([(1, {"a": "b"})], "row 1 is {'a': 'b'}, which is no list", id="a mapping"),
        pytest.param([(1.0, ["a"])], "the number of a row is 1.0", id="a fraction"),
        pytest.param([(2, ["a"]), (1, ["b"])], "row 1 comes after row 2", id="descending"),
        pytest.param([(-1, ["a"])], "row -1; numbers begin with 0", id="negative"),
    ],
)
def test_no_rows(yielded: Any, reason: str) -> None:
    """The reason is a sentence for the author."""
    with pytest.raises(WrongRowError) as caught:
        list(checked_rows(yielded, LIMITS))

    assert str(caught.value).startswith(reason)


def test_too_many_cells() -> None:
    """Cells beyond the limit refuse the file, unless they are blank."""
    with pytest.raises(FileRefusedError) as caught:
        list(checked_rows([(4, ["a", "", "", "", "b"])], LIMITS))

    assert caught.value.errors[0].code == "TOO_MANY_COLUMNS"
    assert caught.value.errors[0].params["row"] == 4
