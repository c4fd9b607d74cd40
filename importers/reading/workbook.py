"""An Excel workbook as records, read by a process of its own that may fail without harm."""

from __future__ import annotations

import dataclasses
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from importers.reading.record import Batch, drop_guards
from importers.reading.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.limits import Limits
    from importers.reading.record import Batches
    from importers.sdk.errors import FileRefusedError

_READER = ["-P", "-s", "-m", "importers.reading.workbook_reader"]

_TOO_SLOW = (-signal.SIGXCPU,)
# The reader's own status when it noticed; otherwise it was aborted, or killed by the kernel.
_TOO_BIG = (3, -signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS)


def read_workbook(file: BinaryIO, *, filename: str, limits: Limits) -> Batches:
    """Yield the rows of the one sheet that has data, numbered as in the sheet.

    A workbook can be made to cost any amount of memory and time, and to abort the process that
    reads it. So a process of its own reads it, within limits, and is killed when it has nothing to
    say for too long, when the iterator is closed or dropped, and when this process dies.

    Args:
        file: seekable; a real file is read in place, from its own descriptor.
        filename: as it was uploaded, for messages.
        limits: what the workbook may cost.

    Raises:
        FileRefusedError: the workbook can't be read, or several of its sheets have data.
    """
    with tempfile.TemporaryFile() as copy:
        process = _start(_on_disk(file, copy), filename, limits)
        try:
            for kind, content in _messages(process, limits):
                if kind == "refused":
                    raise refusal(*content)
                if kind == "end":
                    return
                yield Batch.of((row, drop_guards(cells)) for row, cells in content)
            raise _death(process.wait(), limits)
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _on_disk(file: BinaryIO, copy: BinaryIO) -> BinaryIO:
    file.seek(0)
    try:
        file.fileno()
    except io.UnsupportedOperation:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        return copy
    return file


def _start(file: BinaryIO, filename: str, limits: Limits) -> subprocess.Popen[bytes]:
    arguments = [str(os.getpid()), filename, json.dumps(dataclasses.asdict(limits))]
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, *_READER, *arguments],
        stdin=file,
        stdout=subprocess.PIPE,
        # Nothing that this process was given, such as a database's password, is for the reader.
        env={"PYTHONPATH": root},
    )


def _messages(process: subprocess.Popen[bytes], limits: Limits) -> Iterator[tuple[str, Any]]:
    """Yield what the reader says; raise FileRefusedError when waiting for it took too long."""
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
            raise _too_slow(limits)
        patience = max(0.0, patience - (time.monotonic() - started))
        chunk = os.read(output, 1024 * 1024)
        if not chunk:
            return
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield orjson.loads(line + part)
            line.clear()
        line += rest


def _death(status: int, limits: Limits) -> FileRefusedError:
    if status in _TOO_SLOW:
        return _too_slow(limits)
    if status in _TOO_BIG:
        return refusal(
            "TOO_LARGE",
            "The workbook can't be read with the memory that there is for it "
            f"({limits.workbook_memory // 1024**2:,} MiB). Save the sheet as CSV UTF-8.",
        )
    return refusal(
        "DAMAGED_WORKBOOK",
        "The workbook can't be read; it seems to be damaged. "
        "Open it in a spreadsheet program and save it again, or save it as CSV UTF-8.",
    )


def _too_slow(limits: Limits) -> FileRefusedError:
    return refusal(
        "TOO_LARGE",
        f"The workbook takes more than {limits.workbook_seconds} seconds to read. "
        "Save the sheet as CSV UTF-8.",
    )
