"""Rows of a group share a chunk, whatever their places in the file; none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.reading.limits import MOST_LOST
from importers.sdk.errors import FileRefusedError
from importers.split import whole_groups
from importers.split.chunking import Chunk
from importers.split.grouping import GroupColumn, GroupKeys, Groups
from importers.split.whole_groups import WholeGroups

COLUMN = GroupColumn("case_id", "Case Id", 0)
KEYS = st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**62), 2**62))


def cut(
    keys: GroupKeys,
    size: int,
    *,
    others: GroupKeys | None = None,
    context: Sequence[int] = (),
    at_once: int = 4,
) -> list[Chunk]:
    """Add rows 2, 3, … in batches and return the chunks, in memory.

    Args:
        others: keys of another kind.
        context: the numbers of rows that are only context.
    """
    numbers = [-each if each in context else each for each in range(2, len(keys) + 2)]
    with closing(WholeGroups(COLUMN, size)) as chunks:
        for start in range(0, len(keys), at_once):
            part = slice(start, start + at_once)
            kinds = [keys[part], *([others[part]] if others else [])]
            texts = [orjson.dumps([f"key {key}"]) for key in keys[part]]
            chunks.add(numbers[part], texts, Groups(kinds, keys[part], COLUMN))
        return [Chunk(list(entries), is_chained) for entries, is_chained in chunks.finish()]


def numbers_of(chunk: Chunk) -> list[int]:
    return [number for number, _, _ in chunk.entries]


@given(st.lists(KEYS, max_size=40), st.integers(1, 40), st.booleans())
def test_whole_groups(keys: list[int | None], size: int, is_tied: bool) -> None:
    """Each row is run once, a group in one chunk; lost rows are context for all others."""
    largest = max((keys.count(key) for key in keys if key is not None), default=0)
    size = max(size, largest, 1)

    found = cut(keys, size, others=[0] * len(keys) if is_tied else None)

    place = {n: index for index, chunk in enumerate(found) for n in numbers_of(chunk) if n > 0}
    run = [number for chunk in found for number in numbers_of(chunk) if number > 0]
    assert sorted(run) == list(range(2, len(keys) + 2))
    assert all(len([n for n in numbers_of(chunk) if n > 0]) <= size for chunk in found)
    for key in set(keys) - {None}:
        assert len({place[n] for n, each in enumerate(keys, 2) if each == key}) == 1
    lost = [number for number, key in enumerate(keys, 2) if key is None]
    for chunk in found:
        own = [number for number in numbers_of(chunk) if number > 0]
        context = [-number for number in numbers_of(chunk) if number < 0]
        assert context == ([] if set(own) <= set(lost) else lost)


def test_a_chain_of_groups() -> None:
    """Where rows of several groups can meet, groups come in the order of their first rows."""
    found = cut([9, 4, 9, 7, 4, 1], 2, others=[0] * 6)

    assert [numbers_of(chunk) for chunk in found] == [[2, 4], [3, 6], [5, 7]]
    assert [chunk.is_chained for chunk in found] == [False, True, True]


def test_groups_without_a_chain() -> None:
    """Otherwise their chunks are free."""
    assert not any(chunk.is_chained for chunk in cut([9, 4, 9, 7, 4, 1], 2))


def test_groups_that_are_only_context() -> None:
    """Of a retry, groups of which no row runs again are left out."""
    found = cut([1, 2, 1, 2, None], 9, context=[2, 3, 4, 5])

    assert [numbers_of(chunk) for chunk in found] == [[6]]


def test_rows_of_a_group_as_context() -> None:
    """The others are there as a whole, and lost rows that don't run again as well."""
    found = cut([1, 2, 1, 2, None], 9, context=[2, 5, 6])

    assert [sorted(numbers_of(chunk)) for chunk in found] == [[-6, -5, -2, 3, 4]]


@pytest.mark.parametrize("size", [2, 3])
def test_a_group_that_is_too_large(size: int) -> None:
    """The error names the group, its rows and the limit; no chunk is made."""
    keys = [1, 2, 1, 2, 1, 3, 1]

    with pytest.raises(FileRefusedError) as caught:
        cut(keys, size)

    (error,) = caught.value.errors
    assert (error.code, error.column, error.value) == ("GROUP_TOO_LARGE", "case_id", "key 1")
    assert error.params == {"count": 4, "label": "Case Id", "key": "key 1", "limit": size}


def test_a_group_of_long_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk has a limit of characters, too."""
    monkeypatch.setattr(whole_groups, "MAX_CHUNK", 15)

    with pytest.raises(FileRefusedError, match="2 rows with the Case Id 'key 1', of more than 15"):
        cut([1, 2, 1], 9)


def test_more_lost_rows_than_chunks_see() -> None:
    """A chunk has one more than it looks at, which tells that there are others."""
    found = cut([None] * (MOST_LOST + 9) + [1], 600, at_once=500)

    assert [len(chunk.entries) for chunk in found] == [600, MOST_LOST + 9 - 600, MOST_LOST + 2]
