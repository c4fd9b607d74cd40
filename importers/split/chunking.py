"""Chunking: rows go into chunks that can run in any order and at the same time.

Rows that may be about the same thing end up in one chunk, or in a chain of chunks, in the order of
the file. Which rows share a key is known only at the end of the file, so rows wait in a spool.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, compress, repeat
from math import ceil
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from importers.reading.limits import MAX_CHUNK
from importers.split.row_spool import KeySpool, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from importers.rows.payload import Entry
    from importers.split.grouping import GroupKeys, Groups

# A chunk takes one or more whole places. A file of ten million rows has as many chunks of 10,000
# rows as this; smaller files fill a chunk with several places, larger ones divide each.
_PLACES = 1_024


class Chunk(NamedTuple):
    """Rows that one transaction will run; chained to the chunk before it, or free."""

    entries: Sequence[Entry]
    is_chained: bool = False


class Partitions:
    """Chunks of `size` rows with one kind of key: rows that share a key share a place.

    The wide key, that of the case alone, gives the place: a chunk then has all rows of some cases,
    so that fewer cases are looked up, and what is written lies closer together. Where a place
    becomes too large, the rows' own keys divide it, and only rows that share even those form a
    chain.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._spool = Spool()

    def add(self, numbers: Sequence[int], texts: Sequence[bytes], groups: Groups) -> None:
        """Add rows, in the order of the file.

        Args:
            numbers: negative for rows that are only context.
            texts: their cells as JSON.
        """
        keys = _filled(groups.kinds[0], numbers)
        places = [key % _PLACES for key in _filled(groups.wide, numbers)]
        self._spool.add(places, list(zip(numbers, texts, keys, strict=True)))

    def finish(self) -> Iterator[Chunk]:
        return self._whole_places(self._spool, self._divided)

    def close(self) -> None:
        self._spool.close()

    def _whole_places(
        self, spool: Spool, too_large: Callable[[Spool, int], Iterator[Chunk]]
    ) -> Iterator[Chunk]:
        """Make chunks of whole places."""
        waiting: list[Entry] = []
        size = 0
        for place in spool.places():
            count, place_size = spool.count(place), spool.size(place)
            if count > self._size or place_size > MAX_CHUNK:
                yield from too_large(spool, place)
                continue
            if waiting and (len(waiting) + count > self._size or size + place_size > MAX_CHUNK):
                yield Chunk(waiting)
                waiting, size = [], 0
            for entries in spool.read(place):
                waiting.extend(entries)
            size += place_size
        if waiting:
            yield Chunk(waiting)

    def _divided(self, spool: Spool, place: int) -> Iterator[Chunk]:
        chunks = max(spool.count(place) / self._size, spool.size(place) / MAX_CHUNK)
        # With places of a quarter of a chunk, chunks get about the same size.
        places = 4 * ceil(chunks)
        inner = Spool()
        try:
            for entries in spool.read(place):
                # All keys of this place may have the same remainder; the quotient still differs.
                inner.add([key // _PLACES % places for _, _, key in entries], entries)
            # What is still too large has rows that share a key, nearly all of them.
            yield from self._whole_places(inner, self._chained)
        finally:
            inner.close()

    def _chained(self, spool: Spool, place: int) -> Iterator[Chunk]:
        return chain_of(chain.from_iterable(spool.read(place)), self._size)


class Ties:
    """Chunks of `size` rows with several kinds of key, or with none.

    A row can meet one row by the first kind of key and another by the second, which meets a third
    one. So all rows with any key that others have too form one chain, in the order of the file.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = 0
        self._batches = 0
        self._rows = Spool()
        self._keys = KeySpool()

    def add(self, numbers: Sequence[int], texts: Sequence[bytes], groups: Groups) -> None:
        entries = list(zip(numbers, texts, repeat(0)))
        self._rows.add([self._batches] * len(entries), entries)
        for keys in groups.kinds:
            self._keys.add(keys, self._count)
        self._batches += 1
        self._count += len(entries)

    def finish(self) -> Iterator[Chunk]:
        tied = Spool()
        try:
            for chunk in chain_of(self._untied(tied), self._size):
                yield Chunk(chunk.entries)
            yield from chain_of(chain.from_iterable(tied.read(0)), self._size)
        finally:
            tied.close()

    def close(self) -> None:
        self._rows.close()
        self._keys.close()

    def _untied(self, tied: Spool) -> Iterator[Entry]:
        """Return the rows that are tied to no others; those that are go into a spool."""
        is_tied = self._find_ties()
        position = 0
        for batch in self._rows.places():
            entries = list(chain.from_iterable(self._rows.read(batch)))
            marks = is_tied[position : position + len(entries)]
            position += len(entries)
            if any(marks):
                bound = list(compress(entries, marks))
                tied.add([0] * len(bound), bound)
                entries = [entry for entry, mark in zip(entries, marks, strict=True) if not mark]
            yield from entries

    def _find_ties(self) -> bytearray:
        """Return for each row whether any key of it occurs in another row too."""
        is_tied = bytearray(self._count)
        for keys, rows in self._keys.read():
            # Most places have no repeated key, and sets are made in C.
            if len(set(keys)) == len(keys):
                continue
            repeated = {key for key, count in Counter(keys).items() if count > 1}
            for key, row in zip(keys, rows, strict=True):
                if key in repeated:
                    is_tied[row] = True
        return is_tied


Chunks: TypeAlias = Partitions | Ties


def chunks_for(groups: Groups, size: int) -> Chunks:
    """Choose how rows with such keys go into chunks of `size` rows."""
    return Partitions(size) if len(groups.kinds) == 1 else Ties(size)


def chain_of(entries: Iterable[Entry], size: int) -> Iterator[Chunk]:
    """Make a chain of chunks of `size` rows: each but the first waits for the one before it."""
    waiting: list[Entry] = []
    length, is_chained = 0, False
    for entry in entries:
        if len(waiting) >= size or length >= MAX_CHUNK:
            yield Chunk(waiting, is_chained)
            waiting, length, is_chained = [], 0, True
        waiting.append(entry)
        length += len(entry[1])
    if waiting:
        yield Chunk(waiting, is_chained)


def _filled(keys: GroupKeys, numbers: Iterable[int]) -> Sequence[int]:
    """Return the rows' keys, a row's number in the place of none: it can be in any chunk."""
    if None not in keys:
        return cast("Sequence[int]", keys)
    return [number if key is None else key for key, number in zip(keys, numbers, strict=True)]
