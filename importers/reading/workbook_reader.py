"""The process that reads one Excel workbook and prints its rows, one JSON array a line.

Its lines are `["rows", [[number, cells], …]]`, as often as needed, then `["end", null]` or
`["refused", [code, message]]`. It is started as
`python -m importers.reading.workbook_reader PARENT_PID FILENAME LIMITS_AS_JSON`, with the workbook
as its standard input.
"""

from __future__ import annotations

import ctypes
import datetime
import json
import os
import resource
import signal
import sys
import threading
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

from importers.reading.limits import MAX_CELL, MAX_RECORD, Limits
from importers.reading.record import is_blank
from importers.reading.refusal import refusal
from importers.reading.workbook_archive import DAMAGES, examine
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.record import Record
    from importers.reading.workbook_archive import Position

OUT_OF_MEMORY = 3
"""Exit status when memory ran out and Python could still raise MemoryError."""

_INPUT = "/dev/fd/0"
_BATCH_CHARACTERS = 256 * 1024
_BATCH_ROWS = 1000
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Read the workbook on standard input; return the exit status."""
    parent, filename, bounds = sys.argv[1:]
    limits = Limits(**json.loads(bounds))
    _end_with_parent(int(parent))
    limit_process(limits)
    try:
        for batch in _batched(read_input(filename, limits)):
            _print_message("rows", batch)
        _print_message("end", None)
    except FileRefusedError as error:
        _print_message("refused", [error.errors[0].code, error.errors[0].message])
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


def _print_message(kind: str, content: object) -> None:
    line = memoryview(orjson.dumps([kind, content]) + b"\n")
    while line:
        line = line[os.write(1, line) :]


def read_input(filename: str, limits: Limits) -> Iterator[Record]:
    """Yield the records of the workbook on standard input.

    Raises:
        FileRefusedError: the workbook can't be read, or several of its sheets have data.
    """
    try:
        with Path(_INPUT).open("rb") as file:
            texts = examine(file, filename, limits)
        with CalamineWorkbook.from_path(_INPUT) as book:
            yield from _only_sheet(book, texts)
    except PasswordError as error:
        raise refusal(
            "PASSWORD_PROTECTED",
            "The workbook is protected with a password. "
            "Save it without the password, or as CSV UTF-8.",
        ) from error
    except (CalamineError, *DAMAGES) as error:
        reason = " ".join(str(error).split())[:100]
        in_brackets = f" ({reason})" if reason else ""
        raise refusal(
            "DAMAGED_WORKBOOK",
            f"The workbook can't be read; it seems to be damaged{in_brackets}. "
            "Open it in a spreadsheet program and save it again, or save it as CSV UTF-8.",
        ) from error


def _only_sheet(book: CalamineWorkbook, texts: dict[str, dict[Position, str]]) -> Iterator[Record]:
    """Return the rows of the one sheet with data, hidden or not; no rows if no sheet has data."""
    found: dict[str, Iterator[Record]] = {}
    for sheet in book.sheets_metadata:
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        rows = _sheet_rows(book, sheet.name, texts.get(sheet.name, {}))
        first = next(rows, None)
        if first:
            # Of a second sheet only the name is kept, for the refusal, and not its cells.
            found[sheet.name] = iter(()) if found else chain([first], rows)
    if len(found) > 1:
        names = ", ".join(f"'{name}'" for name in found)
        raise refusal(
            "SEVERAL_SHEETS",
            f"Several sheets of the workbook have data: {names}. Hidden ones count too. "
            "Leave the one to be imported, or save it as CSV UTF-8.",
        )
    return chain.from_iterable(found.values())


def _sheet_rows(book: CalamineWorkbook, name: str, texts: dict[Position, str]) -> Iterator[Record]:
    """Yield the rows that are not blank, with the numbers that the sheet shows.

    Args:
        texts: cells by (row, column), both from 1, that show another text than the reader returns.
    """
    sheet = book.get_sheet_by_name(name)
    leftmost = sheet.start[1] + 1 if sheet.start else 1
    rows_with_texts = {row for row, _ in texts}
    for row, values in enumerate(sheet.iter_rows(), 1):
        cells = [value if type(value) is str else _cell_text(value) for value in values]
        if row in rows_with_texts:
            for column in range(leftmost, leftmost + len(cells)):
                if (row, column) in texts:
                    cells[column - leftmost] = texts[row, column]
        if not is_blank(cells):
            _refuse_bad_text(row, "".join(cells), cells)
            yield row, cells


def _cell_text(value: Any) -> str:
    """Return a value that is no text as a spreadsheet shows it, without its number format."""
    if value is True or value is False:
        return str(value).upper()
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        # Spreadsheets show 15 significant digits: 0.1 + 0.2 is 0.3 there.
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        # Cells hold dates as fractions of days, which are off by microseconds.
        rounded = value + datetime.timedelta(microseconds=500_000)
        return rounded.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


def _refuse_bad_text(row: int, text: str, cells: list[str]) -> None:
    if "\0" in text:
        raise refusal(
            "NUL_BYTE",
            f"Row {row} has a NUL character, which no text has. Clear that cell and type it again.",
        )
    if len(text) > MAX_CELL and max(map(len, cells)) > MAX_CELL:
        raise refusal(
            "CELL_TOO_LONG", f"Row {row} has a cell of more than {MAX_CELL:,} characters."
        )
    if len(text) > MAX_RECORD:
        raise refusal("ROW_TOO_LONG", f"Row {row} has more than {MAX_RECORD:,} characters.")


def _batched(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += sum(map(len, record[1]))
        if size > _BATCH_CHARACTERS or len(batch) == _BATCH_ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


if __name__ == "__main__":
    sys.exit(main())
