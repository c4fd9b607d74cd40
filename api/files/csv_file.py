"""Writes a table as a CSV file, page by page."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

# Excel takes a CSV file for UTF-8 only if it begins so.
_BOM = "\ufeff"


async def csv_blocks(
    header: Sequence[str],
    pages: AsyncIterator[Iterable[Sequence[str]]],
    *,
    delimiter: str = ",",
) -> AsyncIterator[bytes]:
    """Write the header, then a block for each page of rows."""
    yield _BOM.encode() + _write_csv(delimiter, [header])
    async for page in pages:
        yield _write_csv(delimiter, page)


def _write_csv(delimiter: str, rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()
