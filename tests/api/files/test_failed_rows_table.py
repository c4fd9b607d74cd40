"""Failed rows as a table: its columns, its notes, and cells that an upload reads alike."""

from __future__ import annotations

import orjson
import pytest

from api.files.failed_rows_table import FailedRowsTable
from importers import Column, Importer, Number
from importers.rows.header_mapping import HeaderMapping
from importers.sdk.cell_note import Holds, with_note
from models.row import RowResult, RowStatus

LONG_NUMBER = with_note("123456789012345680", Holds.NUMBER, "123456789012345678")
DAY = with_note("04/07/2026", Holds.DATE, "2026-07-04")


def failed(*cells: str, code: str = "NOT_FOUND", **messages: str) -> RowResult:
    errors = [
        {"column": None if column == "row" else column, "code": code, "message": message}
        for column, message in messages.items()
    ]
    return RowResult(7, orjson.dumps(cells), RowStatus.FAILED, errors=errors)


def test_columns() -> None:
    """The columns are the file's own, as it writes them, and those that a download adds."""
    table = FailedRowsTable(["Row", "User ID", "errors", "case-id"])
    row = table.row_of(failed("9", "jo", "old", "x", "extra", case_id="no.", user_id="none."))

    assert table.header == ["User ID", "case-id", "row", "errors"]
    assert table.columns == ["user_id", "case_id"]
    assert row.cells == ["jo", "x", "7", "no. none.", "extra"]
    assert row.notes == {0: "none.", 1: "no."}


def test_notes() -> None:
    """A cell has all its errors in its note; those of the row, or of no column here, have none."""
    table = FailedRowsTable(["a", "b"])
    row = failed("=1", "2")._replace(
        errors=[
            {"code": "X", "column": "b", "message": "one."},
            {"code": "X", "column": None, "message": "all."},
            {"code": "X", "column": "b", "message": "two."},
            {"code": "X", "column": "c", "message": "gone."},
        ]
    )

    assert table.row_of(row).notes == {1: "one.\ntwo."}
    assert table.row_of(row).cells == ["'=1", "2", "7", "one. all. two. gone."]


def test_a_mapped_header() -> None:
    """Errors are found at the columns that headers are mapped to; ignored columns stay."""
    mapping = HeaderMapping(columns={"Matter": "case_id"}, ignored=["Notes"])
    table = FailedRowsTable(["Matter", "Notes"], mapping)
    row = table.row_of(failed(LONG_NUMBER, "x", code="SPREADSHEET_DAMAGE", case_id="no."))

    assert table.header == ["Matter", "Notes", "row", "errors"]
    assert table.columns == ["case_id", "notes"]
    assert row.cells == ["#VALUE!", "x", "7", "no."]
    assert row.notes == {0: "no."}
    assert table.row_of(failed("a", matter="no.")).notes == {0: "no."}


def test_short_rows() -> None:
    """A row that ends early is filled up."""
    assert FailedRowsTable(["a", "b"]).row_of(failed("1")).cells == ["1", "", "7", ""]


READ = [
    pytest.param(DAY, "2026-07-04", id="a date in the form that can be no other date"),
    pytest.param(with_note("1.0E+5", Holds.NUMBER, "100000"), "1.0E+5", id="a number"),
    pytest.param(with_note("TRUE", Holds.BOOLEAN), "TRUE", id="a truth value"),
    pytest.param(with_note("#N/A", Holds.ERROR), "#N/A", id="an error"),
]


@pytest.mark.parametrize(("cell", "written"), READ)
def test_what_a_cell_holds(cell: str, written: str) -> None:
    """A cell that was not refused for what it holds is written as it was read."""
    table = FailedRowsTable(["a"])

    assert table.row_of(failed(cell, b="no.")).cells[0] == written
    assert table.row_of(failed(cell, a="no.")).cells[0] == written


@pytest.mark.parametrize("column", ["a", "b"])
@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(LONG_NUMBER, id="a number that is shown rounded"),
        pytest.param(with_note("TRUE", Holds.BOOLEAN), id="a truth value"),
        pytest.param(with_note("9:30", Holds.TIME, "9:30:00"), id="a time"),
        pytest.param(with_note("7", Holds.UNSHOWN, "7 with the format '0?'"), id="unshown"),
    ],
)
def test_refused_cells(cell: str, column: str) -> None:
    """A cell that was refused for what it holds, or that was not looked at, can't pass as what it
    shows."""
    table = FailedRowsTable(["a", "b"])
    cells = [cell, "x"] if column == "a" else ["x", cell]

    for row in (
        failed(*cells, code="SPREADSHEET_DAMAGE", **{column: "no."}),
        failed(*cells, "extra", code="TOO_MANY_CELLS", row="no."),
        failed(*cells, code="IMPORTER_ERROR", row="no."),
    ):
        assert sorted(table.row_of(row).cells[:2]) == ["#VALUE!", "x"]


class Amounts(Importer):
    """Has a column of IDs and one of numbers."""

    code = Column[str](is_key=True)
    amount = Number(decimal_mark=",")


def test_a_date_in_the_place_of_an_id() -> None:
    """A date that was refused as an ID can't pass as one."""
    row = failed(DAY, code="SPREADSHEET_DAMAGE", a="no.")

    assert FailedRowsTable(["a"]).row_of(row).cells[0] == "#VALUE!"


def test_a_number_of_a_workbook() -> None:
    """A number is written so that its column reads the same; as an ID it is what is shown."""
    cell = with_note("1,234", Holds.PARTED, "1234")
    columns = Amounts.columns.values()
    table = FailedRowsTable(["code", "amount"], columns=columns)

    rows = [failed(cell, cell, code=code, a="no.") for code in ("NOT_FOUND", "TOO_MANY_CELLS")]

    assert [table.row_of(row).cells[:2] for row in rows] == [["1,234", "1234"]] * 2
