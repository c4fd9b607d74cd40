"""The rules that every reading of a file must keep."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from importers.reading import encoding
from importers.reading.limits import Limits
from importers.reading.table import check_head, open_table
from importers.reading.workbooks import isolated, reader
from importers.sdk.errors import ErrorDetail, FileRefusedError
from tests.fuzz.random_file import RandomFile
from tests.fuzz.reference_csv import MalformedError, records

CODES = frozenset(
    [
        "BAD_DELIMITER",
        "BAD_ENCODING",
        "BAD_QUOTING",
        "CELL_TOO_LONG",
        "COVERED_CELL",
        "DAMAGED_WORKBOOK",
        "EMPTY_FILE",
        "NO_ROWS",
        "NOT_A_TABLE",
        "NUL_BYTE",
        "PASSWORD_PROTECTED",
        "ROW_TOO_LONG",
        "SEVERAL_SHEETS",
        "TOO_LARGE",
        "TOO_MANY_COLUMNS",
        "TOO_MANY_ROWS",
        "UNCOMPUTED_FORMULA",
        "UNKNOWN_ENCODING",
        "UNNAMED_COLUMN",
    ]
)
LIMITS = Limits(max_rows=1_000, max_columns=20, max_blank_lines=1_000)
_MESSAGE = re.compile(r"[A-Z].{15,500}\.", re.DOTALL)
# Words for programmers, and paths of the server.
_INTERNAL = re.compile(
    r"\w(?:Error|Exception)\b|Traceback|<class|object at 0x|/(?:dev|tmp|proc|home|usr)/|importers\."
)
_GUARDED = re.compile("'+[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]")

Rows = list[tuple[int, list[str]]]


def check_reading(file: RandomFile, *, head_bytes: int, is_isolated: bool = False) -> str | None:
    """Read a file, and check the result.

    Args:
        head_bytes: how many bytes `check_head` gets.
        is_isolated: read workbooks as Caseroll does, in a process of their own; it takes a hundred
            times as long.

    Returns:
        The code of the refusal; None for a file that was read.

    Raises:
        AssertionError: the reading was wrong.
    """
    with _blocks(file.block), workbooks_here(is_isolated=is_isolated):
        try:
            found = open_table(
                io.BytesIO(file.content),
                filename="roster.csv",
                encoding=file.declared,
                limits=LIMITS,
            )
            rows = list(found.rows)
        except FileRefusedError as error:
            _check_refusal(file, error.errors)
            return error.errors[0].code
        # The index of an archive may be right where the names before its entries are damaged.
        if file.kind != "damaged workbook":
            _check_head(file, head_bytes)
    if file.table is not None:
        assert found.header == tuple(file.table[0])
        assert _comparable(file, [cells for _, cells in rows]) == _comparable(
            file, _wanted(file.table)
        )
    if found.delimiter and found.encoding:
        assert rows == _independent(file, found.delimiter, len(found.header))
    assert all(_is_storable(cell) for _, cells in rows for cell in cells)
    return None


def _check_refusal(file: RandomFile, errors: tuple[ErrorDetail, ...]) -> None:
    assert file.table is None, f"a good file was refused: {errors[0]}"
    for error in errors:
        assert error.code in CODES, error
        assert _MESSAGE.fullmatch(error.message), error
        assert not _INTERNAL.search(error.message), error
        assert _is_storable(error.message), error


def _check_head(file: RandomFile, head_bytes: int) -> None:
    """Check that a file that can be read whole is not refused for its beginning.

    A quote that goes on after the first line is left out: its end may change the delimiter.
    """
    text = "" if file.content.startswith(b"PK") else _decoded(file)
    if re.match(r"[\r\n]*[^\r\n]*", text)[0].count('"') % 2:
        return
    check_head(
        file.content[:head_bytes],
        filename="roster.csv",
        encoding=file.declared,
        limits=LIMITS,
        is_whole=head_bytes >= len(file.content),
    )


def _comparable(file: RandomFile, rows: list[list[str]]) -> list[list[str]]:
    """Strip cells where the program that wrote the file does not keep blanks."""
    if file.kind == "openpyxl":
        return [[cell.strip() for cell in cells] for cells in rows]
    return rows


def _wanted(rows: list[list[str]]) -> list[list[str]]:
    header, *body = rows
    unguarded = [_unguarded(cells, header) for cells in body]
    return [cells for cells in unguarded if "".join(cells).strip()]


def _unguarded(cells: list[str], header: list[str]) -> list[str]:
    if "errors" not in [name.strip().lower() for name in header]:
        return cells
    return [cell[1:] if _GUARDED.match(cell) else cell for cell in cells]


def _independent(file: RandomFile, delimiter: str, width: int) -> Rows:
    """Read the file's text with the second reader."""
    text = re.sub(
        r'\A"?sep=[^\r\n]("?)[,;\t|]*(?:\r\n|\r|\n|\Z)', "", _decoded(file), count=1, flags=re.I
    )
    try:
        every = records(text, delimiter)
    except MalformedError as error:
        raise AssertionError("a malformed file was read") from error
    numbered = enumerate(every, 1)
    _, names = next((number, cells) for number, cells in numbered if "".join(cells).strip())
    unguarded = [(number, _unguarded(cells, names)) for number, cells in numbered]
    body = [(number, cells) for number, cells in unguarded if "".join(cells).strip()]
    return [
        (number, cells if "".join(cells[width:]).strip() else cells[:width])
        for number, cells in body
    ]


def _decoded(file: RandomFile) -> str:
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"),
                        (b"\xfe\xff", "utf-16-be")):  # fmt: skip
        if file.content.startswith(mark):
            return file.content[len(mark) :].decode(codec)
    return file.content.decode(file.declared or "utf-8")


def _is_storable(text: str) -> bool:
    """Tell whether PostgreSQL can hold the text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


@contextmanager
def _blocks(size: int) -> Iterator[None]:
    before, encoding.BLOCK_BYTES = encoding.BLOCK_BYTES, size
    try:
        yield
    finally:
        encoding.BLOCK_BYTES = before


@contextmanager
def workbooks_here(*, is_isolated: bool = False) -> Iterator[None]:
    """Read workbooks in this process, unless they are to be read as Caseroll does."""
    if is_isolated:
        yield
        return
    before, isolated._read_isolated = isolated._read_isolated, _read_here
    try:
        yield
    finally:
        isolated._read_isolated = before


def _read_here(file: io.BytesIO, filename: str, limits: Limits) -> Iterator[tuple[str, object]]:
    """Read a workbook in this process, without the process of its own that Caseroll uses."""
    with tempfile.NamedTemporaryFile(dir=_shared_memory()) as copy:
        copy.write(file.getbuffer())
        copy.flush()
        before, reader.INPUT = reader.INPUT, copy.name
        try:
            yield from reader.read_input(filename, limits)
        finally:
            reader.INPUT = before


def _shared_memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
