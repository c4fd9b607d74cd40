"""Chunks of whole groups: rows that an importer takes together are never parted."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import orjson

from importers.reading.limits import MAX_CHUNK, MOST_LOST
from importers.sdk.errors import ErrorDetail, FileRefusedError, shorten
from importers.split.chunking import Chunk, chain_of
from importers.split.row_spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from importers.rows.payload import Entry
    from importers.split.grouping import GroupColumn, Groups

_PLACES = 1_024
# Where the order of groups matters, a place has so many of them, one after another.
_GROUPS_IN_PLACE = 256


class _Group(NamedTuple):
    """The rows of a group, in the order of the file."""

    entries: Sequence[Entry]
    size: int  # bytes of their texts


class WholeGroups:
    """Chunks of about `size` rows, each of which has all rows of some groups.

    Rows whose group can't be read have chunks of their own. They could mean any group, so every
    other chunk has them as context too.

    If rows have further keys, rows of several groups can be about the same thing: then all groups
    form one chain, in the order of their first rows.
    """

    def __init__(self, column: GroupColumn, size: int) -> None:
        self._column = column
        self._size = size
        self._spool = Spool()
        self._lost = Spool()
        self._places: dict[int, int] | None = None

    def add(self, numbers: Sequence[int], texts: Sequence[bytes], groups: Groups) -> None:
        """Add rows, in the order of the file.

        Args:
            numbers: negative for rows that are only context.
            texts: their cells as JSON.
        """
        if len(groups.kinds) > 1 and self._places is None:
            self._places = {}
        rows = list(zip(numbers, texts, groups.kinds[0], strict=True))
        known = [(number, text, key) for number, text, key in rows if key is not None]
        lost = [(number, text, 0) for number, text, key in rows if key is None]
        self._spool.add([self._place_of(key) for _, _, key in known], known)
        self._lost.add([0] * len(lost), lost)

    def _place_of(self, key: int) -> int:
        if self._places is None:
            return key % _PLACES
        return self._places.setdefault(key, len(self._places)) // _GROUPS_IN_PLACE

    def finish(self) -> Iterator[Chunk]:
        """Make the chunks.

        Raises:
            FileRefusedError: a group has more rows than a chunk may have.
        """
        for place in self._spool.places():
            self._refuse_too_large(place)
        own = (entry for entry in self._lost_rows() if entry[0] > 0)
        yield from (Chunk(chunk.entries) for chunk in chain_of(own, self._size))
        context = [
            (-abs(number), text, 0) for number, text, _ in islice(self._lost_rows(), MOST_LOST + 1)
        ]
        is_chained = False
        for entries in self._filled():
            yield Chunk([*context, *entries], is_chained)
            is_chained = self._places is not None

    def close(self) -> None:
        self._spool.close()
        self._lost.close()

    def _lost_rows(self) -> Iterable[Entry]:
        return chain.from_iterable(self._lost.read(0))

    def _filled(self) -> Iterator[list[Entry]]:
        """Put groups together to chunks."""
        waiting: list[Entry] = []
        size = 0
        for group in chain.from_iterable(map(self._groups, self._spool.places())):
            is_full = (
                len(waiting) + len(group.entries) > self._size or size + group.size > MAX_CHUNK
            )
            if waiting and is_full:
                yield waiting
                waiting, size = [], 0
            waiting += group.entries
            size += group.size
        if waiting:
            yield waiting

    def _groups(self, place: int) -> Iterator[_Group]:
        """Return the groups of a place that have rows to run, in the order of their first rows."""
        groups: dict[int, list[Entry]] = {}
        for entry in chain.from_iterable(self._spool.read(place)):
            groups.setdefault(entry[2], []).append(entry)
        for entries in groups.values():
            if any(number > 0 for number, _, _ in entries):
                yield _Group(entries, sum(len(text) for _, text, _ in entries))

    def _refuse_too_large(self, place: int) -> None:
        # Before they are held in memory: a file may have ten million rows of one group.
        if self._spool.count(place) <= self._size and self._spool.size(place) <= MAX_CHUNK:
            return
        rows, sizes = Counter[int](), Counter[int]()
        for entries in self._spool.read(place):
            rows.update([key for _, _, key in entries])
            for _, text, key in entries:
                sizes[key] += len(text)
        for entry in chain.from_iterable(self._spool.read(place)):
            if rows[entry[2]] > self._size or sizes[entry[2]] > MAX_CHUNK:
                raise FileRefusedError([self._too_large(entry, rows[entry[2]])])

    def _too_large(self, first: Entry, rows: int) -> ErrorDetail:
        key = shorten(str(orjson.loads(first[1])[self._column.position]).strip())
        is_long = rows <= self._size
        what = "rows with the {label} '{key}', of more than {limit:,} characters"
        if not is_long:
            what = "rows with the {label} '{key}', and {limit:,} are the most"
        return ErrorDetail.of(
            "GROUP_TOO_LARGE",
            "The file has {count:,} " + what + ": such rows are applied together. Nothing of the"
            " file was applied.",
            column=self._column.name,
            value=key,
            count=rows,
            label=self._column.label,
            key=key,
            limit=MAX_CHUNK if is_long else self._size,
        )
