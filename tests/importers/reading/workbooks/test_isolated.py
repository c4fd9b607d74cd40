"""A workbook becomes a table like any other file, or is refused without harm."""

from __future__ import annotations

import datetime
import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.styles import Font

from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.sdk.cell_note import CellNote, Holds, note_of, with_note
from importers.sdk.errors import FileRefusedError
from tests.fuzz.check_reading import CODES
from tests.importers.reading.workbooks.xlsx_files import opened, refused, saved, workbook

if TYPE_CHECKING:
    pass

SHEET = "xl/worksheets/sheet1.xml"
SAVE_AS_CSV = "Save the sheet as CSV UTF-8."
DAMAGED = "Open it in a spreadsheet program and save it again, or save it as CSV UTF-8."


def repacked(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """Return the workbook with the first `old` in one of its parts replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        assert part in source.namelist()
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == part:
                assert old in content
                content = content.replace(old, new, 1)
            target.writestr(entry.filename, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def test_a_plain_workbook() -> None:
    """A workbook has no encoding and no delimiter; its header is row 1."""
    table = opened(workbook())

    assert (table.encoding, table.delimiter) == (None, None)
    assert table.header == ("case_id", "user_id")
    assert list(table.rows) == [(2, ["trv-1", "jo-1"])]


def test_a_workbook_under_the_name_of_a_csv(tmp_path: Path) -> None:
    """A file is read by its content and not by its name; a file on disk is read in place."""
    path = tmp_path / "roster.csv"
    path.write_bytes(workbook())

    with path.open("rb") as file:
        table = open_table(file, filename=path.name, encoding="utf-8", limits=Limits())
        rows = list(table.rows)

    assert rows == [(2, ["trv-1", "jo-1"])]


def test_an_upload_without_a_name_on_disk() -> None:
    """A temporary file that was unlinked is read too."""
    with tempfile.TemporaryFile() as file:
        file.write(workbook())

        table = open_table(file, filename="roster.xlsx", encoding=None, limits=Limits())

        assert list(table.rows) == [(2, ["trv-1", "jo-1"])]


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        pytest.param(7, "000", "007", id="filled up"),
        pytest.param(1234, "000", "1234", id="longer than the format"),
        pytest.param(0, "00", "00", id="zero"),
        pytest.param("7", "000", "7", id="text"),
        pytest.param(7, "0", "7", id="no zeros before it"),
        pytest.param(7, "0.00", with_note("7.00", Holds.PARTED, "7"), id="decimals"),
    ],
)
def test_numbers_filled_up_with_zeros(value: object, number_format: str, shown: str) -> None:
    """A number whose format fills it up with zeros is read as it is shown: people mean an ID."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["case_id", "user_id"])
    sheet.append(["x", value])
    sheet["A1"].font = Font(bold=True)
    sheet["B2"].number_format = number_format

    assert list(opened(saved(book)).rows) == [(2, ["x", shown])]


def test_rows_have_the_numbers_of_the_sheet() -> None:
    """A used range that begins further down or to the right changes no row's number."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet["B3"], sheet["C3"] = " Case ID", "user_id"
    sheet["B5"], sheet["C5"] = "  trv-1", "'=jo"
    sheet["B6"] = " "
    sheet["B9"] = "trv-2"
    sheet["A1"].font = sheet["Z50"].font = Font(bold=True)

    table = opened(saved(book))

    assert table.header == ("Case ID", "user_id")
    assert list(table.rows) == [(5, ["  trv-1", "'=jo"]), (9, ["trv-2", ""])]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("007", "007", id="text of digits"),
        pytest.param("Zoë \U0001f600\n x", "Zoë \U0001f600\n x", id="any letters"),
        pytest.param(7, "7", id="integer"),
        pytest.param(-7.0, "-7", id="no .0"),
        pytest.param(1.5, with_note("1.5", Holds.PARTED, "1.5"), id="fraction"),
        pytest.param(123456789012345, "123456789012345", id="long integer"),
    ],
)
def test_values_shown_in_full(value: object, shown: str) -> None:
    """Cells read as a spreadsheet shows them."""
    assert list(opened(workbook([["a", "b"], ["x", value]])).rows) == [(2, ["x", shown])]


@pytest.mark.parametrize(
    ("value", "note"),
    [
        pytest.param(2**53 + 1, CellNote("9.0072E+15", Holds.NUMBER, "9007199254740992"),
                     id="longer than a workbook can hold"),
        pytest.param(1e22, CellNote("1E+22", Holds.NUMBER, f"1{'0' * 22}"), id="an exponent"),
        pytest.param(True, CellNote("TRUE", Holds.BOOLEAN, ""), id="true"),
        pytest.param(False, CellNote("FALSE", Holds.BOOLEAN, ""), id="false"),
        pytest.param(datetime.date(2024, 1, 5), CellNote("2024-01-05", Holds.DATE, "2024-01-05"),
                     id="date"),
        pytest.param(datetime.datetime(2024, 1, 5, 9, 30, 1),  # noqa: DTZ001
                     CellNote("2024-01-05 9:30:01", Holds.DATE, "2024-01-05T09:30:01"),
                     id="date and time"),
        pytest.param(datetime.time(9, 30), CellNote("9:30:00", Holds.TIME, "9:30:00"), id="time"),
        pytest.param(datetime.timedelta(hours=36, seconds=5),
                     CellNote("36:00:05", Holds.TIME, "36:00:05"), id="duration"),
        pytest.param("#N/A", CellNote("#N/A", Holds.ERROR, ""), id="error value"),
        pytest.param("#DIV/0!", CellNote("#DIV/0!", Holds.ERROR, ""), id="another error value"),
    ],
)  # fmt: skip
def test_values_that_hold_something_else(value: object, note: CellNote) -> None:
    """A note says what a cell holds, where the text that it shows does not."""
    ((_, (_, cell)),) = opened(workbook([["a", "b"], ["x", value]])).rows

    assert note_of(cell) == note


def test_an_error_value_of_a_formula() -> None:
    """An error value is not an empty cell, which might mean "leave it as it is"."""
    data = repacked(
        workbook([["a", "b"], ["x", 1]]),
        SHEET,
        b'<c r="B2" t="n"><v>1</v></c>',
        b'<c r="B2" s="0" t="e"><f>VLOOKUP(A2,C:D,2,0)</f><v>#N/A</v></c>',
    )

    ((_, (_, cell)),) = opened(data).rows
    assert note_of(cell) == CellNote("#N/A", Holds.ERROR, "")


def test_a_formula_that_was_never_computed() -> None:
    """Nor is a formula without a value, as programs write that can't compute."""
    data = workbook([["a", "b"], ["x", "=1+1"]])

    assert refused(data) == (
        "UNCOMPUTED_FORMULA",
        "B2 holds a formula that was never computed, so there is no value to read. "
        "Open the workbook in a spreadsheet program and save it.",
    )


def test_a_formula_that_gives_no_text() -> None:
    """A formula whose value is the empty text is an empty cell."""
    data = repacked(
        workbook([["a", "b"], ["x", 1]]),
        SHEET,
        b'<c r="B2" t="n"><v>1</v></c>',
        b'<c r="B2" t="str"><f>""</f><v></v></c>',
    )
    # openpyxl says of every workbook that its formulas are to be computed when it is opened.
    data = repacked(data, "xl/workbook.xml", b' fullCalcOnLoad="1"', b"")

    assert [cells[0] for _, cells in opened(data).rows] == ["x"]


def test_sheets_without_data() -> None:
    """Empty sheets and charts do not count, wherever the one with data is."""
    book = openpyxl.Workbook()
    blank: Any = book.active
    blank["B2"].font = Font(bold=True)
    book.create_chartsheet("Chart")
    book.create_sheet("Blank")["A1"] = " "
    sheet = book.create_sheet("Data")
    sheet.append(["a"])
    sheet.append([1])

    assert list(opened(saved(book)).rows) == [(2, ["1"])]


def test_several_sheets_with_data() -> None:
    """A workbook of which several visible sheets have a table is refused."""
    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    sheet: Any = book.create_sheet("Old & new")
    sheet["C9"], sheet["D9"] = "case_id", "user_id"

    assert refused(saved(book)) == (
        "SEVERAL_SHEETS",
        "Several sheets of the workbook have data: 'Sheet', 'Old & new'. "
        "Leave or unhide only the one to be imported, or save it as CSV UTF-8.",
    )


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        pytest.param([], "EMPTY_FILE", id="nothing"),
        pytest.param([["a", "b"]], "NO_ROWS", id="only a header"),
        pytest.param([["a"] * 101, ["b"]], "TOO_MANY_COLUMNS", id="too many names"),
        pytest.param([["a"], ["b"], [*["b"] * 101]], "TOO_MANY_COLUMNS", id="too many cells"),
        pytest.param([["a"], ["b"], ["c"], ["d"]], "TOO_MANY_ROWS", id="too many rows"),
    ],
)
def test_limits_are_those_of_any_file(rows: list[list[str]], code: str) -> None:
    """The limits of rows and columns hold for workbooks too."""
    assert refused(workbook(rows), Limits(max_rows=2))[0] == code


