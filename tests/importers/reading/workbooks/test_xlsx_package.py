"""The parts of a workbook are those that the standard means, or it is not certain."""

from __future__ import annotations

import pytest

from importers.sdk.cell_note import CellNote, Holds, note_of, struck_text
from tests.importers.reading.workbooks.spellings import MAIN, cells_of, parts, strings

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


@pytest.mark.parametrize(
    ("strike", "is_struck"),
    [("<strike/>", True), ('<b/><strike val="true"/>', True), ('<strike val="0"/>', False)],
)
def test_a_struck_font(strike: str, is_struck: bool) -> None:
    """What a line goes through is not read as if it counted, whatever kind of cell it is."""
    dxf = f"<font><strike/></font>{code(164, '0')}"
    made = (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{code(164, "000")}</numFmts><fonts><font/><font>'
        f'{strike}</font></fonts><cellXfs><xf/><xf numFmtId="164" fontId="1"/>'
        f'<xf numFmtId="164" fontId="0"/></cellXfs><dxfs><dxf>{dxf}</dxf></dxfs></styleSheet>'
    )
    stored = ['<c r="A2" s="{}"><v>7</v></c>', '<c r="B2" t="str" s="{}"><v>x</v></c>']
    stored += ['<c r="C2" t="inlineStr" s="{}"><is><t>y</t></is></c>', '<c r="D2" s="{}"/>']
    row = "".join(cell.format(1) for cell in stored[:3]) + stored[3].format(1)
    plain = "".join(cell.format(2) for cell in stored)
    texts = ["007", "x", "y"]

    cells = cells_of(parts(f'<row r="2">{row}</row>', styles=made))
    assert cells == (list(map(struck_text, texts)) if is_struck else texts)
    assert cells_of(parts(f'<row r="2">{plain}</row>', styles=made)) == texts


@pytest.mark.parametrize(
    ("run", "is_struck"),
    [("<strike/>", True), ('<strike val="1"/>', True), ('<strike val="false"/>', False)],
)
def test_a_struck_part_of_a_text(run: str, is_struck: bool) -> None:
    """`trv-0~~1~~2` is neither `trv-012` nor `trv-02` for certain."""
    text = f"<r><t>trv-0</t></r><r><rPr>{run}</rPr><t>1</t></r><r><t>2</t></r>"
    row = '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c></row>'
    inline = f'<row r="2"><c r="A2" t="inlineStr"><is>{text}</is></c>'
    inline += '<c r="B2" t="inlineStr"><is><r><t>x</t></r></is></c></row>'
    shown = struck_text("trv-012") if is_struck else "trv-012"

    assert cells_of(parts(row, sharedStrings=strings(text, "<t>x</t>"))) == [shown, "x"]
    assert cells_of(parts(inline)) == [shown, "x"]


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
