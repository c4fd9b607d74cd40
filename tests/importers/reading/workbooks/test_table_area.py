"""A table may begin anywhere in its sheet, and have something beside it."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from importers.reading.table import Table
from tests.fuzz.xlsx_writer import pack
from tests.importers.reading.workbooks.spellings import opened, parts, refusal_of, styles


def workbook(**values: Any) -> bytes:
    """Make a workbook of one sheet with these cells."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for address, value in values.items():
        sheet[address] = value
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def warnings(table: Table) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in table.warnings]


def test_a_table_that_begins_at_c4() -> None:
    """Rows keep the numbers of the sheet, and the table its columns."""
    table = opened(workbook(C4="case_id", D4="user_id", C5="trv-1", D5="jo-1", D7="jo-2"))

    assert (table.header, table.first_column) == (("case_id", "user_id"), 2)
    assert list(table.rows) == [(5, ["trv-1", "jo-1"]), (7, ["", "jo-2"])]
    assert table.warnings == []


def test_notes_beside_the_table() -> None:
    """They are not read, with a warning, if an empty cell is between them and the table."""
    cells = {"C1": "a", "D1": "b", "C2": "1", "D2": "2", "F2": "a note", "A3": "another", "C4": "3"}
    table = opened(workbook(**cells, F9="a third"))

    assert list(table.rows) == [(2, ["1", "2"]), (4, ["3", ""])]
    assert warnings(table) == [
        ("BESIDE_TABLE", "F2 and 2 more cells beside the table were not read.")
    ]


def test_a_cell_beyond_the_header() -> None:
    """It may belong to its row, which fails for it."""
    table = opened(workbook(A1="a", B1="b", A2="1", B2="2", C2="3", D2="4", F2="5"))

    assert list(table.rows) == [(2, ["1", "2", "3", "4"])]
    assert warnings(table) == [("BESIDE_TABLE", "F2 beside the table was not read.")]


def test_a_column_without_a_name_before_the_table() -> None:
    """Whether it belongs to the table is not known."""
    assert refusal_of(workbook(B1="a", C1="b", B2="1", A3="7", B3="2")) == (
        "UNNAMED_COLUMN",
        "Column A has no name, and A3 has a value. Name the column in the header row, or remove "
        "it.",
    )


@pytest.mark.parametrize("title", ["A1", "B1", "C1", "D1"])
def test_a_title_above_the_table(title: str) -> None:
    """Wherever the title is, the rows below it are those of the table."""
    cells = {title: "Roster", "B3": "case_id", "C3": "user_id", "B4": "trv-1", "C4": "jo-1"}
    table = opened(workbook(**cells))

    assert [[cell for cell in cells if cell] for _, cells in table.below] == [
        ["case_id", "user_id"],
        ["trv-1", "jo-1"],
    ]


@pytest.mark.parametrize(
    ("rule", "cells", "is_refused"),
    [
        pytest.param(1, "A2:A5", True, id="in the table"),
        pytest.param(1, "F9 B2", True, id="two areas"),
        pytest.param(0, "A2:A5", False, id="a colour"),
        pytest.param(1, "D1:D5", False, id="beside the table"),
    ],
)
def test_number_formats_of_conditions(rule: int, cells: str, is_refused: bool) -> None:
    """It is not certain which of two formats a cell has, so it may show another ID."""
    formats = '<dxfs><dxf><font/></dxf><dxf><numFmt numFmtId="1" formatCode="00"/></dxf></dxfs>'
    condition = f'<conditionalFormatting sqref="{cells}"><cfRule dxfId="{rule}"/>'
    data = pack(
        parts(
            '<row r="2"><c r="A2"><v>7</v></c></row>',
            styles=styles().replace("</styleSheet>", f"{formats}</styleSheet>"),
            after=f"{condition}</conditionalFormatting>",
        )
    )

    if is_refused:
        assert refusal_of(data)[0] == "CONDITIONAL_FORMAT"
    else:
        assert list(opened(data).rows) == [(2, ["7", ""])]


@pytest.mark.parametrize(
    ("rules", "is_refused"),
    [
        pytest.param(("<font/>", "A2:A5"), False, id="a colour"),
        pytest.param(("<font/><numFmt numFmtId='1' formatCode='00'/>", "D2 A2:A5"), True,
                     id="a number format"),
        pytest.param(("<numFmt numFmtId='1' formatCode='00'/>", "D2:D5"), False,
                     id="beside the table"),
    ],
)  # fmt: skip
def test_conditions_on_other_sheets(rules: tuple[str, str], is_refused: bool) -> None:
    """Excel keeps them, with their formats, apart from other conditions."""
    formats, cells = rules
    others = (
        '<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
        'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main">'
        "<x14:conditionalFormattings><x14:conditionalFormatting><x14:cfRule><xm:f>Old!A1=1</xm:f>"
        f"<x14:dxf>{formats}</x14:dxf></x14:cfRule><xm:sqref>{cells}</xm:sqref>"
        "</x14:conditionalFormatting></x14:conditionalFormattings><x14:dataValidations>"
        "<x14:dataValidation><xm:sqref>A1:B9</xm:sqref></x14:dataValidation></x14:dataValidations>"
        "</ext></extLst>"
    )
    data = pack(parts('<row r="2"><c r="A2"><v>7</v></c></row>', after=others))

    if is_refused:
        assert refusal_of(data)[0] == "CONDITIONAL_FORMAT"
    else:
        assert list(opened(data).rows) == [(2, ["7", ""])]
