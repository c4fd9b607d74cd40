"""Rows that may meet share a chunk or a chain, in the order of the file; none is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import importers.split.chunking
from importers.rows.payload import texts_of
from importers.split.chunking import Chunk, Chunks, Partitions, Ties, chunks_for
from importers.split.grouping import GroupKeys, Groups
from importers.split.row_spool import Spool

KEYS = st.one_of(st.none(), st.integers(-5, 5), st.integers(-(2**62), 2**62))


def cut(chunks: Chunks, batches: Sequence[Groups]) -> list[Chunk]:
    """Add rows 2, 3, … in batches and return the chunks, all in memory."""
    number = 2
    for groups in batches:
        count = len(groups.wide)
        added = range(number, number + count)
        chunks.add(added, [orjson.dumps([str(each)]) for each in added], groups)
        number += count
    found = [Chunk(list(entries), is_chained) for entries, is_chained in chunks.finish()]
    chunks.close()
    return found


def numbers(chunk: Chunk) -> list[int]:
    return [number for number, _, _ in chunk.entries]


def chains(found: Sequence[Chunk]) -> Iterator[list[int]]:
    """Give the rows of each free chunk with those of the chunks that are chained to it."""
    rows: list[int] = []
    for chunk in found:
        if not chunk.is_chained and rows:
            yield rows
            rows = []
        rows += numbers(chunk)
    yield rows


def check(found: Sequence[Chunk], kinds: Sequence[GroupKeys], size: int) -> None:
    """Hold chunks to what the keys ask for."""
    rows = [number for chunk in found for number in numbers(chunk)]
    place = {number: index for index, chain in enumerate(chains(found)) for number in chain}
    order = {number: index for index, number in enumerate(rows)}

    assert sorted(rows) == list(range(2, 2 + len(kinds[0])))
    assert all(0 < len(chunk.entries) <= size for chunk in found)
    assert all(
        text == orjson.dumps([str(number)]) for chunk in found for number, text, _ in chunk.entries
    )
    for keys in kinds:
        last: dict[int, int] = {}
        for number, key in enumerate(keys, 2):
            if key is None:
                continue
            if key in last:
                assert place[last[key]] == place[number]
                assert order[last[key]] < order[number] or numbers_are_in_one(
                    found, last[key], number
                )
            last[key] = number


def numbers_are_in_one(found: Sequence[Chunk], one: int, other: int) -> bool:
    return any({one, other} <= set(numbers(chunk)) for chunk in found)


@given(st.lists(st.lists(KEYS, min_size=1, max_size=9), min_size=1, max_size=8), st.integers(1, 7))
def test_one_kind_of_key(batches: list[list[int | None]], size: int) -> None:
    """Rows with one key are in one chunk, or in a chain when they are more than a chunk holds."""
    wide = [[None if key is None else key // 3 for key in keys] for keys in batches]
    groups = [Groups([keys], more) for keys, more in zip(batches, wide, strict=True)]

    found = cut(Partitions(size), groups)

    check(found, [[key for keys in batches for key in keys]], size)


@given(
    st.lists(st.lists(st.tuples(KEYS, KEYS), min_size=1, max_size=9), min_size=1, max_size=8),
    st.integers(1, 7),
)
def test_several_kinds_of_key(
    batches: list[list[tuple[int | None, int | None]]], size: int
) -> None:
    """Rows that share a key of any kind with others form one chain; the others keep their place."""
    groups = [
        Groups([[one for one, _ in keys], [other for _, other in keys]], [0] * len(keys))
        for keys in batches
    ]
    kinds = [[pair[kind] for keys in batches for pair in keys] for kind in (0, 1)]

    found = cut(Ties(size), groups)

    check(found, kinds, size)


def test_no_kind_of_key() -> None:
    """Rows that meet nothing fill one chunk after the other, whatever batches they were read in."""
    found = cut(chunks_for(Groups([], []), 3), [Groups([], [0] * 4), Groups([], [0] * 3)])

    assert [numbers(chunk) for chunk in found] == [[2, 3, 4], [5, 6, 7], [8]]


def test_rows_of_few_cases_are_still_many_chunks() -> None:
    """Rows of one case that are about many users are no chain."""
    keys = [hash(("case", str(user))) for user in range(1_000)]

    found = cut(Partitions(100), [Groups([keys], [hash("case")] * 1_000)])

    assert not any(chunk.is_chained for chunk in found)
    assert 10 <= len(found) <= 20


def test_chunks_are_full() -> None:
    """Chunks of a file without repeats have nearly as many rows as they may."""
    keys = [hash(str(user)) for user in range(20_000)]

    found = cut(Partitions(1_000), [Groups([keys], keys)])

    assert 20 <= len(found) <= 22


def test_long_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk has fewer rows when they are long, whatever their keys."""
    monkeypatch.setattr(importers.split.chunking, "MAX_CHUNK", 30)
    different = cut(Partitions(100), [Groups([list(range(50))], list(range(50)))])
    repeated = cut(Partitions(100), [Groups([[1] * 50], [1] * 50)])

    for found in (different, repeated):
        sizes = [sum(len(text) for _, text, _ in chunk.entries) for chunk in found]
        assert len(found) > 5
        assert max(sizes) <= 30 + len(b'["50"]')


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9), st.text(max_size=9)), max_size=5)
    ),
    st.integers(0, 2_000),
)
def test_spool(batches: list[list[tuple[int, int, str]]], most_in_memory: int) -> None:
    """A place gives back its rows as they were, in their order, in memory or not."""
    spool = Spool(most_in_memory)
    added: dict[int, list[tuple[int, bytes, int]]] = {}
    for batch in batches:
        entries = [(number, orjson.dumps([text]), number * 2**50) for _, number, text in batch]
        spool.add([place for place, _, _ in batch], entries)
        for (place, _, _), each in zip(batch, entries, strict=True):
            added.setdefault(place, []).append(each)
    read = {
        place: [each for entries in spool.read(place) for each in entries]
        for place in spool.places()
    }
    sizes = {place: (spool.count(place), spool.size(place)) for place in spool.places()}
    spool.close()

    assert read == added
    assert {place: count for place, (count, _) in sizes.items()} == {
        place: len(rows) for place, rows in added.items()
    }


def test_rows_without_texts_take_memory_too() -> None:
    """What is held has a bound, also when it is only keys."""
    spool = Spool(100_000)
    for number in range(100):
        spool.add([0] * 100, [(number, b"", key) for key in range(100)])
        assert sum(map(len, spool._held.values())) <= 1_000
    read = [entry for entries in spool.read(0) for entry in entries]
    spool.close()

    assert read == [(number, b"", key) for number in range(100) for key in range(100)]


def test_texts_keep_no_more_memory_than_they_need() -> None:
    """Texts that wait are as they were read, a thousand at a time or not."""
    rows = [[f'a"{number}\n', "é"] for number in range(2, 1_203)]

    assert [orjson.loads(text) for text in texts_of(rows)] == rows
    assert not any(b"\n" in text for text in texts_of(rows))
