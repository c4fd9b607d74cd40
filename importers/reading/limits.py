"""Upper bounds of a file, of everything in it that costs memory or time."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CELL = 1024 * 1024
"""Characters in a cell. A longer cell is nearly always a quote that was never closed."""

MAX_RECORD = 4 * MAX_CELL
"""Characters in a row. Text is read up to a row's end, so this also bounds the text in memory."""

MAX_CHUNK = 2 * MAX_RECORD
"""Characters in a chunk's rows, not counting its last row. A worker holds several chunks at once,
so rows of many characters make chunks of fewer rows."""

MOST_LOST = 1_000
"""Of a file's rows whose group can't be read, each chunk sees so many; one more says that there are
others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost. A file over any of these limits is refused, never cut short.

    Args:
        max_bytes: size of the file as it was uploaded.
        max_rows: data rows; the header and blank lines are not counted.
        atomic_rows: data rows of a file that is applied as a whole or not at all.
        max_blank_lines: lines without a value, which are skipped but take as long to read as rows.
        max_columns: names in the header, and cells in any row.
        max_unpacked_bytes: size of a workbook's parts once unpacked.
        workbook_memory: bytes of address space for the process that reads a workbook.
        workbook_seconds: CPU time of that process, and the time that its caller waits for it in
            total.
    """

    max_bytes: int = 512 * 1024 * 1024
    max_rows: int = 10_000_000
    atomic_rows: int = 1_000_000
    max_blank_lines: int = 10_000_000
    max_columns: int = 100
    max_unpacked_bytes: int = 2 * 1024 * 1024 * 1024
    workbook_memory: int = 2 * 1024 * 1024 * 1024
    workbook_seconds: int = 120
