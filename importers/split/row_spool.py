"""Spooling: rows wait in numbered places, in memory or, when they are many, in a file.

A file of ten million rows is split in constant memory: what exceeds `most_in_memory` is appended to
a temporary file in pieces, each with rows of one place, and is read back place by place.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from importers.rows.payload import Entry

_MOST_IN_MEMORY = 16 * 1024 * 1024
# What a row takes in memory beside its text: a tuple, two numbers, the head of the bytes.
_ENTRY_BYTES = 150
# A key and its row are numbers of eight bytes each.
_MOST_KEYS_IN_MEMORY = _MOST_IN_MEMORY // 16
# Keys wait in this many places; those of one place are held in memory at once.
_KEY_PLACES = 64


class _Piece(NamedTuple):
    """Some rows of one place, at an offset of the file.

    Their numbers and their keys, each an array of 64-bit integers, and their texts, separated by
    line feeds.
    """

    offset: int
    rows: int
    size: int  # bytes of the texts


class Keys(NamedTuple):
    """Keys and, at the same positions, the rows that have them."""

    keys: array[int]
    rows: array[int]


class Spool:
    """Rows in places, each of which keeps them in the order in which they came.

    Args:
        most_in_memory: bytes of rows that are held before they go into the file.
    """

    def __init__(self, most_in_memory: int = _MOST_IN_MEMORY) -> None:
        self._most_in_memory = most_in_memory
        self._size = 0
        self._held: defaultdict[int, list[Entry]] = defaultdict(list)
        self._pieces: defaultdict[int, list[_Piece]] = defaultdict(list)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it

    def close(self) -> None:
        self._file.close()

    def add(self, places: Iterable[int], entries: Collection[Entry]) -> None:
        held = self._held
        for place, entry in zip(places, entries, strict=True):
            held[place].append(entry)
        # A list inside `sum` is quicker here than a generator: this runs for every row of a file.
        self._size += sum([len(text) for _, text, _ in entries]) + _ENTRY_BYTES * len(entries)
        if self._size > self._most_in_memory:
            self._spill()

    def places(self) -> list[int]:
        return sorted(self._held.keys() | self._pieces.keys())

    def count(self, place: int) -> int:
        held = self._held.get(place, ())
        return len(held) + sum(piece.rows for piece in self._pieces.get(place, ()))

    def size(self, place: int) -> int:
        """Return the bytes of a place's texts."""
        held = sum(len(text) for _, text, _ in self._held.get(place, ()))
        return held + sum(piece.size for piece in self._pieces.get(place, ()))

    def read(self, place: int) -> Iterator[Sequence[Entry]]:
        for piece in self._pieces.get(place, ()):
            self._file.seek(piece.offset)
            numbers, keys = array("q"), array("q")
            numbers.fromfile(self._file, piece.rows)
            keys.fromfile(self._file, piece.rows)
            texts = self._file.read(piece.size).split(b"\n")
            self._file.seek(0, 2)  # where the next piece is appended
            yield list(zip(numbers, texts, keys, strict=True))
        if held := self._held.get(place):
            yield held

    def _spill(self) -> None:
        for place, entries in self._held.items():
            numbers, texts, keys = zip(*entries, strict=True)
            text = b"\n".join(texts)  # no text has a line feed: JSON escapes it
            self._pieces[place].append(_Piece(self._file.tell(), len(entries), len(text)))
            self._file.write(array("q", numbers).tobytes() + array("q", keys).tobytes() + text)
        self._held.clear()
        self._size = 0


class KeySpool:
    """Keys of rows, in places by their values: those that are equal can be read together."""

    def __init__(self) -> None:
        self._count = 0
        self._held = [_no_keys() for _ in range(_KEY_PLACES)]
        self._pieces: list[list[tuple[int, int]]] = [[] for _ in range(_KEY_PLACES)]
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it

    def close(self) -> None:
        self._file.close()

    def add(self, keys: Iterable[int | None], first: int) -> None:
        """Add the keys of rows; None where a row has none.

        Args:
            first: the number of the first row; the others follow.
        """
        # Equal keys get equal places, so that a place by itself shows which keys are repeated.
        # Bound methods, looked up once: the loop runs for every key of a file.
        places = [(held.keys.append, held.rows.append) for held in self._held]
        row = first - 1
        for row, key in enumerate(keys, first):
            if key is not None:
                add_key, add_row = places[key % _KEY_PLACES]
                add_key(key)
                add_row(row)
        self._count += row + 1 - first
        if self._count > _MOST_KEYS_IN_MEMORY:
            self._spill()

    def read(self) -> Iterator[Keys]:
        """Return the keys of each place with their rows; those of one place in memory at once."""
        for pieces, held in zip(self._pieces, self._held, strict=True):
            found = _no_keys()
            for offset, count in pieces:
                self._file.seek(offset)
                found.keys.fromfile(self._file, count)
                found.rows.fromfile(self._file, count)
            found.keys.extend(held.keys)
            found.rows.extend(held.rows)
            yield found

    def _spill(self) -> None:
        for place, held in enumerate(self._held):
            self._pieces[place].append((self._file.tell(), len(held.keys)))
            held.keys.tofile(self._file)
            held.rows.tofile(self._file)
            self._held[place] = _no_keys()
        self._count = 0


def _no_keys() -> Keys:
    return Keys(array("q"), array("q"))
