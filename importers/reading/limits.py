"""How large a file may be, in every respect that costs memory or time."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CELL = 1024 * 1024
"""Characters in a cell; a longer one is no cell but a quote that was never closed."""

MAX_RECORD = 4 * MAX_CELL
"""Characters in a row; what is read at once, and so held in memory, stays below this."""

MAX_CHUNK = 2 * MAX_RECORD
"""Characters of the rows of a chunk, but for the last row: a worker holds some chunks at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost; a file over any of these is refused, never cut short.

    Args:
        max_bytes: size of the file as it was uploaded.
        max_rows: data rows; the header and blank lines are not counted.
        max_blank_lines: lines without a value, which are skipped but take as long to read.
        max_columns: names in the header, and cells in any row.
        max_unpacked_bytes: size of a workbook's parts once unpacked.
        workbook_memory: bytes of address space for the process that reads a workbook.
        workbook_seconds: how long that process may compute, and be waited for.
    """

    max_bytes: int = 512 * 1024 * 1024
    max_rows: int = 10_000_000
    max_blank_lines: int = 10_000_000
    max_columns: int = 100
    max_unpacked_bytes: int = 2 * 1024 * 1024 * 1024
    workbook_memory: int = 2 * 1024 * 1024 * 1024
    workbook_seconds: int = 120
