"""The beginning of a file: what an import will see of it, told before there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from importers.reading.choose_reader import choose_reader
from importers.reading.encoding_choices import encoding_choices
from importers.reading.format_reader import BEGINNING_BYTES
from importers.reading.table import open_head, open_table
from importers.sdk.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.format_reader import FormatReader
    from importers.reading.limits import Limits
    from importers.reading.record import Batch, Record
    from importers.reading.table import Table
    from importers.sdk.errors import ErrorDetail

HEAD_BYTES = BEGINNING_BYTES
"""Of a text no more is read, so a client need not send more."""

# Of a workbook, or a file of a plugin: as many as the process that reads it sends at once.
_MOST_ROWS = 1_000
_ROWS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is seen of a file.

    Args:
        table: what has been opened, and read; None when the file can't be read, or no header has
            come yet.
        encoding_choices: the encodings that the file may be in; none for what is no CSV text.
        rows: the first rows.
        rows_seen: how many rows have been read.
        is_whole: whether these are all of its rows.
        unreadable: why the file is not read at all.
        broken_off: why it is refused in one of the rows behind those that were read.
    """

    table: Table | None = None
    encoding_choices: Sequence[str] = ()
    rows: Sequence[Record] = ()
    rows_seen: int = 0
    is_whole: bool = False
    unreadable: Sequence[ErrorDetail] = ()
    broken_off: Sequence[ErrorDetail] = ()


def read_beginning(
    file: BinaryIO,
    *,
    filename: str,
    encoding: str | None,
    size: int,
    limits: Limits,
    readers: Sequence[FormatReader] = (),
) -> Beginning:
    """Read the first rows, by the code that reads an import's.

    Args:
        file: the whole file, or, of a text, `HEAD_BYTES` of it; less if the client sends less.
        encoding: the encoding that was declared, if any.
        size: how many bytes the whole file has.
        readers: those of plugins, which are asked first.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    is_whole = len(head) >= size
    try:
        is_text = not choose_reader(head, filename, readers).needs_all
    except FileRefusedError as error:
        return Beginning(is_whole=is_whole, unreadable=error.errors)
    choices = encoding_choices(head, is_whole=is_whole) if is_text else ()
    try:
        table = (
            open_head(head, filename=filename, encoding=encoding, limits=limits, is_whole=is_whole)
            if is_text
            else open_table(
                file, filename=filename, encoding=encoding, limits=limits, readers=readers
            )
        )
    except FileRefusedError as error:
        return Beginning(encoding_choices=choices, is_whole=is_whole, unreadable=error.errors)
    if table is None:
        return Beginning(encoding_choices=choices)
    rows = _FirstRows(table.batches, limits.max_rows if is_text else _MOST_ROWS)
    return Beginning(
        table=table,
        encoding_choices=choices,
        rows=rows.shown,
        rows_seen=rows.count,
        is_whole=rows.are_all and (is_whole or not is_text),
        broken_off=rows.errors,
    )


class _FirstRows:
    """The first rows of a table, and why there are no more if the file is refused for it."""

    def __init__(self, batches: Iterator[Batch], most: int) -> None:
        self.shown: list[Record] = []
        self.count = 0
        self.are_all = False
        self.errors: Sequence[ErrorDetail] = ()
        try:
            for batch in batches:
                self.shown += batch.part(0, _ROWS_SHOWN - len(self.shown)).records()
                self.count += len(batch.numbers)
                if self.count > most:
                    break
            else:
                self.are_all = True
        except FileRefusedError as error:
            self.errors = error.errors
