"""The one visible sheet with a table is read; the others are named."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest

from tests.fuzz.xlsx_writer import pack
from tests.importers.reading.workbooks.spellings import opened, parts, refusal_of

TABLE = [["case_id", "user_id"], ["trv-1", "jo-1"]]
SUMMARY = [
    ["This document was exported from Numbers."],
    ["Numbers Sheet Name", "Numbers Table Name", "Excel Worksheet Name"],
    ["Sheet 1"],
    [None, "Table 1", "Sheet 1"],
]


def workbook(*sheets: tuple[str, Sequence[Sequence[Any]], str]) -> bytes:
    """Make a workbook of sheets: name, rows, and state."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows, state in sheets:
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        for cells in rows:
            sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
@pytest.mark.parametrize("is_first", [True, False])
def test_hidden_sheets(state: str, is_first: bool) -> None:
    """Lists for drop-downs, on a hidden sheet, are not read; a warning names the sheet."""
    sheets = [("Lists", [["clients", "staff"], ["a", "b"]], state), ("People", TABLE, "visible")]
    table = opened(workbook(*sheets[:: 1 if is_first else -1]))

    assert list(table.rows) == [(2, ["trv-1", "jo-1"])]
    assert [(each.code, each.message) for each in table.warnings] == [
        ("HIDDEN_SHEET", "The sheet 'Lists' is hidden, and was not read.")
    ]


def test_many_hidden_sheets() -> None:
    """Ten are named, with the beginnings of their names."""
    made = parts('<row r="2"><c r="A2"><v>1</v></c></row>')
    name = "n" * 200
    sheets = f'<sheet name="{name}" sheetId="2" state="hidden" r:id="rId1"/>' * 1200
    book = str(made["xl/workbook.xml"])
    made["xl/workbook.xml"] = book.replace("</sheets>", f"{sheets}</sheets>")
    table = opened(pack(made))

    assert list(table.rows) == [(2, ["1", ""])]
    assert [each.message for each in table.warnings] == [
        *[f"The sheet '{name[:100]}' is hidden, and was not read."] * 10,
        "1,190 more sheets are hidden and not read.",
    ]


def test_only_hidden_sheets_have_data() -> None:
    """The message says that they are hidden."""
    assert refusal_of(workbook(("Blank", [], "visible"), ("Data", TABLE, "hidden"))) == (
        "EMPTY_FILE",
        "The visible sheets of the workbook are empty, and hidden ones are not read: 'Data'. "
        "Unhide the sheet to be imported.",
    )


def test_a_sheet_of_a_few_words() -> None:
    """Numbers adds a sheet that lists its tables."""
    table = opened(workbook(("Export Summary", SUMMARY, "visible"), ("S", TABLE, "visible")))

    assert list(table.rows) == [(2, ["trv-1", "jo-1"])]
    assert [(each.code, each.message) for each in table.warnings] == [
        (
            "OTHER_SHEET",
            "The sheet 'Export Summary' has a few words and no table, and was not read.",
        )
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(TABLE, id="a table"),
        pytest.param([["January"], *TABLE], id="a table below a title"),
        pytest.param([["January"], ["Case", "User"], *[["a", "b"]] * 40], id="many words"),
        pytest.param([["a", "b"]], id="two words in the first row"),
    ],
)
def test_what_may_be_a_table(other: Sequence[Sequence[Any]]) -> None:
    """Of two sheets that may be meant, none is passed over."""
    code, message = refusal_of(workbook(("One", TABLE, "visible"), ("Two", other, "visible")))

    assert code == "SEVERAL_SHEETS"
    assert "'One', 'Two'" in message
