"""OpenDocument spreadsheets are read by the same rules as Excel's."""

from __future__ import annotations

import pytest

from importers.sdk.cell_note import Holds, note_of, shown_text, with_note
from tests.importers.reading.workbooks.spellings import OFFICE, ods, opened, refusal_of

TEXT = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
HEADER = f"<table:table-row>{TEXT.format('a')}{TEXT.format('b')}</table:table-row>"
BLANK_ROWS = (
    '<table:table-row table:number-rows-repeated="{}"><table:table-cell/></table:table-row>'
)


def sheet(rows: str, name: str = "Sheet1", style: str = "") -> str:
    return (
        f'<table:table table:name="{name}" table:style-name="{style}">{HEADER}{rows}</table:table>'
    )


def number(value: str, shown: str, kind: str = "float", *, style: str = "formatted") -> str:
    text = f"<text:p>{shown}</text:p>" if shown else ""
    start = f'<table:table-cell table:style-name="{style}" office:value-type="{kind}"'
    return f'{start} office:value="{value}">{text}</table:table-cell>'


def cell_style(name: str, parent: str = "Default", *, code: str = "", within: str = "") -> str:
    data = f' style:data-style-name="{code}"' if code else ""
    start = f'<style:style style:name="{name}" style:family="table-cell"{data}'
    return f'{start} style:parent-style-name="{parent}">{within}</style:style>'


FORMATTED = cell_style("formatted", code="N1")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        pytest.param(TEXT.format("x &amp; y"), "x & y", id="text"),
        pytest.param(TEXT.format("x<text:s text:c='2'/>y<text:line-break/>z"), "x  y\nz",
                     id="spaces"),
        pytest.param(TEXT.format("x</text:p><text:p>y"), "x\ny", id="two paragraphs"),
        pytest.param(TEXT.format("<text:span>x</text:span>\n  <text:a>y</text:a>"), "x y",
                     id="spans"),
        pytest.param(
            '<table:table-cell office:value-type="string"><office:annotation><text:p>a remark'
            "</text:p></office:annotation><text:p>x</text:p></table:table-cell>", "x", id="remark"),
        pytest.param(number("7", "007"), "007", id="padded"),
        pytest.param(number("7", "LIT-0007"), "LIT-0007", id="literal"),
        pytest.param(number("1234", "1.234,00"), with_note("1.234,00", Holds.PARTED, "1234"),
                     id="of another language"),
        pytest.param(number("0.5", "50%", "percentage"), "50%", id="percent"),
        pytest.param(number("-7", "(7)", "currency"), "(7)", id="negative"),
        pytest.param(number("0", "0"), "0", id="zero"),
        pytest.param(number("7.4", "7"), with_note("7", Holds.NUMBER, "7.4"), id="rounded"),
        pytest.param(number("-7", "7"), with_note("7", Holds.NUMBER, "-7"), id="without its sign"),
        pytest.param(number("100000", "1E+05"), with_note("1E+05", Holds.NUMBER, "100000"),
                     id="exponent"),
        pytest.param(number("1234567890123456", "1234567890123456"),
                     with_note("1234567890123456", Holds.NUMBER, "1234567890123456"),
                     id="16 digits"),
        pytest.param(number("7", ""), with_note("", Holds.UNSHOWN, "7, which the sheet hides"),
                     id="hidden"),
        pytest.param('<table:table-cell office:value-type="date" office:date-value="2026-07-04">'
                     "<text:p>04.07.26</text:p></table:table-cell>",
                     with_note("04.07.26", Holds.DATE, "2026-07-04"), id="date"),
        pytest.param('<table:table-cell office:value-type="date" '
                     'office:date-value="2026-07-04T09:30:00"><text:p>4.7.</text:p></table:table-cell>',
                     with_note("4.7.", Holds.DATE, "2026-07-04T09:30:00"), id="date and time"),
        pytest.param('<table:table-cell office:value-type="time" office:time-value="PT09H30M05S">'
                     "<text:p>09:30</text:p></table:table-cell>",
                     with_note("09:30", Holds.TIME, "9:30:05"), id="time"),
        pytest.param('<table:table-cell office:value-type="boolean" office:boolean-value="true">'
                     "<text:p>WAHR</text:p></table:table-cell>",
                     with_note("WAHR", Holds.BOOLEAN), id="boolean"),
        pytest.param('<table:table-cell office:value-type="string" calcext:value-type="error" '
                     'table:formula="of:=1/0"><text:p>#DIV/0!</text:p></table:table-cell>',
                     with_note("#DIV/0!", Holds.ERROR), id="error"),
        pytest.param('<table:table-cell table:formula="of:=x" office:value-type="string">'
                     "<text:p>Err:502</text:p></table:table-cell>",
                     with_note("Err:502", Holds.ERROR), id="error without a type"),
        pytest.param('<table:table-cell table:formula="of:=x" office:value-type="float" '
                     'office:value="0"><text:p>#ЗНАЧ!</text:p></table:table-cell>',
                     with_note("#ЗНАЧ!", Holds.ERROR), id="error of another language"),
        pytest.param('<table:table-cell table:formula="of:=x" office:value-type="string" '
                     'calcext:value-type="string"><text:p>#12</text:p></table:table-cell>', "#12",
                     id="looks like an error"),
        pytest.param('<table:table-cell office:value-type="string" table:formula="of:=x"/>', "",
                     id="empty result"),
        pytest.param("<table:table-cell><draw:custom-shape><text:p>Click me</text:p>"
                     "</draw:custom-shape></table:table-cell>", "", id="shape"),
        pytest.param('<table:table-cell office:value-type="float" office:value="7"><draw:frame>'
                     "<draw:text-box><text:p>8</text:p></draw:text-box></draw:frame><text:p>7"
                     "</text:p><draw:g><draw:rect><text:p>9</text:p></draw:rect></draw:g>"
                     "</table:table-cell>", "7", id="shapes beside a number"),
        pytest.param(TEXT.format("<text:ruby><text:ruby-base>x</text:ruby-base><text:ruby-text>no"
                                 "</text:ruby-text></text:ruby>y"), "xy", id="phonetic reading"),
        pytest.param(TEXT.format("x <text:span> y</text:span>\n <text:s/>z"), "x y  z",
                     id="spaces of two elements"),
        pytest.param('<table:table-cell office:value-type="string" office:string-value="x"/>',
                     with_note("", Holds.UNSHOWN, "the text 'x', which the sheet hides"),
                     id="hidden text"),
        pytest.param('<table:table-cell office:value-type="string" office:string-value="y">'
                     "<text:p>x</text:p></table:table-cell>",
                     with_note("x", Holds.UNSHOWN, "the text 'y'"), id="another text"),
        pytest.param('<table:table-cell office:value-type="string" office:string-value="x  y">'
                     "<text:p>x</text:p><text:p>y</text:p></table:table-cell>", "x\ny",
                     id="the same text"),
        pytest.param(number("7000", "7"), with_note("7", Holds.NUMBER, "7000"), id="in thousands"),
        pytest.param(number("70", "7000%", "percentage"), "7000%", id="more than all"),
        pytest.param('<table:table-cell office:value-type="date" office:date-value="-0044-03-15">'
                     "<text:p>15.03.44</text:p></table:table-cell>",
                     with_note("15.03.44", Holds.UNSHOWN, "the date '-0044-03-15'"),
                     id="before all dates"),
    ],
)  # fmt: skip
def test_a_cell(cell: str, shown: str) -> None:
    """The shown text stands in the file; a note says what else the cell holds."""
    row = f"<table:table-row>{cell}{TEXT.format('z')}</table:table-row>"

    assert list(opened(ods(sheet(row), automatic_styles=FORMATTED)).rows) == [(2, [shown, "z"])]


