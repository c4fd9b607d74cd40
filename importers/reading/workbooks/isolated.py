"""Reads a workbook in a child process, which may crash without harm to this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from importers.reading.isolated.reading_process import ReadingProcess
from importers.reading.record import Batch
from importers.reading.refusal import damaged_workbook, refusal
from importers.reading.sniff import is_workbook, refuse_foreign
from importers.sdk.errors import ErrorDetail, FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.format_reader import FileSource
    from importers.reading.isolated.reading_process import Message
    from importers.reading.limits import Limits
    from importers.reading.record import Batches

# -P and -s: the child imports nothing from its working folder or the user's site-packages.
_READER = ["-P", "-s", "-m", "importers.reading.workbooks.reader"]


class WorkbookReader:
    """The reader of workbooks (.xlsx, .ods)."""

    needs_all = True

    def takes(self, beginning: bytes, filename: str) -> bool:
        return is_workbook(beginning)

    def refuse_early(self, head: bytes, filename: str) -> None:
        refuse_foreign(head, filename)

    def open(self, source: FileSource) -> IsolatedWorkbook:
        refuse_foreign(source.head, source.filename)
        return IsolatedWorkbook(source.file, filename=source.filename, limits=source.limits)


class IsolatedWorkbook:
    """The rows of the one visible sheet that has data, numbered as in the sheet.

    A crafted workbook can cost any amount of memory and time, and can abort the process that reads
    it. So a child process reads it within limits.

    Raises:
        FileRefusedError: while iterating: the workbook can't be read, or it is not clear which of
            its sheets is meant.
    """

    encoding = None
    delimiter = None
    has_guards = True

    def __init__(self, file: BinaryIO, *, filename: str, limits: Limits) -> None:
        self.first_column = 0
        self.warnings: list[ErrorDetail] = []
        self._file = file
        self._filename = filename
        self._limits = limits

    def __iter__(self) -> Batches:
        for kind, content in _read_isolated(self._file, self._filename, self._limits):
            if kind == "refused":
                raise FileRefusedError(ErrorDetail(**error) for error in content)
            if kind == "start":
                self.first_column = content
            elif kind == "warnings":
                self.warnings += [ErrorDetail(**error) for error in content]
            elif kind == "rows":
                numbers, cells = content
                yield Batch(numbers, cells)


def _read_isolated(file: BinaryIO, filename: str, limits: Limits) -> Iterator[Message]:
    """Yield the messages of a child process, which may crash."""
    child = ReadingProcess(
        program=_READER,
        path=str(Path(__file__).resolve().parents[3]),
        too_slow=_time_refusal(limits),
        too_big=_memory_refusal(limits),
        crashed=damaged_workbook(),
    )
    return child.read(file, filename, limits)


def _memory_refusal(limits: Limits) -> FileRefusedError:
    return refusal(
        "TOO_LARGE",
        "The workbook can't be read with the memory that there is for it ({limit:,} MiB). "
        "Save the sheet as CSV UTF-8.",
        limit=limits.workbook_memory // 1024**2,
    )


def _time_refusal(limits: Limits) -> FileRefusedError:
    template = "The workbook takes more than {seconds} seconds to read."
    template += " Save the sheet as CSV UTF-8."
    return refusal("TOO_LARGE", template, seconds=limits.workbook_seconds)
