"""The process that runs a plugin's reader on one file, and prints its rows.

Beside what `child.py` says, its lines are `["printed", line]`, and `["failed", {…}]` with the
last row that was read, what the reader did wrong, if that is known, and its traceback. It is
started as `python -m importers.reading.isolated.plugin_process DESCRIPTOR PARENT_PID FILENAME
LIMITS_AS_JSON`, where the descriptor is that of the pickled reader.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from importers.reading.isolated.child import (
    INPUT,
    batched,
    print_message,
    run_child,
    too_much_text,
)
from importers.reading.isolated.plugin_rows import WrongRowError, checked_rows
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.isolated.child import Message
    from importers.reading.limits import Limits
    from importers.reading.record import Record

# A reader that prints for each row would fill the log.
_MOST_LINES = 100
_LONGEST_LINE = 500
_MOST_TRACED = 8_000


def main() -> int:
    """Read the file on standard input with the reader; return the exit status."""
    # What native code of the plugin prints must not get between the lines for the parent.
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = sys.stderr = _Printed(output)
    return run_child(_read_input, output)


def _read_input(_: str, limits: Limits) -> Iterator[Message]:
    most, last = limits.max_unpacked_bytes, [0]
    try:
        with os.fdopen(int(sys.argv[1]), "rb") as pickled, Path(INPUT).open("rb") as file:
            reader = pickle.load(pickled)  # noqa: S301 - the parent has written it
            records = _noted(checked_rows(reader.rows(file), limits), last)
            yield from batched(records, most, too_much_text(most))
    except (FileRefusedError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        reason = str(error) if isinstance(error, WrongRowError) else None
        trace = traceback.format_exc()[-_MOST_TRACED:]
        yield "failed", {"row": last[0], "reason": reason, "trace": trace}


def _noted(records: Iterator[Record], last: list[int]) -> Iterator[Record]:
    """Pass rows on, and note the number of the last one."""
    for record in records:
        last[0] = record[0]
        yield record


class _Printed(io.TextIOBase):
    """A standard output that sends the first lines to the parent's log."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._left = _MOST_LINES
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, rest = f"{self._rest}{text}".split("\n")
        self._rest = rest[:_LONGEST_LINE]
        for line in filter(str.strip, lines[: self._left]):
            self._left -= 1
            shown = line[:_LONGEST_LINE].encode(errors="replace").decode()
            print_message(("printed", shown), self._output)
        return len(text)


if __name__ == "__main__":
    sys.exit(main())