@pytest.mark.parametrize(
    ("value", "beside", "shown"),
    [
        ("7", "", "7"),
        ("7", "7", "7"),
        ("-7", "\u22127", "\u22127"),
        ("7.0", "", "7"),
        ("1.5", "1,5", with_note("1,5", Holds.PARTED, "1.5")),
        ("1.5", "", with_note("1.5", Holds.PARTED, "1.5")),
        ("7", "007", with_note("007", Holds.NUMBER, "7")),
        ("007", "007", with_note("007", Holds.NUMBER, "007")),
        ("1234", "1,234", with_note("1,234", Holds.NUMBER, "1234")),
        ("7", "LIT-7", with_note("LIT-7", Holds.NUMBER, "7")),
        ("12345678901234567", "", with_note("1.23457E+16", Holds.NUMBER, "12345678901234567")),
    ],
)
@pytest.mark.parametrize("style", ["", "Default", "plain", "heir"])
def test_a_number_without_a_format(value: str, beside: str, shown: str, style: str) -> None:
    """LibreOffice shows the number, whatever text a program has written beside it, or none."""
    number_style = '<number:number-style style:name="N9"><style:map/></number:number-style>'
    styles = cell_style("plain") + cell_style("heir", "plain") + number_style + FORMATTED
    row = f"<table:table-row>{number(value, beside, style=style)}</table:table-row>"

    assert [cells for _, cells in opened(ods(sheet(row), automatic_styles=styles)).rows] == [
        [shown, ""]
    ]


@pytest.mark.parametrize(
    ("styles", "column", "style"),
    [
        (cell_style("Default", "", code="N1"), "", ""),
        (cell_style("heir", "formatted") + FORMATTED, "", "heir"),
        (cell_style("x", within='<style:map style:apply-style-name="y"/>'), "", "x"),
        ('<style:default-style style:family="table-cell" style:data-style-name="N1"/>', "", ""),
        (FORMATTED, "formatted", ""),
    ],
)
def test_a_number_with_an_inherited_format(styles: str, column: str, style: str) -> None:
    """The text beside it is what a format has made of it."""
    rows = f'<table:table-column table:default-cell-style-name="{column}"/>'
    rows += f"<table:table-row>{number('7', '007', style=style)}</table:table-row>"

    assert list(opened(ods(sheet(rows), automatic_styles=styles)).rows) == [(2, ["007", ""])]


