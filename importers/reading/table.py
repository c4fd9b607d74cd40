"""Opens a file as a table: its header, and its rows in batches."""

from __future__ import annotations

import io
import os
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from importers.reading.choose_reader import CSV, choose_reader
from importers.reading.delimited import DELIMITERS
from importers.reading.encoding import is_cut_mark
from importers.reading.format_reader import FileSource
from importers.reading.record import Batch, is_blank
from importers.reading.refusal import refusal, too_many_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.format_reader import FormatReader, SourceRows
    from importers.reading.limits import Limits
    from importers.reading.record import Batches, Record
    from importers.sdk.errors import ErrorDetail, FileRefusedError

_HEAD_BYTES = 1024 * 1024
_ROWS_BELOW = 20
# The column that a download of failed rows adds.
_ERRORS = "errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An open file.

    Args:
        encoding: `utf-8`, `utf-8-bom`, `utf-16-le`, `windows-1252` …; None for a workbook.
        delimiter: `,`, `;`, tab or `|`; None for a workbook.
        header: the names as the file has them, trimmed, without empty names at the end.
        header_row: its number.
        batches: the rows that are not blank, with the numbers that a spreadsheet shows; no batch
            is empty. Cells are not trimmed, and a row may have more or fewer cells than the header
            has names. Iterate once, while the file is open; any step may raise FileRefusedError.
        below: the first rows below the header, in case it is not the header.
        first_column: index of the header's first column in its sheet.
        warnings: what an admin may not expect; complete when all batches have been read.
    """

    encoding: str | None
    delimiter: str | None
    header: tuple[str, ...]
    header_row: int
    batches: Iterator[Batch]
    below: Sequence[Record] = ()
    first_column: int = 0
    warnings: list[ErrorDetail] = field(default_factory=list)

    @property
    def rows(self) -> Iterator[Record]:
        return chain.from_iterable(batch.records() for batch in self.batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeaderRow:
    """The header's number and names, how many cells its row has, and the rest of its batch."""

    number: int
    names: tuple[str, ...]
    width: int
    below: Batch

    @property
    def is_of_download(self) -> bool:
        """Whether the file is a download of failed rows, whose cells have guards."""
        return _ERRORS in map(str.lower, self.names)


def open_table(
    file: BinaryIO,
    *,
    filename: str,
    encoding: str | None,
    limits: Limits,
    readers: Sequence[FormatReader] = (),
) -> Table:
    """Open an uploaded file by its content, whatever its name.

    A workbook under a `.csv` name is read as a workbook, and CSV text under an `.xlsx` name as CSV.
    Memory does not grow with the number of rows.

    Args:
        file: seekable; the caller closes it.
        filename: as it was uploaded, for messages.
        encoding: the encoding that was declared, if any; a byte order mark in the file wins.
        readers: those of plugins, which are asked first.

    Raises:
        FileRefusedError: the file can't be read as a table with at least one row.
    """
    size = file.seek(0, os.SEEK_END)
    if size > limits.max_bytes:
        raise refusal(
            "TOO_LARGE",
            "The file has {size:,} bytes, and {limit:,} are the most that can be imported at once. "
            "Split it into smaller files.",
            size=size,
            limit=limits.max_bytes,
        )
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    source = FileSource(file=file, head=head, filename=filename, encoding=encoding, limits=limits)
    return read_table(choose_reader(head, filename, readers).open(source), limits)


def read_table(rows: SourceRows, limits: Limits) -> Table:
    """Read the header and the first rows of a whole file.

    Raises:
        FileRefusedError: as `open_table` does.
    """
    return _whole(_begin_table(rows, limits))


def check_head(
    head: bytes,
    *,
    filename: str,
    encoding: str | None,
    limits: Limits,
    is_whole: bool = False,
    readers: Sequence[FormatReader] = (),
) -> Table | None:
    """Refuse a file for what its first bytes show, while the rest may still be on its way.

    Args:
        head: the first bytes, cut anywhere, at most 1 MiB: all of them are parsed.
        encoding: the encoding that was declared, if any.
        is_whole: these bytes are the whole file, so a file without rows is refused as well.
        readers: those of plugins, which are asked first.

    Returns:
        None for a file whose header is not to be found in its first bytes, such as a workbook, and
        when the header's line is not complete. The table's rows have been read.

    Raises:
        FileRefusedError: `open_table`, or iterating over its batches, would raise it too.
    """
    reader = choose_reader(head, filename, readers)
    if reader.needs_all:
        reader.refuse_early(head, filename)
        return None
    table = open_head(head, filename=filename, encoding=encoding, limits=limits, is_whole=is_whole)
    for _ in table.batches if table else ():
        pass
    return table


def open_head(
    head: bytes, *, filename: str, encoding: str | None, limits: Limits, is_whole: bool
) -> Table | None:
    """Open the first bytes of a text, as `check_head` takes them; a cut last row is left out.

    Returns:
        None when the header's line is not complete.

    Raises:
        FileRefusedError: `open_table` would raise it too, or iterating over the first batch.
    """
    if not is_whole and head and is_cut_mark(head):
        return None
    source = FileSource(
        file=io.BytesIO(head),
        head=head,
        filename=filename,
        encoding=encoding,
        limits=limits,
        is_whole=is_whole,
    )
    table = _begin_table(CSV.open(source), limits)
    return _whole(table) if is_whole or not head else table


