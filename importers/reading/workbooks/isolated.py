"""Reads a workbook in a child process, which may crash without harm to this one."""

from __future__ import annotations

import dataclasses
import fcntl
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from importers.reading.record import Batch
from importers.reading.refusal import damaged_workbook, refusal
from importers.sdk.errors import ErrorDetail, FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.limits import Limits
    from importers.reading.record import Batches

    Message = tuple[str, Any]

# -P and -s: the child imports nothing from its working folder or the user's site-packages.
_READER = ["-P", "-s", "-m", "importers.reading.workbooks.reader"]

# As much as Linux grants to any user.
_PIPE_BYTES = 1024 * 1024

# 3 is the reader's own exit status for a MemoryError. The signals are those that end a process
# that is out of memory in native code, or that the kernel's OOM killer chooses.
_TOO_BIG = (3, -signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS)


class IsolatedWorkbook:
    """The rows of the one visible sheet that has data, numbered as in the sheet.

    A crafted workbook can cost any amount of memory and time, and can abort the process that reads
    it. So a child process reads it within limits. It is killed when it has kept the caller waiting
    for too long, and when the iterator is closed or dropped; it ends when this process dies.

    Args:
        file: seekable; a real file is read in place through its descriptor, others are copied.

    Attributes:
        first_column: index of the column in which the table begins, once there is a row.
        warnings: what an admin may not expect; complete when all rows have been read.

    Raises:
        FileRefusedError: while iterating: the workbook can't be read, or it is not clear which of
            its sheets is meant.
    """

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
    arguments = [str(os.getpid()), filename, json.dumps(dataclasses.asdict(limits))]
    with tempfile.TemporaryFile() as copy:
        process = subprocess.Popen(
            [sys.executable, *_READER, *arguments],
            stdin=_real_file(file, copy),
            stdout=subprocess.PIPE,
            # The reader gets none of this process's environment, which holds the database's
            # password.
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        )
        _widen(process)
        try:
            for kind, content in _reader_messages(process, limits):
                if kind == "end":
                    return
                yield kind, content
                if kind == "refused":
                    return
            raise _crash_refusal(process.wait(), limits)
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Let the child read on while this process works on what it has read."""
    if sys.platform == "linux" and process.stdout:
        # Refused to a user who has many such pipes; the usual 64 KiB do as well, only slower.
        with suppress(OSError):
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _real_file(file: BinaryIO, copy: BinaryIO) -> BinaryIO:
    """Return the file if it has a descriptor, else its content in `copy`."""
    file.seek(0)
    try:
        file.fileno()
    except io.UnsupportedOperation:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        return copy
    return file


def _reader_messages(process: subprocess.Popen[bytes], limits: Limits) -> Iterator[Message]:
    """Yield the reader's messages, each a kind and its content.

    Raises:
        FileRefusedError: the waits for all messages together took more than `workbook_seconds`.
    """
    if process.stdout is None:
        return
    output = process.stdout.fileno()
    poll = select.poll()
    poll.register(output, select.POLLIN)
    patience = float(limits.workbook_seconds)
    line = bytearray()
    while True:
        started = time.monotonic()
        if not poll.poll(patience * 1000):
            raise _time_refusal(limits)
        patience = max(0.0, patience - (time.monotonic() - started))
        chunk = os.read(output, 1024 * 1024)
        if not chunk:
            return
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield orjson.loads(line + part)
            line.clear()
        line += rest


def _crash_refusal(status: int, limits: Limits) -> FileRefusedError:
    if status == -signal.SIGXCPU:
        return _time_refusal(limits)
    if status in _TOO_BIG:
        return refusal(
            "TOO_LARGE",
            "The workbook can't be read with the memory that there is for it ({limit:,} MiB). "
            "Save the sheet as CSV UTF-8.",
            limit=limits.workbook_memory // 1024**2,
        )
    return damaged_workbook()


def _time_refusal(limits: Limits) -> FileRefusedError:
    template = "The workbook takes more than {seconds} seconds to read."
    template += " Save the sheet as CSV UTF-8."
    return refusal("TOO_LARGE", template, seconds=limits.workbook_seconds)
