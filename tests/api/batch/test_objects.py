"""Lists, flattened and split again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.batch.objects import Lists


@given(st.lists(st.lists(st.integers())))
def test_lists_are_split_as_they_were(values: list[list[int]]) -> None:
    """What is made of the items stands in the lists in which the items stood."""
    lists = Lists.of(values)

    assert lists.part([str(item) for item in lists.items]) == [
        [str(item) for item in each] for each in values
    ]
