"""Failed rows that run again have their new cells."""

from __future__ import annotations

import pytest

from importers.split.failed_rows import corrected


@pytest.mark.parametrize(
    ("cells", "new", "expected"),
    [
        pytest.param(["a", "b", "c"], {}, ["a", "b", "c"], id="nothing new"),
        pytest.param(["a"], {}, ["a"], id="too short, nothing new"),
        pytest.param(["a", "b", "c"], {"1": "x"}, ["a", "x", "c"], id="one"),
        pytest.param(["a"], {"2": "x"}, ["a", "", "x"], id="too short, filled up"),
        pytest.param(["a", "b", "c", "d"], {"0": "x"}, ["x", "b", "c", "d"], id="too long"),
        pytest.param(["a", "b", "c"], {"0": "", "2": ""}, ["", "b", ""], id="made blank"),
    ],
)
def test_corrected(cells: list[str], new: dict[str, str], expected: list[str]) -> None:
    """New cells replace old ones by position; a short row grows to the header's width."""
    before = list(cells)

    assert corrected(cells, 3, new) == expected
    assert cells == before
