"""The parts of a workbook are those that the standard means, or it is not certain."""

from __future__ import annotations

import pytest

from importers.sdk.cell_note import CellNote, Holds, note_of
from tests.importers.reading.workbooks.spellings import MAIN, cells_of, parts

CELL = '<row r="2"><c r="A2" s="1"><v>7</v></c></row>'
UNKNOWN = CellNote("7", Holds.UNSHOWN, "7 with an unknown number format")


def shown(cell_style: str, *, codes: str = "", named: str = "", others: str = "") -> str:
    """Return what a cell with this style shows of 7."""
    made = (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellStyleXfs>{named}'
        f'</cellStyleXfs><cellXfs><xf numFmtId="0"/>{cell_style}</cellXfs>{others}</styleSheet>'
    )
    return cells_of(parts(CELL, styles=made))[0]


def code(number: int, text: str) -> str:
    return f'<numFmt numFmtId="{number}" formatCode="{text}"/>'


def test_formats_of_conditions() -> None:
    """The formats of conditions and tables have numbers of their own."""
    dxfs = f"<dxfs><dxf>{code(164, '0')}</dxf></dxfs>"

    assert shown('<xf numFmtId="164"/>', codes=code(164, "000"), others=dxfs) == "007"


@pytest.mark.parametrize(("number", "text"), [(0, "GENERAL"), (1, "0"), (41, "#,##0_-")])
def test_built_in_formats_that_a_workbook_repeats(number: int, text: str) -> None:
    """Programs may write the codes of built-in formats, as they are where the program runs."""
    assert shown(f'<xf numFmtId="{number}"/>', codes=code(number, text)).strip() == "7"


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        pytest.param(1, code(1, "000"), id="another code for a built-in format"),
        pytest.param(164, code(164, "0") + code(164, "000"), id="two codes for a number"),
        pytest.param(164, "", id="no code"),
        pytest.param(59, "", id="digits of the computer's language"),
    ],
)
def test_formats_that_are_not_certain(number: int, codes: str) -> None:
    """Programs differ in what they show then."""
    assert note_of(shown(f'<xf numFmtId="{number}"/>', codes=codes)) == UNKNOWN


def test_a_style_without_a_format() -> None:
    """It is the general one, unless the style that it is based on has another one."""
    codes = code(164, "000")

    assert shown("<xf/>") == "7"
    assert shown('<xf xfId="0"/>', named='<xf numFmtId="0"/>') == "7"
    assert note_of(shown('<xf xfId="0"/>', codes=codes, named='<xf numFmtId="164"/>')) == UNKNOWN
    assert shown('<xf numFmtId="164" applyNumberFormat="0"/>', codes=codes) == "007"
