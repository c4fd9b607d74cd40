"""Which reader takes a file: one of a plugin, else Caseroll's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.reading.csv_reader import CsvReader
from importers.reading.format_reader import BEGINNING_BYTES
from importers.reading.workbooks.isolated import WorkbookReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.reading.format_reader import FormatReader

CSV = CsvReader()
_WORKBOOKS = WorkbookReader()


def choose_reader(head: bytes, filename: str, readers: Sequence[FormatReader] = ()) -> FormatReader:
    """Return the first reader that takes the file.

    Args:
        head: the file's first bytes: `BEGINNING_BYTES`, or more; fewer if it has no more.
        readers: those of plugins.

    Raises:
        FileRefusedError: a reader of a plugin can't say whether it takes the file.
    """
    beginning = head[:BEGINNING_BYTES]
    own: list[FormatReader] = [_WORKBOOKS, CSV]
    return next(reader for reader in [*readers, *own] if reader.takes(beginning, filename))
