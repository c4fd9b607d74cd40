"""Delimited text: finds the delimiter and parses lines into records."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING

from importers.reading.limits import MAX_CELL, MAX_RECORD
from importers.reading.record import Batch
from importers.reading.refusal import BadRecordError, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.record import Batches
    from importers.sdk.errors import FileRefusedError

DELIMITERS = (",", ";", "\t", "|")

# Excel's `sep=;` line, which may be quoted and padded with delimiters like any other cell.
_SEP_LINE = re.compile(r'"?sep=([^\r\n])"?[,;\t|]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
# A quoted cell, perhaps unclosed. The possessive `*+` keeps it from backtracking, so that it takes
# linear time on any text.
_QUOTED = re.compile(r'(?<![^,;\t|\r\n])"(?:[^"]|"")*+(?:"|\Z)')
_LINE_END = re.compile(r"[\r\n]+")
# `trv-001, "jack-001"`: the quote would belong to the cell's text.
_SPACED_QUOTE = re.compile(r'[,;\t|] +"')
_UNCLOSED = "unexpected end of data"
_BLANK = " ,;\t|\r\n"
_HEADER_CHARACTERS = 64 * 1024


class DelimitedText:
    """The records of delimited text, in batches, numbered as a spreadsheet shows them.

    Each record takes one number, also if it is a blank line or spans several lines. Excel's `sep=;`
    line takes none, because no spreadsheet shows it. Lines end in LF, CRLF or CR and nothing else.

    The `csv` module parses all whole lines of a block in one call, which is twice as fast as
    iterating over records. A block whose last record goes on in the next block, or that has an
    error, is parsed a second time, record by record.

    Args:
        blocks: the text, in blocks of bounded size.
        is_whole: the text is the whole file; else only its beginning, whose last line may be cut
            and is ignored.

    Raises:
        FileRefusedError: by the constructor or while iterating.
    """

    def __init__(self, blocks: Iterator[str], *, is_whole: bool) -> None:
        self._blocks = blocks
        self._is_whole = is_whole
        self._row = 0
        lines = self._whole_lines()
        separator, start = _read_to_header(lines)
        self.delimiter = separator or find_delimiter(start)
        self._texts = chain([start], lines)

    def __iter__(self) -> Batches:
        csv.field_size_limit(MAX_CELL)
        try:
            for text in self._texts:
                yield from self._parse_lines(text)
        except csv.Error as error:
            if self._is_whole or _UNCLOSED not in str(error):
                raise _bad_quoting(error, self._row + 1) from error
        except BadRecordError as error:
            raise error.at(self._row + 1) from error

    def _parse_lines(self, text: str) -> Batches:
        """Parse whole lines in one call, which succeeds if the last line ends a record."""
        try:
            # StringIO splits lines as a file opened with newline="" does. str.splitlines would also
            # split at form feeds and other characters that belong to cells.
            lines = io.StringIO(text, newline="")
            rows = list(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            yield from self._parse_records(text)
        else:
            # Two letters are found ten times faster than a pattern.
            if ' "' in text and _SPACED_QUOTE.search(text):
                _refuse_spaced_quotes(text, self.delimiter, rows, self._row + 1)
            self._row += len(rows)
            yield self._numbered(rows)

    def _parse_records(self, text: str) -> Batches:
        """Parse record by record, since a record goes on in the next text or has an error.

        Parsing goes on into the next texts until one of them ends where a record does. Each text
        yields a batch, so that memory stays bounded.
        """
        lines = _Lines(text, self._texts)
        texts = lines.texts
        rows: list[list[str]] = []
        try:
            for cells in csv.reader(lines, delimiter=self.delimiter, strict=True):
                self._row += 1
                rows.append(cells)
                if lines.is_at_end():
                    break
                if lines.texts > texts:
                    texts = lines.texts
                    yield self._numbered(rows)
                    rows = []
        except (csv.Error, BadRecordError):
            # The rows before the error come first: the caller may count or show them.
            yield self._numbered(rows)
            raise
        yield self._numbered(rows)

    def _numbered(self, rows: list[list[str]]) -> Batch:
        """Make a batch of the rows parsed last; `self._row` is the number of the last one."""
        return Batch(range(self._row - len(rows) + 1, self._row + 1), rows)

    def _whole_lines(self) -> Iterator[str]:
        """Cut the blocks at the last line end of each, so that every text consists of whole lines.

        Raises:
            BadRecordError: a record has more than MAX_RECORD characters.
        """
        carry = ""
        row, size, spanned = 0, 0, 0
        try:
            for block in self._blocks:
                # If no record ended since the last block came, that whole block belongs to the
                # record that is being parsed. So this counts characters of one record, in blocks.
                spanned = spanned + size if row == self._row else 0
                row, size = self._row, len(block)
                if spanned > MAX_RECORD:
                    raise _too_long()
                text = carry + block
                # A CR at the end may be the first half of a CRLF whose LF begins the next block.
                stop = len(text) - text.endswith("\r")
                end = max(text.rfind("\n", 0, stop), text.rfind("\r", 0, stop)) + 1
                carry = text[end:]
                if end:
                    yield text[:end]
        except BadRecordError:
            # The CR was held back in case a LF followed. The error follows, so the CR ends a line.
            if carry.endswith("\r"):
                yield carry
            raise
        if carry and self._is_whole:
            yield carry


class _Lines:
    """The lines of a text and, as far as a parser asks for them, of the texts that follow.

    Args:
        text: ends where a line does.
        more: the texts that follow; a text is taken only when its first line is asked for.
    """

    def __init__(self, text: str, more: Iterator[str]) -> None:
        self._more = more
        self._begin_text(text)
        self.texts = 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        while not (line := self._file.readline()):
            self._begin_text(next(self._more))
            self.texts += 1
        return line

    def is_at_end(self) -> bool:
        """Tell whether the last line of the last text has been returned."""
        return self._file.tell() == self._size

    def _begin_text(self, text: str) -> None:
        self._file = io.StringIO(text, newline="")
        self._size = len(text)


def find_delimiter(text: str) -> str:
    """Return the delimiter that occurs most often outside quotes in the first non-blank line.

    Of the text, the beginning of a file, the first 65,536 characters count.
    """
    unquoted = _QUOTED.sub('"', text[:_HEADER_CHARACTERS])
    for line in _LINE_END.split(unquoted):
        if line.strip(_BLANK):
            return max(DELIMITERS, key=line.count)
    return DELIMITERS[0]


def _read_to_header(lines: Iterator[str]) -> tuple[str | None, str]:
    """Read texts up to one with a name of the header in it.

    Returns:
        The delimiter that a `sep=` line sets, or None; and the text after that line.
    """
    separator, start = None, ""
    try:
        while not start.strip(_BLANK) and len(start) < MAX_CELL:
            start += next(lines)
            sep_line = None if separator else _SEP_LINE.match(start)
            if sep_line:
                separator, start = sep_line[1], start[sep_line.end() :]
                if separator not in DELIMITERS:
                    raise refusal(
                        "BAD_DELIMITER",
                        "The file's first line says that cells are separated by '{separator}'. "
                        "Save the file with commas, semicolons, tabs or | between the cells.",
                        value=separator,
                        separator=separator,
                    )
    except StopIteration:
        pass
    except BadRecordError as error:
        blank_lines = len(io.StringIO(start, newline="").readlines())
        raise error.at(blank_lines + 1) from error
    return separator, start


def _refuse_spaced_quotes(text: str, delimiter: str, rows: list[list[str]], first: int) -> None:
    """Refuse a space between a delimiter and a quote that would quote a cell without the space.

    Args:
        rows: the text's records.
        first: the number of the first one.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    for row, cells in enumerate(rows, first):
        try:
            meant = next(reader, [])
        except csv.Error:
            meant = []
        if [cell.lstrip(" ") for cell in cells] != [cell.lstrip(" ") for cell in meant]:
            template = "Row {row} has a space between a delimiter and a quote, so the quote would"
            template += " belong to the cell's text. Remove the spaces before quotes."
            raise refusal("BAD_QUOTING", template, row=row)


def _too_long() -> BadRecordError:
    return BadRecordError(
        "ROW_TOO_LONG",
        "Row {row} has more than {limit:,} characters. Either the file is not a table with one row "
        "per line, or a quote that opens in this row is never closed.",
        limit=MAX_RECORD,
    )


def _bad_quoting(error: csv.Error, row: int) -> FileRefusedError:
    if "field limit" in str(error):
        template = "Row {row} has a cell of more than {limit:,} characters. Perhaps a quote that"
        template += " opens in it is never closed: close it, or double it if it belongs to the"
        template += " cell's text."
        return refusal("CELL_TOO_LONG", template, row=row, limit=MAX_CELL)
    if _UNCLOSED in str(error):
        template = "Row {row} opens a quote that is never closed, so all that follows would be one"
        template += " cell. Close the quote, or double it if it belongs to the cell's text."
    else:
        template = "Row {row} has text between a closing quote and the end of its cell. Put quotes"
        template += " round the whole cell, and double those that belong to its text."
    return refusal("BAD_QUOTING", template, row=row)
