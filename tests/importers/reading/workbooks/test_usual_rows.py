"""Rows in the usual form are read alike, by a pattern of their own shape or one by one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from importers.reading.number_formats.date_text import DateSystem
from importers.reading.number_formats.number_format import NumberFormat
from importers.reading.workbooks.sheet_address import column_letters
from importers.reading.workbooks.usual_rows import RowForm, UsualRows
from importers.reading.workbooks.xlsx_cells import CellReaders

if TYPE_CHECKING:
    from collections.abc import Sequence

STRINGS = ["trv-001", "jack-001", "staff"]
CELLS = {
    "text": (' t="inlineStr"><is><t>a &amp; b</t></is></c>', "a & b"),
    "shared": (' t="s"><v>1</v></c>', "jack-001"),
    "number": ("><v>7.0</v></c>", "7"),
    "result": (' t="str"><f>A1&amp;""</f><v>trv-001</v></c>', "trv-001"),
    "styled": (' s="1"/>', ""),
    "blank": (' t="inlineStr" />', ""),
}


def rows_of(text: str) -> tuple[list[tuple[int, dict[int, str]]], str]:
    """Read rows; return the number and the filled cells of each, and the text that is left."""
    formats = [NumberFormat("General", DateSystem.FROM_1900)] * 2
    usual = UsualRows(CellReaders(formats, STRINGS), RowForm())
    found, start = [], 0
    while start < len(text):
        rows, end = usual.read(text, start)
        for number, columns, texts in rows:
            cells = zip(columns, texts, strict=True)
            found.append((number, {column: cell for column, cell in cells if cell}))
        if end == start:
            break
        start = end
    return found, text[start:]


def row_text(number: int, kinds: Sequence[str | None]) -> str:
    """Write a row with a cell of each kind, None for a cell that is not there."""
    cells = [
        f'<c r="{column_letters(column)}{number}"{CELLS[kind][0]}'
        for column, kind in enumerate(kinds)
        if kind
    ]
    return f'<row r="{number}" spans="1:5">{"".join(cells)}</row>'


def shown(kinds: Sequence[str | None]) -> dict[int, str]:
    cells = ((column, CELLS[kind][1]) for column, kind in enumerate(kinds) if kind)
    return {column: text for column, text in cells if text}


@pytest.mark.parametrize("shapes", [1, 2, 5, 200])
def test_rows_of_any_shapes(shapes: int) -> None:
    """Cells may be missing, blank or of other types from row to row, in any order."""
    chance = random.Random(shapes)
    known = [[chance.choice([*CELLS, None]) for _ in range(5)] for _ in range(shapes)]
    rows = [chance.choice(known) for _ in range(500)]
    text = "".join(row_text(number, kinds) for number, kinds in enumerate(rows, 1))

    found, rest = rows_of(text)

    assert rest == ""
    assert found == [(number, shown(kinds)) for number, kinds in enumerate(rows, 1)]


def test_missing_cells_need_no_other_pattern() -> None:
    """A row that lacks cells of the first row's shape is read with the rows around it."""
    rows = [["text", "number", "shared"], ["text", None, "shared"], [None, "number", None]] * 9
    text = "".join(row_text(number, kinds) for number, kinds in enumerate(rows, 1))
    usual = UsualRows(
        CellReaders([NumberFormat("General", DateSystem.FROM_1900)], STRINGS), RowForm()
    )

    found, end = usual.read(text, 0)

    assert end == len(text)
    assert {columns for _, columns, _ in found} == {(0, 1, 2)}


@pytest.mark.parametrize(
    "odd",
    [
        '<row r="41"><c r="A40" t="s"><v>1</v></c></row>',
        '<row r="41" hidden="1"><c r="A41" t="s"><v>1</v></c></row>',
        '<row r="41"><c r="A41" t="s"><v>1</v></c><!-- --></row>',
        '<row r="41"><c r="A41" t="s"><v>1<b/></v></c></row>',
        '<row r="41"> <c r="A41" t="s"><v>1</v></c></row>',
    ],
)
def test_up_to_a_row_in_another_form(odd: str) -> None:
    """What is not quite in the usual form is left to the XML parser, with all that follows."""
    rows = "".join(row_text(number, ["shared"]) for number in range(1, 41))
    text = f"{rows}{odd}{row_text(42, ['shared'])}"

    found, rest = rows_of(text)

    assert len(found) == 40
    assert text == rows + rest


def test_a_number_of_a_text_that_is_not_there() -> None:
    """A cell that names no text of the workbook is damage, also within a column."""
    text = "".join(row_text(number, ["shared"]) for number in range(1, 41))

    with pytest.raises(ValueError, match="the text '9'"):
        rows_of(text.replace('<v>1</v></c></row><row r="30"', '<v>9</v></c></row><row r="30"'))
