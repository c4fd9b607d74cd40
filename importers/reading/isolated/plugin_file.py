"""A file that a plugin's reader reads, in a child process."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importers.reading.isolated.reading_process import ReadingProcess
from importers.reading.record import Batch
from importers.reading.refusal import refusal
from importers.sdk.errors import ErrorDetail, FileRefusedError

if TYPE_CHECKING:
    from importers.reading.format_reader import FileSource
    from importers.reading.limits import Limits
    from importers.reading.record import Batches

logger = logging.getLogger(__name__)

# -P and -B: nothing of the working folder is imported, and no bytecode is written.
_PROGRAM = ["-P", "-B", "-m", "importers.reading.isolated.plugin_process"]


class PluginFile:
    """The rows of a file, as `SourceRows`.

    Args:
        reader: a plugin's; it is copied into the process that calls its method `rows`.
        name: what `plugins.toml` calls it.

    Raises:
        FileRefusedError: while iterating, for any failure of the reader as well; the log says more.
    """

    encoding = None
    delimiter = None
    has_guards = False
    first_column = 0

    def __init__(self, reader: Any, name: str, source: FileSource) -> None:
        self.warnings: list[ErrorDetail] = []
        self._reader = reader
        self._name = name
        self._source = source

    def __iter__(self) -> Batches:
        source = self._source
        with tempfile.TemporaryFile() as pickled:
            pickle.dump(self._reader, pickled)
            pickled.flush()
            pickled.seek(0)
            child = _child(self._name, pickled.fileno(), source.limits)
            for kind, content in child.read(source.file, source.filename, source.limits):
                if kind == "rows":
                    numbers, cells = content
                    yield Batch(numbers, cells)
                elif kind == "refused":
                    raise FileRefusedError(ErrorDetail(**error) for error in content)
                elif kind == "failed":
                    raise self._failure(content)
                elif kind == "printed":
                    logger.warning("reader %r printed: %s", self._name, content)

    def _failure(self, content: dict[str, Any]) -> FileRefusedError:
        name, row = self._name, content["row"]
        logger.error("reader %r failed after row %d:\n%s", name, row, content["trace"])
        if content["reason"]:
            template = "The reader '{reader}' has a fault: {reason}."
            return refusal("READER_ERROR", template, reader=name, reason=content["reason"])
        template = "The reader '{reader}' failed on the file after row {row}; the log says why."
        return refusal("READER_ERROR", template, reader=name, row=row)


def reader_failure(name: str) -> FileRefusedError:
    """Refuse a file for a failure of a plugin's reader of which only the log says more."""
    template = "The reader '{reader}' failed on the file; the log says why."
    return refusal("READER_ERROR", template, reader=name)


def _child(name: str, pickled: int, limits: Limits) -> ReadingProcess:
    return ReadingProcess(
        program=[*_PROGRAM, str(pickled)],
        # Where the plugin was found, it is found again.
        path=os.pathsep.join(str(Path(each).absolute()) for each in sys.path),
        kept_open=[pickled],
        too_slow=refusal(
            "TOO_LARGE",
            "The reader '{reader}' takes more than {seconds} seconds to read the file. "
            "Split it into smaller files.",
            reader=name,
            seconds=limits.workbook_seconds,
        ),
        too_big=refusal(
            "TOO_LARGE",
            "The reader '{reader}' can't read the file with the memory that there is for it "
            "({limit:,} MiB). Split it into smaller files.",
            reader=name,
            limit=limits.workbook_memory // 1024**2,
        ),
        crashed=reader_failure(name),
    )
