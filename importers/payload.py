"""How a chunk's rows are stored between the worker that cuts and the worker that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from importers.read import ReadRow

if TYPE_CHECKING:
    from collections.abc import Iterable


def pack_rows(rows: Iterable[ReadRow]) -> bytes:
    """Write rows as JSON: `[number, cells]`, and a third item for rows that are only context."""
    return orjson.dumps(
        [
            (row.number, row.cells, True) if row.is_context else (row.number, row.cells)
            for row in rows
        ]
    )


def unpack_rows(payload: bytes) -> list[ReadRow]:
    """Read what `pack_rows` has written."""
    return [ReadRow(*item) for item in orjson.loads(payload)]
