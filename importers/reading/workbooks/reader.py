"""The process that reads one workbook and prints its rows, one JSON array a line.

Its lines are `["start", index of the first column]`, then `["rows", [[number, …], [cells, …]]]` as
often as needed, `["warnings", [error, …]]`, and `["end", null]`; or, at any time,
`["refused", [error, …]]`, where an error is an object of what `ErrorDetail` has. It is started as
`python -m importers.reading.workbooks.reader PARENT_PID FILENAME LIMITS_AS_JSON`, with the workbook
as its standard input.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import sys
import threading
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from importers.reading.limits import MAX_CELL, MAX_RECORD, Limits
from importers.reading.refusal import damaged_workbook, refusal
from importers.reading.sniff import seems_to_be, zip_kind
from importers.reading.workbooks.archive import DAMAGES, Archive
from importers.reading.workbooks.chosen_sheet import choose_sheet
from importers.reading.workbooks.ods_package import open_document_sheets
from importers.reading.workbooks.table_area import TableArea
from importers.reading.workbooks.xlsx_package import read_package
from importers.reading.workbooks.xlsx_sheet import XlsxSheet
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.record import Record
    from importers.reading.workbooks.chosen_sheet import ChosenSheet
    from importers.reading.workbooks.sheet import Sheet
    from importers.sdk.errors import ErrorDetail

Message = tuple[str, Any]

OUT_OF_MEMORY = 3
"""Exit status when memory ran out and Python could still raise MemoryError."""

_INPUT = "/dev/fd/0"
_BATCH_CHARACTERS = 256 * 1024
_BATCH_ROWS = 1000
_ROWS_AT_ONCE = 20
_ROWS_LOOKED_AT = 20
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Read the workbook on standard input; return the exit status."""
    parent, filename, bounds = sys.argv[1:]
    limits = Limits(**json.loads(bounds))
    _end_with_parent(int(parent))
    limit_process(limits)
    # A third of the time went into looking for cycles among millions of tuples, and there are none.
    gc.disable()
    try:
        for message in read_input(filename, limits):
            _print_message(message)
        _print_message(("end", None))
    except FileRefusedError as error:
        _print_message(("refused", [each.as_dict() for each in error.errors]))
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


def _print_message(message: Message) -> None:
    line = memoryview(orjson.dumps(message) + b"\n")
    while line:
        line = line[os.write(1, line) :]


def read_input(filename: str, limits: Limits) -> Iterator[Message]:
    """Yield what there is to say of the workbook on standard input.

    Raises:
        FileRefusedError: the workbook can't be read, or it is not clear which of its sheets is
            meant.
    """
    try:
        with Path(_INPUT).open("rb") as file:
            archive = Archive(file, filename, limits)
            sheet, warnings = choose_sheet(_sheets_of(archive, filename))
            yield from _table_messages(sheet, warnings, limits)
    except DAMAGES as error:
        reason = " ".join(str(error).split())[:100]
        raise damaged_workbook(reason) from error


def _sheets_of(archive: Archive, filename: str) -> Sequence[Sheet]:
    if package := read_package(archive):
        return [
            XlsxSheet(sheet.name, archive.blocks(sheet.part), package, is_hidden=sheet.is_hidden)
            for sheet in package.sheets
        ]
    sheets = open_document_sheets(archive, filename)
    if sheets is None:
        raise seems_to_be(zip_kind(archive.names()), filename)
    return sheets


def _table_messages(
    sheet: ChosenSheet | None, warnings: list[ErrorDetail], limits: Limits
) -> Iterator[Message]:
    if sheet is not None:
        below = list(islice(sheet.rows, _ROWS_LOOKED_AT))
        area = TableArea(sheet.first, below)
        yield "start", area.first_column
        header = sheet.first.number, area.header
        records = ((row.number, area.cells(row)) for row in chain(below, sheet.rows))
        yield from _batched(chain([header], records), limits.max_unpacked_bytes)
        if refused := area.unnamed_column() or area.conditional_formats(sheet.notes):
            raise refused
        warnings += area.warnings(sheet.notes)
    yield "warnings", [warning.as_dict() for warning in warnings]


def _batched(records: Iterator[Record], most_characters: int) -> Iterator[Message]:
    """Yield the rows that are not blank, as their numbers and their cells.

    Raises:
        FileRefusedError: they have more characters. A long text is stored once, and may be the text
            of a million cells.
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
                raise _too_much_text(most_characters)
            numbers, rows, size = [], [], 0
    if rows:
        yield _batch(numbers, rows)


def _too_much_text(most_characters: int) -> FileRefusedError:
    return refusal(
        "TOO_LARGE",
        "The sheet's cells have more than {limit:,} characters together, the most that can be "
        "read. Split the sheet.",
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


if __name__ == "__main__":
    sys.exit(main())