def test_cells_far_apart() -> None:
    """A few bytes that claim a sheet of 17 thousand million cells cost no more than other bytes."""
    data = repacked(
        workbook(),
        SHEET,
        b"</sheetData>",
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
    )
    table = opened(data, Limits(workbook_memory=256 * 1024**2))

    assert list(table.rows) == [(2, ["trv-1", "jo-1"])]
    assert [warning.message for warning in table.warnings] == [
        "XFD1048576 beside the table was not read."
    ]


def test_unpacked_size() -> None:
    """The unpacked size of an archive is checked before it is unpacked."""
    data = repacked(workbook(), SHEET, b"</sheetData>", b"</sheetData>" + b" " * 5_000_000)

    code, message = refused(data, Limits(max_unpacked_bytes=4_000_000))

    assert code == "TOO_LARGE"
    assert re.fullmatch(
        r"The workbook unpacks to 5,\d{3},\d{3} bytes in \d+ parts; 4,000,000 bytes in 10,000 "
        r"parts are the most that can be read\. Save the sheet as CSV UTF-8\.",
        message,
    )


def test_entities() -> None:
    """A document type, which alone can define entities that grow when they are read, is refused."""
    laughs = b'<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><worksheet'
    data = repacked(workbook(), SHEET, b"<worksheet", laughs)

    assert refused(data) == (
        "DAMAGED_WORKBOOK",
        "The workbook declares a document type, which no spreadsheet program writes and which can "
        "be used to do harm. Save the sheet as CSV UTF-8.",
    )


