"""Failed rows as a table: its columns, its notes, and cells that an upload reads alike."""

from __future__ import annotations

import orjson
import pytest

from api.files.failed_rows_table import FailedRowsTable
from importers.sdk.cell_note import Holds, with_note
from models.row import RowResult, RowStatus

LONG_NUMBER = with_note("123456789012345680", Holds.NUMBER, "123456789012345678")
DAY = with_note("04/07/2026", Holds.DATE, "2026-07-04")


def failed(*cells: str, **messages: str) -> RowResult:
    errors = [{"column": column, "message": message} for column, message in messages.items()]
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
            {"column": "b", "message": "one."},
            {"column": None, "message": "all."},
            {"column": "b", "message": "two."},
            {"column": "c", "message": "gone."},
        ]
    )

    assert table.row_of(row).notes == {1: "one.\ntwo."}
    assert table.row_of(row).cells == ["'=1", "2", "7", "one. all. two. gone."]


def test_short_rows() -> None:
    """A row that ends early is filled up."""
    assert FailedRowsTable(["a", "b"]).row_of(failed("1")).cells == ["1", "", "7", ""]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        pytest.param(DAY, "2026-07-04", id="a day in the one form that can't be another day"),
        pytest.param(with_note("1.0E+5", Holds.NUMBER, "100000"), "1.0E+5", id="a number"),
        pytest.param(with_note("#N/A", Holds.ERROR), "#N/A", id="an error"),
    ],
)
def test_what_a_cell_holds(cell: str, written: str) -> None:
    """A cell without errors is written as it was read."""
    assert FailedRowsTable(["a"]).row_of(failed(cell)).cells[0] == written


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(LONG_NUMBER, id="a number that is shown rounded"),
        pytest.param(with_note("TRUE", Holds.BOOLEAN), id="a truth value"),
        pytest.param(with_note("9:30", Holds.TIME, "9:30:00"), id="a time"),
        pytest.param(with_note("7", Holds.UNSHOWN, "7 with the format '0?'"), id="unshown"),
        pytest.param(with_note("#N/A", Holds.ERROR), id="an error"),
    ],
)
def test_refused_cells(cell: str) -> None:
    """A cell that was refused for what it holds is refused again, whatever its column."""
    [written, *_] = FailedRowsTable(["a"]).row_of(failed(cell, a="no.")).cells

    assert written in ("#VALUE!", "#N/A")
