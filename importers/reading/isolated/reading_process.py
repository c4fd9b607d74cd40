"""The child process that reads one file, as its parent sees it: started, heard, ended."""

from __future__ import annotations

import dataclasses
import fcntl
import io
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.limits import Limits
    from importers.sdk.errors import FileRefusedError

    Message = tuple[str, Any]

logger = logging.getLogger(__name__)

# As much as Linux grants to any user.
_PIPE_BYTES = 1024 * 1024

# 3 is the child's own exit status for a MemoryError. The signals are those that end a process that
# is out of memory in native code, or that the kernel's OOM killer chooses.
_TOO_BIG = (3, -signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadingProcess:
    """How a file is read in a process of its own, and what becomes of it if that fails.

    Args:
        program: arguments of the interpreter, before those that every child gets.
        path: what Python is to find modules in, as in `PYTHONPATH`.
        kept_open: descriptors that the child inherits.
        too_slow: the refusal of a file that takes too much time.
        too_big: of one that takes too much memory.
        crashed: of one that ends the child in another way.
    """

    program: Sequence[str]
    path: str
    kept_open: Sequence[int] = ()
    too_slow: FileRefusedError
    too_big: FileRefusedError
    crashed: FileRefusedError

    def read(self, file: BinaryIO, filename: str, limits: Limits) -> Iterator[Message]:
        """Yield the messages of a child process that reads the file, but for the last one.

        The child is killed when it has kept the caller waiting for too long, and when the iterator
        is closed or dropped; it ends when this process dies.

        Args:
            file: seekable; a real file is read in place through its descriptor, others are copied.

        Raises:
            FileRefusedError: the child has not read the file to its end.
        """
        with tempfile.TemporaryFile() as copy:
            process = self._start(_real_file(file, copy), filename, limits)
            try:
                for kind, content in self._messages(process, limits.workbook_seconds):
                    if kind == "end":
                        return
                    yield kind, content
                    if kind == "refused":
                        return
                raise self._refusal_of(process.wait())
            finally:
                # With all that it has started, which is in its group.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def _start(self, file: BinaryIO, filename: str, limits: Limits) -> subprocess.Popen[bytes]:
        arguments = [str(os.getpid()), filename, json.dumps(dataclasses.asdict(limits))]
        process = subprocess.Popen(
            [sys.executable, *self.program, *arguments],
            stdin=file,
            stdout=subprocess.PIPE,
            pass_fds=self.kept_open,
            # The child gets none of this process's environment, which holds the database's
            # password.
            env={"PYTHONPATH": self.path},
            start_new_session=True,
        )
        _widen(process)
        return process

    def _messages(self, process: subprocess.Popen[bytes], patience: float) -> Iterator[Message]:
        """Yield the child's messages, each a kind and its content.

        Args:
            patience: seconds that the waits for all messages together may take.
        """
        if process.stdout is None:
            return
        output = process.stdout.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        line = bytearray()
        while True:
            started = time.monotonic()
            if not poll.poll(patience * 1000):
                raise self.too_slow
            patience = max(0.0, patience - (time.monotonic() - started))
            chunk = os.read(output, 1024 * 1024)
            if not chunk:
                return
            *ended, rest = chunk.split(b"\n")
            for part in ended:
                yield self._message_of(line + part)
                line.clear()
            line += rest

    def _message_of(self, line: bytearray) -> Message:
        try:
            kind, content = orjson.loads(line)
        except ValueError:
            logger.warning("%s has printed %.200r", " ".join(self.program), line)
            raise self.crashed from None
        return kind, content

    def _refusal_of(self, status: int) -> FileRefusedError:
        logger.warning("%s has ended with status %d", " ".join(self.program), status)
        if status == -signal.SIGXCPU:
            return self.too_slow
        return self.too_big if status in _TOO_BIG else self.crashed


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
