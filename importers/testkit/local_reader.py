"""A plugin's reader in the present process, by the same rules as in one of its own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from importers.reading.isolated.child import batched, too_much_text
from importers.reading.isolated.plugin_rows import checked_rows
from importers.reading.record import Batch

if TYPE_CHECKING:
    from importers.reading.format_reader import FileSource
    from importers.reading.record import Batches
    from importers.sdk.errors import ErrorDetail
    from importers.sdk.reader import Reader


class LocalReader:
    """A reader for tests, without guard and process: what fails does so in the test."""

    needs_all = True

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def takes(self, beginning: bytes, filename: str) -> bool:
        return self._reader.takes(beginning, filename)

    def refuse_early(self, head: bytes, filename: str) -> None:
        pass

    def open(self, source: FileSource) -> LocalRows:
        return LocalRows(self._reader, source)


class LocalRows:
    """The rows of a file, as `SourceRows`."""

    encoding = None
    delimiter = None
    has_guards = False
    first_column = 0

    def __init__(self, reader: Reader, source: FileSource) -> None:
        self.warnings: list[ErrorDetail] = []
        self._reader = reader
        self._source = source

    def __iter__(self) -> Batches:
        source = self._source
        source.file.seek(0)
        records = checked_rows(self._reader.rows(io.BytesIO(source.file.read())), source.limits)
        most = source.limits.max_unpacked_bytes
        for _, (numbers, cells) in batched(records, most, too_much_text(most)):
            yield Batch(numbers, cells)


def sample_of(file: str | bytes | Path, name: str) -> tuple[bytes, str]:
    """Return a file's bytes and its name; that of a path is its own."""
    if isinstance(file, Path):
        return file.read_bytes(), file.name
    return file.encode() if isinstance(file, str) else file, name
