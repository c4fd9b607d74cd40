"""Guards before formulas come off as they were put on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.reading.record import Batch, add_guards, remove_guards

STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
CELLS = st.text(st.sampled_from(f"'{STARTS}a "), max_size=5)


@pytest.mark.parametrize("start", STARTS)
def test_guarded(start: str) -> None:
    """What a spreadsheet would compute gets a `'`, and so does what looks guarded already."""
    cells = [f"{start}1", f"'{start}1", f"''{start}", f"a{start}", f" {start}1"]

    assert add_guards(cells) == [*[f"'{cell}" for cell in cells[:3]], *cells[3:]]


@given(st.lists(CELLS))
def test_round_trip(cells: list[str]) -> None:
    """Whatever cells hold, they are the same when their guards are off again."""
    assert remove_guards(add_guards(cells)) == cells


@given(CELLS)
def test_nothing_is_computed(cell: str) -> None:
    """No guarded cell begins like a formula."""
    assert not add_guards([cell])[0].startswith(tuple(STARTS))


def test_rows_without_guards() -> None:
    """A batch keeps its numbers."""
    batch = Batch([2, 4], [["'=1", "'"], ["b", "''=2"]])

    assert batch.without_guards() == Batch([2, 4], [["=1", "'"], ["b", "'=2"]])
