"""How a chunk's rows are stored between the worker that splits a file and the one that runs them.

The payload is UTF-8, in lines that a line feed separates. The first line is a JSON array of the
rows' numbers, negative for rows that are only context; then comes a line for each row, in the same
order, a JSON array of its cells, all of them strings:

    [2,3,-7]
    ["trv-001","jack-001","","staff","0"]
    ["trv-002","jones-001","","staff","1"]
    ["trv-001","jones-001","","staff","0"]

JSON escapes line feeds, so no cell breaks a line. Results keep a row's cells as they are here.

Where a plan is carried out, a tab and what the plan says of the row follow its cells
(`models.plan.PLANNED_LINE`):

    ["trv-001","jack-001","","staff","0"]→[1, 7, 6, null, 3]
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import orjson

from importers.rows.cell_reader import ReadRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Entry: TypeAlias = "tuple[int, bytes, int]"
"""A row on its way into a chunk: its number, negative when it is only context for others; its line;
its group key. A plain tuple, as there are millions."""

_AT_ONCE = 500
# JSON escapes it within texts, and neither writer of JSON puts it between them.
_OF_PLAN = b"\t"


def pack(entries: Iterable[Entry]) -> bytes:
    """Write the payload of a chunk; the rows' group keys are not part of it."""
    numbers, texts, _ = zip(*entries, strict=True)
    return b"\n".join((orjson.dumps(numbers), *texts))


def texts_of(rows: Sequence[Sequence[str]]) -> list[bytes]:
    """Write the cells of each row as JSON."""
    # orjson's bytes keep two kilobytes of memory each, however short they are, and the texts of a
    # file wait in a spool: joined and split again, each takes no more than its own size.
    texts: list[bytes] = []
    for first in range(0, len(rows), _AT_ONCE):
        few = map(orjson.dumps, rows[first : first + _AT_ONCE])
        texts += b"\n".join(few).split(b"\n")
    return texts


def unpack_rows(payload: bytes) -> list[ReadRow]:
    """Read a payload, in the order of the file; context first where a row is both."""
    first, *texts = payload.split(b"\n")
    numbers = orjson.loads(first)
    plans = [b""] * len(texts)
    if _OF_PLAN in payload:
        texts, _, plans = map(list, zip(*[text.partition(_OF_PLAN) for text in texts], strict=True))
    # One array of arrays: a call of orjson for each row would take twice as long.
    cells = orjson.loads(b"[%b]" % b",".join(texts))
    rows = [
        ReadRow(abs(number), row, number < 0, text, plan)
        for number, row, text, plan in zip(numbers, cells, texts, plans, strict=True)
    ]
    # Sorting is stable: of two rows with one number, the context stays first.
    if min(numbers) < 0:
        rows.sort(key=lambda row: not row.is_context)
    rows.sort(key=attrgetter("number"))
    return rows
