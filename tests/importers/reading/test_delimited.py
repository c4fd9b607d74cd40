"""Delimited text becomes numbered records, or is refused with the row at fault."""

from __future__ import annotations

import pytest

from importers.reading.limits import MAX_CELL, MAX_RECORD
from tests.importers.reading.csv_files import opened, refused

PERHAPS = (
    "Perhaps a quote that opens in it is never closed: close it, or double it if it belongs to "
    "the cell's text."
)
EITHER = (
    "Either the file is not a table with one row per line, or a quote that opens in this row is "
    "never closed."
)


@pytest.mark.parametrize(
    ("data", "delimiter", "header"),
    [
        pytest.param(b"a,b\n1,2\n", ",", ("a", "b"), id="comma"),
        pytest.param(b"a;b\n1,5;2,5\n", ";", ("a", "b"), id="semicolon, commas below"),
        pytest.param(b"a\tb\n1\t2\n", "\t", ("a", "b"), id="tab"),
        pytest.param(b"a|b\n1|2\n", "|", ("a", "b"), id="pipe"),
        pytest.param(b"a\n1\n", ",", ("a",), id="one column"),
        pytest.param(b'"a,,,";b\n1;2\n', ";", ("a,,,", "b"), id="commas in quotes"),
        pytest.param(b'"a,\n,""b""";c\n1;2\n', ";", ('a,\n,"b"', "c"), id="a name of two lines"),
        pytest.param(b"\n;;;\na;b\n1;2\n", ";", ("a", "b"), id="below blank lines"),
        pytest.param(b"sep=;\na;b,c,d\n1;2\n", ";", ("a", "b,c,d"), id="Excel's sep line"),
        pytest.param(b"SEP=|\r\na|b\n1|2\n", "|", ("a", "b"), id="in capitals"),
        pytest.param(b'"sep=;";\r\na;b\n1;2\n', ";", ("a", "b"), id="quoted and padded"),
        pytest.param(b"\xef\xbb\xbfsep=\t\r\na\tb\n1\t2\n", "\t", ("a", "b"), id="after a mark"),
        pytest.param(b"sep=\r\na,b\n1,2\n", ",", ("sep=",), id="a sep line that sets nothing"),
        pytest.param(b" a , b \n1,2\n", ",", ("a", "b"), id="names are trimmed"),
        pytest.param(b"a,,b,,\n1,,2,,\n", ",", ("a", "", "b"), id="empty names stay in the middle"),
    ],
)
def test_delimiter(data: bytes, delimiter: str, header: tuple[str, ...]) -> None:
    """The delimiter is the most frequent one in the header line, or the one of a sep line."""
    table = opened(data)

    assert table.delimiter == delimiter
    assert table.header == header


def test_a_sep_line_is_not_counted() -> None:
    """No spreadsheet shows the sep line, so the header is row 1 below it too."""
    assert list(opened(b"sep=;\r\na;b\r\n1;2\r\n").rows) == [(2, ["1", "2"])]


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        pytest.param(
            b"sep=^\na^b\n1^2\n",
            "BAD_DELIMITER",
            "The file's first line says that cells are separated by '^'. "
            "Save the file with commas, semicolons, tabs or | between the cells.",
            id="another delimiter",
        ),
        pytest.param(
            b'a,b\n1,2\n3,"4\n5,6\n7,8\n',
            "BAD_QUOTING",
            "Row 3 opens a quote that is never closed, so all that follows would be "
            "one cell. Close the quote, or double it if it belongs to the cell's text.",
            id="a quote never closed",
        ),
        pytest.param(
            b'a,b\n1,2\n3,"4"5\n',
            "BAD_QUOTING",
            "Row 3 has text between a closing quote and the end of its cell. "
            "Put quotes round the whole cell, and double those that belong to its text.",
            id="text after a quote",
        ),
        pytest.param(
            b'"a,b"\n"1,2"\n',
            "BAD_QUOTING",
            "Row 1 is a single cell that holds several names. If each line of the file is in one "
            "pair of quotes, take these quotes away, and halve those within; in a spreadsheet, "
            "split the column.",
            id="each line in quotes",
        ),
        *(
            pytest.param(
                b"a,b\n1,2\n3, " + cell + b"\n",
                "BAD_QUOTING",
                "Row 3 has a space between a delimiter and a quote, so the quote would belong to "
                "the cell's text. Remove the spaces before quotes.",
                id=f"a space before a quote {number}",
            )
            for number, cell in enumerate((b'"4"', b'"4, 5"', b' "4" 5', b'"4', b'""'))
        ),
        pytest.param(
            b'a,b\n1,2\n"' + b"x" * MAX_CELL + b'x",2\n',
            "CELL_TOO_LONG",
            "Row 3 has a cell of more than 1,048,576 characters. " + PERHAPS,
            id="a huge cell",
        ),
        pytest.param(
            b'a,b\n1,2\n"3,4\n' + b"1,2\n" * 1_000_000,
            "CELL_TOO_LONG",
            "Row 3 has a cell of more than 1,048,576 characters. " + PERHAPS,
            id="a quote never closed in a large file",
        ),
        pytest.param(
            b"a,b\n1,2\n" + b"1" * 6_000_000,
            "ROW_TOO_LONG",
            "Row 3 has more than 4,194,304 characters. " + EITHER,
            id="a line without an end",
        ),
        pytest.param(
            b"a,b\n" + b'"x\nx",' * 1_000_000,
            "ROW_TOO_LONG",
            "Row 2 has more than 4,194,304 characters. " + EITHER,
            id="a record over millions of lines",
        ),
    ],
)
def test_no_records(data: bytes, code: str, message: str) -> None:
    """Text that can't be parsed into rows is refused; the message has the row and advice."""
    error = refused(data)

    assert (error.code, error.message) == (code, message)


def test_quotes_behind_spaces_in_a_cell() -> None:
    """Spaces and quotes within quotes are a cell's text, and spaces alone do no harm."""
    data = b'a,b\n" ""1"", ""2""",3\n 4, 5\n"x, ""y"" z", 6" pipe\n'

    assert list(opened(data).rows) == [
        (2, [' "1", "2"', "3"]),
        (3, [" 4", " 5"]),
        (4, ['x, "y" z', ' 6" pipe']),
    ]


def test_a_cell_just_within_the_bound() -> None:
    """The reader accepts a cell of the greatest length; its column refuses it later."""
    cell = "x" * MAX_CELL

    assert list(opened(f"a,b\n{cell},2\n".encode()).rows) == [(2, [cell, "2"])]


def test_a_row_just_within_the_bound() -> None:
    """The reader accepts a row of nearly the greatest length, over many lines."""
    cell = "x\n" * (MAX_RECORD // 8 - 10)
    record = ",".join([f'"{cell}"'] * 4)

    assert list(opened(f"a,b\n1,2\n{record}\n3,4\n".encode()).rows) == [
        (2, ["1", "2"]),
        (3, [cell] * 4),
        (4, ["3", "4"]),
    ]
