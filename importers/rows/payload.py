"""How a chunk's rows are stored between the worker that cuts and the worker that runs.

A line of JSON with the rows' numbers, negative for rows that are only context, and then a line for
each row: its cells as JSON, which is also how the row's result keeps them.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import orjson

from importers.rows.cell_reader import ReadRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.split.row_spool import Entry

_AT_ONCE = 500


def pack(entries: Iterable[Entry]) -> bytes:
    """Write rows that waited in a spool."""
    numbers, texts, _ = zip(*entries, strict=True)
    return b"\n".join((orjson.dumps(numbers), *texts))


def texts_of(rows: Sequence[Sequence[str]]) -> list[bytes]:
    """Write the cells of each row as JSON.

    orjson's bytes keep two kilobytes of memory each, however short they are; a few at a time are
    joined, and parted into bytes of their own size.
    """
    texts: list[bytes] = []
    for first in range(0, len(rows), _AT_ONCE):
        few = map(orjson.dumps, rows[first : first + _AT_ONCE])
        texts += b"\n".join(few).split(b"\n")
    return texts


def unpack_rows(payload: bytes) -> list[ReadRow]:
    """Read what has been written, in the order of the file; context first where a row is both."""
    first, *texts = payload.split(b"\n")
    numbers = orjson.loads(first)
    cells = orjson.loads(b"[%b]" % b",".join(texts))
    rows = [
        ReadRow(abs(number), row, number < 0, text)
        for number, row, text in zip(numbers, cells, texts, strict=True)
    ]
    if min(numbers) < 0:
        rows.sort(key=lambda row: not row.is_context)
    rows.sort(key=attrgetter("number"))
    return rows
