"""What a child process does that reads one file: its limits, and what it prints for its parent.

It prints one JSON array a line: `["rows", [[number, …], [cells, …]]]` as often as needed, others
in between, and `["end", null]`; or, at any time, `["refused", [error, …]]`, where an error is an
object of what `ErrorDetail` has. Its arguments end with `PARENT_PID FILENAME LIMITS_AS_JSON`, and
its standard input is the file.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import threading
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import orjson

from importers.reading.limits import MAX_CELL, MAX_RECORD, Limits
from importers.reading.refusal import refusal
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from importers.reading.record import Record

Message = tuple[str, Any]

INPUT = "/dev/fd/0"
OUT_OF_MEMORY = 3
"""Exit status when memory ran out and Python could still raise MemoryError."""

_BATCH_CHARACTERS = 256 * 1024
_BATCH_ROWS = 1000
_ROWS_AT_ONCE = 20
_PR_SET_PDEATHSIG = 1


def run_child(read: Callable[[str, Limits], Iterator[Message]], output: int = 1) -> int:
    """Read the file on standard input, print what there is to say of it, return the exit status.

    Args:
        read: yields the messages, given the file's name and its limits.
        output: the descriptor to print to.
    """
    parent, filename, bounds = sys.argv[-3:]
    limits = Limits(**json.loads(bounds))
    _end_with_parent(int(parent))
    limit_process(limits)
    try:
        for message in read(filename, limits):
            print_message(message, output)
        print_message(("end", None), output)
    except FileRefusedError as error:
        print_message(("refused", [each.as_dict() for each in error.errors]), output)
    except MemoryError:
        return OUT_OF_MEMORY
    except BrokenPipeError:
        return 1
    return 0


def _end_with_parent(parent: int) -> None:
    """End this process when its parent process ends, but not when only a thread of it does.

    The kernel sends SIGTERM when the *thread* that started this process ends. So a thread waits for
    the signal and looks whether the parent process is gone. The main thread can't do that, because
    it may be in native code for seconds.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == parent:
            signal.sigwait({signal.SIGTERM})
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def limit_process(limits: Limits) -> None:
    """Limit the memory and CPU time of this process, and forbid it to write files.

    The kernel sends SIGXCPU after `workbook_seconds` of CPU time and SIGKILL a second later.
    """
    seconds = limits.workbook_seconds
    resource.setrlimit(resource.RLIMIT_AS, (limits.workbook_memory, limits.workbook_memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def print_message(message: Message, output: int) -> None:
    """Print one line for the parent."""
    line = memoryview(orjson.dumps(message) + b"\n")
    while line:
        line = line[os.write(output, line) :]


def batched(
    records: Iterator[Record], most_characters: int, excess: FileRefusedError
) -> Iterator[Message]:
    """Yield the rows, as their numbers and their cells.

    Args:
        excess: raised when they have more characters. A long text may be stored once, and
            be the text of a million cells.

    Raises:
        FileRefusedError: for that, or for a cell or a row that is too long or has a NUL.
    """
    numbers: list[int] = []
    rows: list[list[str]] = []
    size = total = 0
    while few := list(islice(records, _ROWS_AT_ONCE)):
        few_numbers, few_rows = zip(*few, strict=True)
        numbers += few_numbers
        rows += few_rows
        size += sum(map(len, chain.from_iterable(few_rows)))
        if size > _BATCH_CHARACTERS or len(rows) >= _BATCH_ROWS:
            yield _batch(numbers, rows)
            total += size
            if total > most_characters:
                raise excess
            numbers, rows, size = [], [], 0
    if rows:
        yield _batch(numbers, rows)


def too_much_text(most_characters: int) -> FileRefusedError:
    """Refuse a file for the sum of its cells' texts."""
    return refusal(
        "TOO_LARGE",
        "The file's cells have more than {limit:,} characters together, the most that can be read. "
        "Split it into smaller files.",
        limit=most_characters,
    )


def _batch(numbers: list[int], rows: list[list[str]]) -> Message:
    text = "".join(chain.from_iterable(rows))
    # One look at all the text: hardly any file has such cells.
    if "\0" in text or len(text) > MAX_CELL:
        for number, cells in zip(numbers, rows, strict=True):
            _refuse_bad_text(number, "".join(cells), cells)
    return "rows", (numbers, rows)


def _refuse_bad_text(row: int, text: str, cells: list[str]) -> None:
    if "\0" in text:
        raise refusal(
            "NUL_BYTE",
            "Row {row} has a NUL character, which no text has. Clear that cell and type it again.",
            row=row,
        )
    if len(text) > MAX_CELL and max(map(len, cells)) > MAX_CELL:
        template = "Row {row} has a cell of more than {limit:,} characters."
        raise refusal("CELL_TOO_LONG", template, row=row, limit=MAX_CELL)
    if len(text) > MAX_RECORD:
        template = "Row {row} has more than {limit:,} characters."
        raise refusal("ROW_TOO_LONG", template, row=row, limit=MAX_RECORD)