def test_a_nul_character() -> None:
    """The escape that stands for a NUL in a workbook's text is refused, as in any file."""
    data = repacked(
        workbook([["a"], ["x"]]),
        SHEET,
        b"<t>x</t>",
        b"<t>x_x0000_</t>",
    )

    assert refused(data) == (
        "NUL_BYTE",
        "Row 2 has a NUL character, which no text has. Clear that cell and type it again.",
    )


def test_a_huge_cell() -> None:
    """A cell that no spreadsheet program would write is refused with its row."""
    data = repacked(workbook([["a"], ["x"]]), SHEET, b"<t>x<", b"<t>" + b"x" * 1_048_577 + b"<")

    assert refused(data) == (
        "CELL_TOO_LONG",
        "Row 2 has a cell of more than 1,048,576 characters.",
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param(b"</sheetData>", b"</sheet", "", id="XML that does not close"),
        pytest.param(b"<sheetData>", b"<sheetData><row r='x'>", "", id="no number"),
    ],
)
def test_damaged_xml(old: bytes, new: bytes, reason: str) -> None:
    """A damaged part is refused with the parser's reason."""
    code, message = refused(repacked(workbook(), SHEET, old, new))

    assert code == "DAMAGED_WORKBOOK"
    assert message.startswith("The workbook can't be read; it seems to be damaged (" + reason)
    assert message.endswith(f"). {DAMAGED}")


@pytest.mark.parametrize("end", [30, 1000, -100])
def test_cut_short(end: int) -> None:
    """A workbook whose end is missing is refused."""
    assert refused(workbook()[:end]) == (
        "DAMAGED_WORKBOOK",
        "The workbook can't be read; it seems to be damaged (File is not a zip file). " + DAMAGED,
    )


@pytest.mark.parametrize("twentieth", range(20))
def test_a_damaged_byte(twentieth: int) -> None:
    """Whatever byte is damaged, the workbook is read as it was, or refused for a known reason."""
    data = bytearray(workbook())
    data[len(data) * twentieth // 20] ^= 0xFF

    found: object
    try:
        found = list(opened(bytes(data)).rows)
    except FileRefusedError as error:
        found = error.errors[0].code

    assert found in ([(2, ["trv-1", "jo-1"])], *CODES)


def test_a_password() -> None:
    """An archive with encrypted entries is refused for its password."""
    data = bytearray(workbook())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1

    assert refused(bytes(data)) == (
        "PASSWORD_PROTECTED",
        "The file 'roster.xlsx' is protected with a password. "
        "Save it without the password, or as CSV UTF-8.",
    )


def test_a_binary_workbook() -> None:
    """Excel's binary format begins like a workbook, and is recognised by its parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.bin", "x")

    assert refused(buffer.getvalue()) == (
        "NOT_A_TABLE",
        "The file 'roster.xlsx' seems to be a binary Excel workbook (.xlsb). "
        "Only CSV text and workbooks (.xlsx, .ods) can be imported.",
    )