@pytest.mark.parametrize("line", ["style:text-line-through-style", "style:text-line-through-type"])
@pytest.mark.parametrize(
    ("column", "row", "cell", "is_struck"),
    [
        ("", "", '<table:table-cell table:style-name="struck"><text:p>x</text:p>', True),
        ("", "", '<table:table-cell><text:p text:style-name="struck">x</text:p>', True),
        ("", "", '<table:table-cell><text:p>x<text:span text:style-name="struck">y</text:span>'
                 "</text:p>", True),
        ("struck", "", "<table:table-cell><text:p>x</text:p>", True),
        ("plain", "struck", "<table:table-cell><text:p>x</text:p>", True),
        ("struck", "struck",
         '<table:table-cell table:style-name="plain"><text:p>x</text:p>', False),
        ("", "", '<table:table-cell><office:annotation><text:p text:style-name="struck">y</text:p>'
                 "</office:annotation><text:p>x</text:p>", False),
    ],
)  # fmt: skip
def test_a_cell_that_is_struck_out(
    line: str, column: str, row: str, cell: str, is_struck: bool
) -> None:
    """A line goes through a cell by its own style, that of its row or column, or of a part."""
    default = "table:default-cell-style-name"
    styles = "".join(
        f'<style:style style:name="{name}"><style:text-properties {line}="{value}"/></style:style>'
        for name, value in (("struck", "solid"), ("plain", "none"))
    )
    rows = f'<table:table-column {default}="{column}"/>'
    rows += f'<table:table-row {default}="{row}">{cell}'
    rows += f"</table:table-cell>{TEXT.format('z')}</table:table-row>"
    ((_, cells),) = opened(ods(sheet(rows), automatic_styles=styles)).rows

    assert shown_text(cells[1]) == "z"
    assert (note_of(cells[0]) is not None) is is_struck


def test_repeated_rows_and_cells() -> None:
    """Blank rows only count; rows and cells with values are there as often as they are repeated."""
    rows = BLANK_ROWS.format(2)
    rows += (
        '<table:table-row table:number-rows-repeated="2"><table:table-cell '
        'table:number-columns-repeated="2" office:value-type="string"><text:p>x</text:p>'
        '</table:table-cell><table:table-cell table:number-columns-repeated="16382"/>'
        "</table:table-row>"
    )
    rows += BLANK_ROWS.format(1_048_571)

    assert list(opened(ods(sheet(rows))).rows) == [(4, ["x", "x"]), (5, ["x", "x"])]


@pytest.mark.parametrize("what", ["rows", "columns"])
def test_repeated_without_end(what: str) -> None:
    """A few bytes can't make more cells than a sheet has."""
    row, cell = ' table:number-rows-repeated="9999999"', ""
    if what == "columns":
        row, cell = "", ' table:number-columns-repeated="9999999"'
    rows = f"<table:table-row{row}><table:table-cell{cell}><text:p>x</text:p></table:table-cell>"

    assert refusal_of(ods(sheet(f"{rows}</table:table-row>")))[0] == "DAMAGED_WORKBOOK"


def test_what_is_hidden_or_merged() -> None:
    """Hidden sheets are not read; hidden rows are, and a covered cell is not."""
    row = (
        '<table:table-row table:visibility="filter">'
        '<table:table-cell table:number-columns-spanned="2" office:value-type="string">'
        "<text:p>x</text:p></table:table-cell><table:covered-table-cell><text:p>y</text:p>"
        "</table:covered-table-cell></table:table-row>"
    )
    hidden = sheet(row, "Lists", "ta2")
    style = '<style:style style:name="ta2"><style:table-properties table:display="false"/>'
    style += "</style:style>"
    table = opened(ods(hidden + sheet(row), automatic_styles=style))

    assert list(table.rows) == [(2, ["x", ""])]
    assert [each.code for each in table.warnings] == ["HIDDEN_SHEET", "HIDDEN_ROWS", "MERGED_CELLS"]


def test_a_table_within_a_cell() -> None:
    """No rows are lost behind it."""
    rows = f"<table:table-row><table:table-cell>{sheet('', 'inner')}</table:table-cell>"

    code, message = refusal_of(ods(sheet(f"{rows}</table:table-row>")))

    assert code == "DAMAGED_WORKBOOK"
    assert "the sheet 'Sheet1' has a table within a table" in message


def test_a_formula_without_a_value() -> None:
    """No value is no blank cell."""
    row = '<table:table-row><table:table-cell table:formula="of:=1+1"/></table:table-row>'

    code, message = refusal_of(ods(sheet(row)))

    assert (code, message[:2]) == ("UNCOMPUTED_FORMULA", "A2")


def test_a_password() -> None:
    """The list of parts says that they are encrypted."""
    manifest = f'<manifest:file-entry xmlns:manifest="{OFFICE}:manifest:1.0">'
    manifest += "<manifest:encryption-data/></manifest:file-entry>"

    assert refusal_of(ods(sheet(""), manifest=manifest))[0] == "PASSWORD_PROTECTED"
