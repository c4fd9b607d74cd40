from __future__ import annotations

from typing import Any

import pytest

from importers.sdk.cell_note import CellNote, Holds, note_of, shown_text, struck_text, with_note
from importers.sdk.columns import Column, Flag
from importers.sdk.errors import RowError
from importers.sdk.ready_columns.date import Date
from importers.sdk.ready_columns.number import Number
from importers.sdk.ready_columns.tag_id import TagId
from importers.sdk.references import CaseRef


def test_a_note_travels_with_its_cell():
    cell = with_note("7/4/26", Holds.DATE, "2026-07-04")
    assert note_of(cell) == CellNote("7/4/26", Holds.DATE, "2026-07-04")
    assert shown_text(cell) == "7/4/26"


@pytest.mark.parametrize("cell", ["", "007", "a\x1a", "\x1adate", "a\x1aday=1", "a\nb"])
def test_other_texts_have_no_note(cell: str):
    assert note_of(cell) is None
    assert shown_text(cell) == cell


@pytest.mark.parametrize("column", [CaseRef(), TagId(), Column[str](is_key=True)])
@pytest.mark.parametrize("holds", [Holds.DATE, Holds.TIME, Holds.BOOLEAN, Holds.NUMBER])
def test_an_id_is_the_text_itself(column: Column[str], holds: Holds):
    with pytest.raises(RowError) as raised:
        column.read(with_note("1E+17", holds, "123456789012345678"))
    assert raised.value.code == "SPREADSHEET_DAMAGE"
    assert "'1E+17'" in raised.value.message


def test_only_what_is_shown_counts_as_long():
    column = Column[str](longest=5)
    assert column.read(with_note("4-Jul", Holds.DATE, "2026-07-04")) == "4-Jul"
    with pytest.raises(RowError, match="shows the error"):
        column.read(with_note("#N/A", Holds.ERROR))
    with pytest.raises(RowError, match="has 6 characters; the limit is 5"):
        column.read(with_note("14-Jul", Holds.DATE, "2026-07-14"))


def test_free_text_is_what_the_sheet_shows():
    assert Column[str]().read(with_note("4-Jul", Holds.DATE, "2026-07-04")) == "4-Jul"


@pytest.mark.parametrize("column", [Column[str](), CaseRef()])
def test_errors_and_what_can_not_be_shown_are_never_read(column: Column[str]):
    with pytest.raises(RowError) as raised:
        column.read(with_note("#N/A", Holds.ERROR))
    assert raised.value.code == "FORMULA_ERROR"
    with pytest.raises(RowError) as raised:
        column.read(with_note("7", Holds.UNSHOWN, "7 with the number format '0E+0?'"))
    assert raised.value.code == "SPREADSHEET_DAMAGE"
    # Not that it is shown as 7, which is not certain.
    assert raised.value.message == (
        "the spreadsheet's cell holds 7 with the number format '0E+0?'; format the column as text "
        "and enter the value again."
    )


@pytest.mark.parametrize("column", [CaseRef(), TagId(), Column[str](), Date(), Flag(), Number()])
def test_what_is_struck_out_is_never_read(column: Column[Any]):
    with pytest.raises(RowError) as raised:
        column.read(struck_text(with_note("1", Holds.PARTED, "1")))
    assert raised.value.code == "SPREADSHEET_DAMAGE"
    assert raised.value.message == (
        "'1' is struck out, the whole or a part of it; delete the row if it does not count, or take"
        " the line out of the cell."
    )
    assert struck_text(" ") == " "


@pytest.mark.parametrize("column", [CaseRef(), TagId(), Column[str](is_key=True), Column[str]()])
def test_a_number_with_a_point_is_shown_in_full(column: Column[str]):
    cell = with_note("12.345", Holds.PARTED, "12.345")
    if isinstance(column, TagId):
        with pytest.raises(RowError, match="is not a Tag ID"):
            column.read(cell)
        return
    assert column.read(cell) == "12.345"


def test_keys_of_cells_with_notes():
    cells = ["1.5", with_note("1.5", Holds.PARTED, "1.5")]
    assert Column[str](is_key=True)._quick_group_keys(cells) is None
