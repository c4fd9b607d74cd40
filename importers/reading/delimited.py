"""Delimited text: where its delimiter is found and its lines become records."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING

from importers.reading.limits import MAX_CELL, MAX_RECORD
from importers.reading.record import FORMULA_STARTS, Batch, drop_guards
from importers.reading.refusal import BadRecordError, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.reading.record import Batches
    from importers.sdk.errors import FileRefusedError

DELIMITERS = (",", ";", "\t", "|")

_SEP_LINE = re.compile(r'"?sep=([^\r\n])"?[,;\t|]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_QUOTED = re.compile(r'(?<![^,;\t|\r\n])"(?:[^"]|"")*+(?:"|\Z)')
_LINE_END = re.compile(r"[\r\n]+")
_GUARD = re.compile(f"'[{re.escape(''.join(FORMULA_STARTS))}]")
_BLANK = " ,;\t|\r\n"
_HEADER_CHARACTERS = 64 * 1024


class DelimitedText:
    """The records of delimited text, numbered as a spreadsheet shows them.

    Every line counts, a blank one too; a record that spans lines counts as one, and Excel's `sep=;`
    line, which no spreadsheet shows, as none. Lines end in LF, CRLF or CR and at nothing else.

    Args:
        blocks: the text, in blocks of bounded size.
        is_whole: the text is all of a file; else only its beginning, whose last line is left alone.

    Raises:
        FileRefusedError: now or while iterating, for what no reading can mend.
    """

    def __init__(self, blocks: Iterator[str], *, is_whole: bool = True) -> None:
        self._blocks = blocks
        self._is_whole = is_whole
        self._row = 0
        self._has_guards = False
        lines = self._whole_lines()
        separator, start = _read_to_header(lines)
        self.delimiter = separator or find_delimiter(start)
        self._texts = chain([start], lines)

    def __iter__(self) -> Batches:
        csv.field_size_limit(MAX_CELL)
        try:
            for text in self._texts:
                yield from self._read(text)
        except csv.Error as error:
            if self._is_whole or not _is_unclosed(error):
                raise _bad_quoting(error, self._row + 1) from error
        except BadRecordError as error:
            raise error.at(self._row + 1) from error

    def _read(self, text: str) -> Batches:
        """Read a text at once, as nearly all can be: those that end where a record does."""
        try:
            # StringIO finds line ends as a file opened with newline="" does: str.splitlines would
            # split at form feeds and other characters that are part of a cell.
            rows = list(self._reader(io.StringIO(text, newline="")))
        except csv.Error:
            yield from self._read_on(text)
        else:
            self._row += len(rows)
            yield self._batch(rows)

    def _read_on(self, text: str) -> Batches:
        """Read record by record, as one goes on in the next text, or is at fault."""
        lines = _Lines(text, self._texts)
        texts = lines.texts
        rows: list[list[str]] = []
        try:
            for cells in self._reader(lines):
                self._row += 1
                rows.append(cells)
                if lines.is_at_end():
                    break
                if lines.texts > texts:
                    texts = lines.texts
                    yield self._batch(rows)
                    rows = []
        except (csv.Error, BadRecordError):
            yield self._batch(rows)
            raise
        yield self._batch(rows)

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def _batch(self, rows: list[list[str]]) -> Batch:
        """Number the rows that have been read last."""
        if self._has_guards:
            rows = [drop_guards(cells) for cells in rows]
        return Batch(range(self._row - len(rows) + 1, self._row + 1), rows)

    def _whole_lines(self) -> Iterator[str]:
        """Yield text that ends where a line does; refuse a record of over MAX_RECORD characters."""
        carry = ""
        row, size, spanned = 0, 0, 0
        try:
            for block in self._blocks:
                # No record ended since the last block came, so all of that one is in one record.
                spanned = spanned + size if row == self._row else 0
                row, size = self._row, len(block)
                if spanned > MAX_RECORD:
                    raise _too_long()
                text = carry + block
                end = _last_line_end(text)
                carry = text[end:]
                if end:
                    yield self._noted(text[:end])
        except BadRecordError:
            if carry.endswith("\r"):
                yield carry
            raise
        if carry and self._is_whole:
            yield self._noted(carry)

    def _noted(self, text: str) -> str:
        self._has_guards = self._has_guards or bool(_GUARD.search(text))
        return text


class _Lines:
    """The lines of a text, and of those after it where a record goes on in them."""

    def __init__(self, text: str, more: Iterator[str]) -> None:
        self._more = more
        self._open(text)
        self.texts = 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        while not (line := self._file.readline()):
            self._open(next(self._more))
            self.texts += 1
        return line

    def is_at_end(self) -> bool:
        """Tell whether all of the last text has been given out."""
        return self._file.tell() == self._size

    def _open(self, text: str) -> None:
        self._file = io.StringIO(text, newline="")
        self._size = len(text)


def find_delimiter(text: str) -> str:
    """Return the delimiter seen most often, out of quotes, in the first line with a name."""
    unquoted = _QUOTED.sub('"', text[:_HEADER_CHARACTERS])
    for line in _LINE_END.split(unquoted):
        if line.strip(_BLANK):
            return max(DELIMITERS, key=line.count)
    return DELIMITERS[0]


def _read_to_header(lines: Iterator[str]) -> tuple[str | None, str]:
    """Return the delimiter that a `sep=` line sets, and the text after it, with a name in it."""
    separator, start = None, ""
    try:
        while not start.strip(_BLANK) and len(start) < MAX_CELL:
            start += next(lines)
            sep_line = None if separator else _SEP_LINE.match(start)
            if sep_line:
                separator, start = _known_delimiter(sep_line[1]), start[sep_line.end() :]
    except StopIteration:
        pass
    except BadRecordError as error:
        blank_lines = len(io.StringIO(start, newline="").readlines())
        raise error.at(blank_lines + 1) from error
    return separator, start


def _known_delimiter(separator: str) -> str:
    if separator in DELIMITERS:
        return separator
    raise refusal(
        "BAD_DELIMITER",
        f"The file's first line says that cells are separated by '{separator}'. "
        "Save the file with commas, semicolons, tabs or | between the cells.",
        value=separator,
    )


def _last_line_end(text: str) -> int:
    # A CR at the end may be the first half of a CRLF that the next block completes.
    stop = len(text) - text.endswith("\r")
    return max(text.rfind("\n", 0, stop), text.rfind("\r", 0, stop)) + 1


def _too_long() -> BadRecordError:
    return BadRecordError(
        "ROW_TOO_LONG",
        f"Row {{row}} has more than {MAX_RECORD:,} characters. Either the file is not a table with "
        "one row per line, or a quote that opens in this row is never closed.",
    )


def _is_unclosed(error: csv.Error) -> bool:
    return "unexpected end of data" in str(error)


def _bad_quoting(error: csv.Error, row: int) -> FileRefusedError:
    if _is_unclosed(error):
        return refusal(
            "BAD_QUOTING",
            f"Row {row} opens a quote that is never closed, so all that follows would be one cell. "
            "Close the quote, or double it if it belongs to the cell's text.",
        )
    if "field limit" in str(error):
        return refusal(
            "CELL_TOO_LONG",
            f"Row {row} has a cell of more than {MAX_CELL:,} characters. Perhaps a quote that "
            "opens in it is never closed: close it, or double it if it belongs to the cell's text.",
        )
    return refusal(
        "BAD_QUOTING",
        f"Row {row} has text between a closing quote and the end of its cell. "
        "Put quotes round the whole cell, and double those that belong to its text.",
    )
