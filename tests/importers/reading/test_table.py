"""A file becomes a header and numbered rows, or is refused with a reason and advice."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from importers.reading.limits import Limits
from importers.reading.table import Table, check_head, open_table
from importers.sdk.errors import ErrorDetail, FileRefusedError

if TYPE_CHECKING:
    from importers.reading.record import Record

LIMITS = Limits(max_bytes=64 * 1024 * 1024)
EMPTY = "The file is empty. Upload a file with a header row and at least one row below it."
NO_ROWS = "The file has a header row and nothing below it. Add at least one row."


def opened(
    data: bytes, encoding: str | None = None, filename: str = "roster.csv", limits: Limits = LIMITS
) -> Table:
    return open_table(io.BytesIO(data), filename=filename, encoding=encoding, limits=limits)


def rows(data: bytes, encoding: str | None = None) -> list[Record]:
    return list(opened(data, encoding).rows)


def refused(
    data: bytes,
    encoding: str | None = None,
    filename: str = "roster.csv",
    limits: Limits = LIMITS,
) -> ErrorDetail:
    with pytest.raises(FileRefusedError) as caught:
        list(opened(data, encoding, filename, limits).rows)
    (error,) = caught.value.errors
    return error


def test_a_plain_file() -> None:
    """The header is row 1, the first record row 2, and cells are unchanged."""
    table = opened(b"case_id,user_id\r\ntrv-001, jack-001 \r\ntrv-002,jill-001\r\n")

    assert table.encoding == "utf-8"
    assert table.delimiter == ","
    assert table.header == ("case_id", "user_id")
    assert list(table.rows) == [(2, ["trv-001", " jack-001 "]), (3, ["trv-002", "jill-001"])]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"a,b\n1,2", [(2, ["1", "2"])], id="no line end at the end"),
        pytest.param(b"a,b\r1,2\r3,4\r", [(2, ["1", "2"]), (3, ["3", "4"])], id="CR"),
        pytest.param(
            b"a,b\n1,2\r\n3,4\r5,6",
            [(2, ["1", "2"]), (3, ["3", "4"]), (4, ["5", "6"])],
            id="mixed line ends",
        ),
        pytest.param(
            b"a,b\n\n1,2\n \n,\n , \n3,4\n\n",
            [(3, ["1", "2"]), (7, ["3", "4"])],
            id="blank lines keep their number",
        ),
        pytest.param(b"\n,\na,b\n1,2\n", [(4, ["1", "2"])], id="blank lines above the header"),
        pytest.param(
            b'a,b\n"1\n\n1",2\n3,4\n',
            [(2, ["1\n\n1", "2"]), (3, ["3", "4"])],
            id="a record over three lines is one row",
        ),
        pytest.param(b'a,b\r\n"1\r\n1",2\r\n', [(2, ["1\r\n1", "2"])], id="line ends in quotes"),
        pytest.param(
            b'a,b\n"say ""hi"", now",5" pipe\n',
            [(2, ['say "hi", now', '5" pipe'])],
            id="quotes doubled, and inside a cell",
        ),
        pytest.param(
            b"a,b\n1\n1,2,3\n1,\n",
            [(2, ["1"]), (3, ["1", "2", "3"]), (4, ["1", ""])],
            id="too few and too many cells",
        ),
        pytest.param(
            b"a,b,,\n1,2,,\n3,4, ,\n5,6,\n7,8\n",
            [(2, ["1", "2"]), (3, ["3", "4"]), (4, ["5", "6"]), (5, ["7", "8"])],
            id="empty cells under empty names",
        ),
        pytest.param(
            b"a,b,,\n1,2,x,\n3,4,,,\n",
            [(2, ["1", "2", "x", ""]), (3, ["3", "4"])],
            id="not empty, and more than the names, under empty names",
        ),
        pytest.param(
            b"a,b\n1,2,\n3,4, ,,\n",
            [(2, ["1", "2"]), (3, ["3", "4"])],
            id="a delimiter at the end of rows",
        ),
        pytest.param(
            "a,b\n1\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029,2\n".encode(),
            [(2, ["1\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", "2"])],
            id="no other character ends a line",
        ),
        pytest.param(
            b"a,errors\n'=1,'+1\n'-1,'@1\n'x,''=1\n'\t1,it's\n\"'\r1\",'\n",
            [
                (2, ["=1", "+1"]),
                (3, ["-1", "@1"]),
                (4, ["'x", "'=1"]),
                (5, ["\t1", "it's"]),
                (6, ["\r1", "'"]),
            ],
            id="one guard is dropped in a download of failed rows",
        ),
        pytest.param(
            b"a, Errors\n\"'\t\",\n'=1,\n",
            [(3, ["=1", ""])],
            id="a row that is blank without its guards",
        ),
        pytest.param(
            b"a,errors_\n'=1,'+1\n",
            [(2, ["'=1", "'+1"])],
            id="no guard is dropped in any other file",
        ),
    ],
)
def test_rows(data: bytes, expected: list[Record]) -> None:
    """Rows have the numbers that a spreadsheet shows, and lose nothing that was in the file."""
    assert rows(data) == expected


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        pytest.param(b"", "EMPTY_FILE", EMPTY, id="nothing"),
        pytest.param(b"\xef\xbb\xbf\r\n  \n,,\n", "EMPTY_FILE", EMPTY, id="only blank lines"),
        pytest.param(b"sep=,\r\n", "EMPTY_FILE", EMPTY, id="only a sep line"),
        pytest.param(b"a,b\r\n,\r\n\r\n", "NO_ROWS", NO_ROWS, id="only a header"),
        pytest.param(b"a", "NO_ROWS", NO_ROWS, id="only a letter"),
        pytest.param(
            b"a," * 100 + b"a\n1,2\n",
            "TOO_MANY_COLUMNS",
            "Row 1 has 101 columns, and 100 are the most that a file may have. "
            "Remove those that are not needed.",
            id="too many names",
        ),
        pytest.param(
            b"a,b\n1,2\n" + b"1," * 100 + b"1\n",
            "TOO_MANY_COLUMNS",
            "Row 3 has 101 columns, and 100 are the most that a file may have. "
            "Remove those that are not needed.",
            id="too many cells",
        ),
    ],
)
def test_no_table(data: bytes, code: str, message: str) -> None:
    """A table has a header and a row, of no more columns than are allowed."""
    error = refused(data)

    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    ("limits", "code", "message"),
    [
        pytest.param(
            Limits(max_bytes=14),
            "TOO_LARGE",
            "The file has 15 bytes, and 14 are the most that can be imported at once. "
            "Split it into smaller files.",
            id="bytes",
        ),
        pytest.param(
            Limits(max_rows=1),
            "TOO_MANY_ROWS",
            "The file has more than 1 rows, the most that can be imported at once. "
            "Split it into smaller files.",
            id="rows",
        ),
        pytest.param(
            Limits(max_columns=1),
            "TOO_MANY_COLUMNS",
            "Row 1 has 2 columns, and 1 are the most that a file may have. "
            "Remove those that are not needed.",
            id="columns",
        ),
    ],
)
def test_over_a_limit(limits: Limits, code: str, message: str) -> None:
    """A file over a limit is refused, never cut short."""
    error = refused(b"a,b\n1,2\n\n,\n3,4\n", limits=limits)

    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\n\n\n\na,b\n1,2\n", id="above the header"),
        pytest.param(b"a,b\n\n1,2\n,\n\n \n", id="below it"),
    ],
)
def test_too_many_blank_lines(data: bytes) -> None:
    """Blank lines are not rows, but they take time to read, and so have a limit of their own."""
    error = refused(data, limits=Limits(max_blank_lines=3))

    assert (error.code, error.message) == (
        "TOO_MANY_ROWS",
        "The file has more than 3 blank lines. Remove them.",
    )


def test_just_within_every_limit() -> None:
    """Blank lines do not count as rows, nor empty names as columns."""
    limits = Limits(max_bytes=18, max_rows=2, max_columns=2)

    table = opened(b"a,b,\n1,2\n\n,\n3,4,\n", limits=limits)

    assert list(table.rows) == [(2, ["1", "2"]), (5, ["3", "4"])]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"trv-001,jack-001\r\n" * 300_000, id="rows"),
        pytest.param(b"\n" * 1_000_000, id="blank lines"),
        pytest.param(b"x" * 5_000_000, id="no line end"),
        pytest.param(b'"' + b"x\n" * 2_500_000, id="no closing quote"),
        pytest.param(b'"x\nx",' * 800_000, id="a record over many lines"),
        pytest.param(b"," * 5_000_000, id="cells without end"),
    ],
)
def test_memory_is_bounded(body: bytes) -> None:
    """No part of the reader holds the whole file in memory."""
    file = io.BytesIO(b"a,b\n" + body)
    tracemalloc.start()

    try:
        for _ in open_table(file, filename="a.csv", encoding=None, limits=LIMITS).rows:
            pass
    except FileRefusedError:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 64 * 1024 * 1024


CUT_ANYWHERE = 'case_id;user_id\r\ntrv-1;"José\r\n"\r\n;x\r\n'.encode()


@pytest.mark.parametrize("end", range(1, len(CUT_ANYWHERE)))
def test_check_head_of_a_good_file_cut_anywhere(end: int) -> None:
    """A good file's beginning is never refused; the header is known when its line is complete."""
    head = check_head(CUT_ANYWHERE[:end], filename="a.csv", encoding=None, limits=LIMITS)

    assert (head and head.header) == (None if end < 17 else ("case_id", "user_id"))