def _begin_table(rows: SourceRows, limits: Limits) -> Table | None:
    """Read the header and the first rows, as far as they are there; None without a header."""
    batches = iter(rows)
    header = _read_header(batches, limits)
    if header is None:
        return None
    has_guards = rows.has_guards and header.is_of_download
    data = _data_batches(batches, header, limits, has_guards=has_guards)
    first = next(data, None)
    return Table(
        encoding=rows.encoding,
        delimiter=rows.delimiter,
        header=header.names,
        header_row=header.number,
        batches=chain([first] if first else [], data),
        below=_first_records(first) if first else (),
        first_column=rows.first_column,
        warnings=rows.warnings,
    )


def _whole(table: Table | None) -> Table:
    """Return the table of a whole file, which has a header and a row.

    Raises:
        FileRefusedError: it has not.
    """
    if table is None:
        raise _empty_file()
    if not table.below:
        raise _no_rows()
    return table


def _first_records(batch: Batch) -> Sequence[Record]:
    return list(batch.part(0, _ROWS_BELOW).records())


def _read_header(batches: Batches, limits: Limits) -> _HeaderRow | None:
    """Take the first row that is not blank as the header; return None if every row is blank."""
    for batch in batches:
        for index, (row, cells) in enumerate(batch.records(), 1):
            if is_blank(cells):
                _check_blank_lines(row, limits)
                continue
            names = [cell.strip() for cell in cells]
            while not names[-1]:
                names.pop()
            if len(names) > limits.max_columns:
                batches.close()
                raise too_many_columns(row, len(names), limits)
            if _is_in_quotes(batch.cells[index - 1 : index + 1]):
                batches.close()
                raise _one_cell(row)
            below = batch.part(index, len(batch.numbers))
            return _HeaderRow(number=row, names=tuple(names), width=len(cells), below=below)
    return None


def _data_batches(
    batches: Batches, header: _HeaderRow, limits: Limits, *, has_guards: bool
) -> Batches:
    """Yield the rows below the header, without blank rows, padding and guards of formulas."""
    count = blank = 0
    # A caller that keeps a refusal keeps this frame alive with its traceback. Closing the batches
    # here ends the process that reads a workbook at once.
    with closing(batches):
        for read_batch in chain([header.below], batches):
            batch = data = read_batch.without_guards() if has_guards else read_batch
            if not _is_regular(batch.cells, len(header.names)):
                data = Batch.of(_data_rows(batch, header, limits))
            count += len(data.numbers)
            blank += len(batch.numbers) - len(data.numbers)
            _check_blank_lines(blank, limits)
            if count > limits.max_rows:
                raise refusal(
                    "TOO_MANY_ROWS",
                    "The file has more than {limit:,} rows, the most that can be imported at once. "
                    "Split it into smaller files.",
                    limit=limits.max_rows,
                )
            if data.numbers:
                yield data


def _is_regular(rows: Sequence[list[str]], width: int) -> bool:
    """Tell whether every row has `width` cells and a value in its first cell.

    Nearly every batch is regular and needs no look at its single rows. These two passes run in C.
    """
    return {*map(len, rows)} == {width} and all(map(str.strip, [cells[0] for cells in rows]))


def _data_rows(batch: Batch, header: _HeaderRow, limits: Limits) -> Iterator[Record]:
    width = len(header.names)
    for row, read_cells in batch.records():
        cells = read_cells
        if len(cells) > width:
            # Blank cells beyond the header's last name are padding.
            if is_blank(cells[width:]):
                cells = cells[:width]
            elif len(cells) > limits.max_columns:
                raise too_many_columns(row, len(cells), limits)
        if cells and (cells[0].strip() or not is_blank(cells)):
            yield row, cells


def _check_blank_lines(count: int, limits: Limits) -> None:
    if count > limits.max_blank_lines:
        template = "The file has more than {limit:,} blank lines. Remove them."
        raise refusal("TOO_MANY_ROWS", template, limit=limits.max_blank_lines)


def _is_in_quotes(rows: Sequence[list[str]]) -> bool:
    """Tell whether the header and the row below it are one cell each that looks like several."""
    return len(rows) == 2 and all(
        len(cells) == 1 and any(map(cells[0].__contains__, DELIMITERS)) for cells in rows
    )


def _one_cell(row: int) -> FileRefusedError:
    return refusal(
        "BAD_QUOTING",
        "Row {row} is a single cell that holds several names. If each line of the file is in one "
        "pair of quotes, take these quotes away, and halve those within; in a spreadsheet, split "
        "the column.",
        row=row,
    )


def _empty_file() -> FileRefusedError:
    message = "The file is empty. Upload a file with a header row and at least one row below it."
    return refusal("EMPTY_FILE", message)


def _no_rows() -> FileRefusedError:
    message = "The file has a header row and nothing below it. Add at least one row."
    return refusal("NO_ROWS", message)
