"""The reader of CSV text, which takes what no other reader takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.reading.delimited import DelimitedText
from importers.reading.encoding import decode_blocks, find_encoding
from importers.reading.sniff import (
    file_error,
    is_named_as_workbook,
    refuse_broken_workbook,
    refuse_foreign,
    refuse_markup,
)

if TYPE_CHECKING:
    from importers.reading.encoding import Encoding
    from importers.reading.format_reader import FileSource
    from importers.reading.record import Batches
    from importers.sdk.errors import ErrorDetail


class CsvReader:
    """The reader of CSV text."""

    needs_all = False

    def takes(self, beginning: bytes, filename: str) -> bool:
        return True

    def refuse_early(self, head: bytes, filename: str) -> None:
        refuse_foreign(head, filename)

    def open(self, source: FileSource) -> CsvRows:
        refuse_foreign(source.head, source.filename)
        refuse_broken_workbook(source.head, source.filename)
        encoding = find_encoding(source.head, source.encoding)
        refuse_markup(source.head, encoding, source.filename)
        return CsvRows(source, encoding)


class CsvRows:
    """The rows of CSV text, as `SourceRows`."""

    has_guards = True
    first_column = 0

    def __init__(self, source: FileSource, encoding: Encoding) -> None:
        blocks = decode_blocks(source.file, encoding, is_whole=source.is_whole)
        self._text = DelimitedText(blocks, is_whole=source.is_whole)
        self.encoding = encoding.label
        self.delimiter = self._text.delimiter
        self.warnings: list[ErrorDetail] = []
        if is_named_as_workbook(source.filename):
            template = "is no workbook, though its name says so; it was read as text."
            self.warnings.append(file_error("NOT_A_WORKBOOK", template, source.filename))

    def __iter__(self) -> Batches:
        return iter(self._text)