@pytest.mark.parametrize(
    ("head", "code"),
    [
        pytest.param(b"", "EMPTY_FILE", id="nothing"),
        pytest.param(b"%PDF-1.7", "NOT_A_TABLE", id="PDF"),
        pytest.param(b"PK\3\4" + b"\0" * 22 + b"\5\0\0\0a.csv", "NOT_A_TABLE", id="zip"),
        pytest.param(b"a\xe9b", "BAD_ENCODING", id="bad byte in the header"),
        pytest.param(b"a,b\n1,2\n1,\xe9 ", "BAD_ENCODING", id="bad byte in a row"),
        pytest.param(b"a,b\n1,\0", "NUL_BYTE", id="NUL"),
        pytest.param(b'a,b\n"1"1,2\n', "BAD_QUOTING", id="quotes"),
        pytest.param(b'"a,b"\n"1,2"\n', "BAD_QUOTING", id="lines in quotes"),
        pytest.param(b'a, "b"\n', "BAD_QUOTING", id="a space before a quote"),
        pytest.param(b"a," * 101 + b"a\n", "TOO_MANY_COLUMNS", id="columns"),
    ],
)
def test_check_head_refuses(head: bytes, code: str) -> None:
    """The first bytes are refused if they show that the whole file would be refused."""
    with pytest.raises(FileRefusedError) as caught:
        check_head(head, filename="a.csv", encoding=None, limits=LIMITS)

    assert [error.code for error in caught.value.errors] == [code]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        pytest.param(b"a,b\n", "NO_ROWS", id="only a header"),
        pytest.param(b"a,b", "NO_ROWS", id="only a header without a line end"),
        pytest.param(b" \n", "EMPTY_FILE", id="blank"),
        pytest.param(b'a,b\n"1', "BAD_QUOTING", id="open quote"),
        pytest.param(b"a\xc3", "BAD_ENCODING", id="half a letter"),
    ],
)
def test_check_head_of_a_whole_file(head: bytes, code: str) -> None:
    """If the first bytes are the whole file, missing rows and unclosed quotes are refused too."""
    with pytest.raises(FileRefusedError) as caught:
        check_head(head, filename="a.csv", encoding=None, limits=LIMITS, is_whole=True)

    assert [error.code for error in caught.value.errors] == [code]
    found = check_head(head, filename="a.csv", encoding=None, limits=LIMITS)
    assert (found and found.header) in {None, ("a", "b")}


def test_check_head_of_a_workbook() -> None:
    """A workbook's header is not in its first bytes."""
    head = b"PK\3\4" + b"\0" * 22 + b"\x0f\0\0\0xl/workbook.xml"

    assert check_head(head, filename="a.csv", encoding=None, limits=LIMITS) is None
