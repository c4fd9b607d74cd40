"""Whatever the standard allows a sheet to be spelled as, its cells are the same."""

from __future__ import annotations

import pytest

from importers.sdk.cell_note import CellNote, Holds, note_of, with_note
from tests.fuzz.xlsx_writer import SHEET, pack
from tests.importers.reading.workbooks.spellings import (
    HEADER,
    MAIN,
    STRICT,
    cells_of,
    opened,
    parts,
    refusal_of,
    strings,
    styles,
)

SECOND = '<c r="B2"><v>7</v></c></row>'


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        pytest.param('<c r="A2" t="inlineStr"><is><t>x</t></is></c>', "x", id="usual"),
        pytest.param('<c r="A2" t="inlineStr" />', "", id="no text, as openpyxl writes it"),
        pytest.param('<c r="A2" s="1" />', "", id="nothing, as openpyxl writes it"),
        pytest.param("<c\n r = 'A2'\tt='inlineStr' ><is ><t >x</t ></is></c >", "x", id="spaces"),
        pytest.param('<c t="inlineStr" r="A2"><is><t>x</t></is></c>', "x", id="another order"),
        pytest.param('<c t="inlineStr"><is><t>x</t></is></c>', "x", id="no address"),
        pytest.param('<c r="a2" t="inlineStr"><is><t>x</t></is></c>', "x", id="small letters"),
        pytest.param('<c r="A2" t="inlineStr"><is><t>&#120;</t></is></c>', "x", id="reference"),
        pytest.param('<c r="A2" t="inlineStr"><is><t>a&amp;b&lt;</t></is></c>', "a&b<",
                     id="entity"),
        pytest.param('<c r="A2" t="inlineStr"><is><t><![CDATA[<x>]]></t></is></c>', "<x>",
                     id="CDATA"),
        pytest.param('<c r="A2" t="inlineStr"><is><t>a<!-- <c> --><?b?>c</t></is></c>', "ac",
                     id="comment"),
        pytest.param('<c r="A2" t="inlineStr"><is><r><t>a</t></r><rPh sb="0" eb="1"><t>no</t></rPh>'
                     '<r><t xml:space="preserve"> b</t></r></is></c>', "a b", id="rich text"),
        pytest.param('<c r="A2" t="str"><v>x_x0041__x005F_x0041_</v></c>', "xA_x0041_",
                     id="escapes"),
        pytest.param('<c r="A2" t="inlineStr"><is><t>a_x000D_\nb&#13;c\r\nd</t></is></c>',
                     "a\nb\nc\nd", id="line breaks"),
        pytest.param('<c r="A2" t="str"><v>_xD83D__xDE00__xD83D_</v></c>', "\U0001f600_xD83D_",
                     id="halves of characters"),
        pytest.param('<c r="A2" t="s"><v>1</v></c>', "two & more", id="shared text"),
        pytest.param('<c r="A2" t="s"><v> 2 </v></c>', "three", id="shared rich text"),
        pytest.param('<c r="A2" s="1"><v>7</v></c>', "007", id="format"),
        pytest.param('<c r="A2" s="1"><v>7.0</v></c>', "007", id="format of a decimal"),
        pytest.param('<c r="A2" s="2" t="s"><v>0</v></c>', "ID one", id="format of a text"),
        pytest.param('<c r="A2"><v> 7.0\n</v></c>', "7", id="spaces around a number"),
        pytest.param('<c r="A2"><f>A1</f><v>7</v></c>', "7", id="formula"),
        pytest.param('<c r="A2" t="str"><f t="shared" si="0"/><v></v></c>', "", id="empty result"),
        pytest.param('<c r="A2" t="b"><v>1</v></c>', with_note("TRUE", Holds.BOOLEAN), id="true"),
        pytest.param('<c r="A2" t="e"><v>#SPILL!</v></c>', with_note("#SPILL!", Holds.ERROR),
                     id="error"),
        pytest.param('<c r="A2" t="e"><v>anything</v></c>', with_note("anything", Holds.ERROR),
                     id="any error"),
        pytest.param('<c r="A2" t="e" vm="1"><v>#VALUE!</v></c>',
                     with_note("", Holds.UNSHOWN, "a picture or a linked record, which is no text"),
                     id="picture"),
        pytest.param('<c r="A2" t="e" vm="1"><f>x</f><v>#VALUE!</v></c>',
                     with_note("#VALUE!", Holds.ERROR), id="newer error"),
        pytest.param('<c r="A2" t="d"><v>2026-07-04T00:00:00</v></c>',
                     with_note("2026-07-04", Holds.DATE, "2026-07-04"), id="ISO day"),
        pytest.param('<c r="A2" t="d"><v>09:30:00</v></c>',
                     with_note("09:30:00", Holds.TIME, "9:30:00"), id="ISO time"),
        pytest.param('<c r="A2" t="str"><v>a_x001A_date=2026-07-04</v></c>',
                     "a\x1adate=2026-07-04\x1a", id="no note by an escape"),
    ],
)  # fmt: skip
def test_a_cell(cell: str, shown: str) -> None:
    """The next cell and the next row are read all the same."""
    made = parts(
        f'<row r="2">{cell}{SECOND}<row r="3"><c r="A3"><v>1</v></c></row>',
        styles=styles("000", "0;-0;0;&quot;ID &quot;@"),
        sharedStrings=strings(
            "<t>one</t>",
            "<t>two &amp; more</t>",
            "<r><t>thr</t></r><r><rPr/><t>ee</t></r><rPh><t>no</t></rPh><phoneticPr/>",
        ),
    )

    assert list(opened(pack(made)).rows) == [(2, [shown, "7"]), (3, ["1", ""])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "us-ascii"])
@pytest.mark.parametrize("namespace", [MAIN, STRICT])
@pytest.mark.parametrize("prefix", ["", "x:"])
def test_encodings_and_namespaces(encoding: str, namespace: str, prefix: str) -> None:
    """A sheet may be in any encoding and namespace, with any prefix."""
    sheet = str(parts('<row r="2"><c r="A2" t="str"><v>x &#233;</v></c></row>')[SHEET])
    sheet = sheet.replace("x &", "x é&" if encoding != "us-ascii" else "x &#233;&")
    sheet = sheet.replace(f'xmlns="{MAIN}"', f'xmlns{prefix and ":x"}="{namespace}"')
    if prefix:
        for name in ("worksheet", "sheetData", "row", "c", "v", "is", "t"):
            for end in " >":
                sheet = sheet.replace(f"<{name}{end}", f"<x:{name}{end}")
            sheet = sheet.replace(f"</{name}>", f"</x:{name}>")
    declared = encoding.removesuffix("-sig")
    made = parts("")
    made[SHEET] = f'<?xml version="1.0" encoding="{declared}"?>{sheet}'.encode(encoding)

    assert cells_of(made) == ["x éé", ""]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="2"><c r="A3"><v>1</v></c></row>', "the cell 'A3' in row 2"),
        ('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>', "the cell"),
        ('<row r="1"><c r="A1"><v>1</v></c></row>', "row 1 follows row 1"),
        ('<row r="1048577"/>', "row 1048577"),
        ('<row r="2"><c r="XFE2"><v>1</v></c></row>', "the column 'XFE'"),
        ('<row r="2"><c r="A2" s="1"><v>1</v></c></row>', "the style 1"),
        ('<row r="2"><c r="A2" s="-1"><v>1</v></c></row>', "A2: the style -1"),
        ('<row r="2"><c r="A2"><v>1</v><v>2</v></c></row>', "A2 has several values"),
        ('<row r="2"><c r="A2" t="s"><v>0</v><is><t>x</t></is></c></row>', "A2 has several values"),
        ('<row r="2"><c r="A2" t="inlineStr"><v>0</v></c></row>', "A2 has several values"),
        ('<row r="2"><c r="A2"><c><v>1</v></c></c></row>', "behind row 2 is an element 'c'"),
        ('<row r="2"><x><c><v>1</v></c></x></row>', "behind row 2 is an element 'c'"),
        ('<row r="2"><c r="A2"><v>\u0663</v></c></row>', "A2: '\u0663' is no number"),
        ('<row r="2"><c r="A2"><v>1E999</v></c></row>', "'1E999' is no number"),
        ('<row r="2"><c r="A2" t="x"><v>1</v></c></row>', "A2: the type 'x'"),
        ('<row r="2"><c r="A2" t="s"><v>3</v></c></row>', "the text '3'"),
        ('<row r="2"><c r="A2" t="s"><v>-1</v></c></row>', "the text '-1'"),
        ('<row r="2"><c r="A2"><v>1_0</v></c></row>', "A2: '1_0' is no number"),
        ('<row r="2"><c r="A2"><v>1.2.3</v></c></row>', "'1.2.3' is no number"),
        ('<row r="2"><c r="A2"><v>nan</v></c></row>', "A2: 'nan' is no number"),
        ('<row r="2"><c r="A2" t="d"><v>yesterday</v></c></row>', "A2: Invalid isoformat"),
        ("</sheetData><sheetData>&x;", "undefined entity"),
    ],
)
def test_what_no_program_writes(rows: str, reason: str) -> None:
    """What can't be understood for certain is refused, and says where it is."""
    code, message = refusal_of(pack(parts(rows)))

    assert code == "DAMAGED_WORKBOOK"
    assert reason in message


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B2"><f>A1</f></c>',
        '<c r="B2"><f>A1</f><v/></c>',
        '<c r="B2" t="n"><f>A1</f><v> </v></c>',
        '<c r="B2" t="str"><f>A1</f></c>',
        "<c r='B2'>\n<!-- --><f\n>A1</f>\n</c>",
        '<c r="B2"><f t="shared" si="0"/></c>',
        '<c r="B2"><f t="array" ref="B2:B3">A1</f><v></v></c>',
        '<c r="B2" t="e"><f>A1</f></c>',
        '<x:c xmlns:x="' + MAIN + '" r="B2"><x:f>A1</x:f></x:c>',
        "<c/><c><f/></c>",
    ],
)
def test_a_formula_without_a_value(cell: str) -> None:
    """No spelling makes it a blank cell."""
    assert refusal_of(pack(parts(f'<row r="2">{cell}</row>'))) == (
        "UNCOMPUTED_FORMULA",
        "B2 holds a formula that was never computed, so there is no value to read. "
        "Open the workbook in a spreadsheet program and save it.",
    )


def test_a_formula_that_is_computed_later() -> None:
    """Programs that can't compute write 0 for the result, and ask for computing."""
    made = parts('<row r="2"><c r="A2"><f>1+1</f><v>0</v></c></row>')
    assert cells_of(made)[0] == "0"

    book = str(made["xl/workbook.xml"])
    made["xl/workbook.xml"] = book.replace("</workbook", '<calcPr fullCalcOnLoad="1"/></workbook')

    assert refusal_of(pack(made))[0] == "UNCOMPUTED_FORMULA"


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [
        ('t="str"><f>A1</f><v>jack-001</v>', True),
        ('t="str"><f>A1</f><v></v>', True),
        ("><f>A1</f><v>7</v>", True),
        ('t="b"><f>A1</f><v>1</v>', True),
        ('t="e"><f>A1</f><v>#N/A</v>', False),
        ("><v>7</v>", False),
    ],
)
def test_a_value_that_may_be_of_the_past(value: str, is_refused: bool) -> None:
    """A program has changed cells, and leaves formulas to those that open the workbook."""
    made = parts(f'<row r="2"><c r="A2"><v>1</v></c><c r="B2" {value}</c></row>')
    book = str(made["xl/workbook.xml"])
    made["xl/workbook.xml"] = book.replace("</workbook", '<calcPr fullCalcOnLoad="1"/></workbook')

    if is_refused:
        assert refusal_of(pack(made)) == (
            "UNCOMPUTED_FORMULA",
            "B2 holds a formula that programs compute when they open the workbook, so its value in "
            "the file may not be the one that you saw. Open the workbook in a spreadsheet program "
            "and save it there, or save the sheet as CSV UTF-8.",
        )
    else:
        assert cells_of(made)[0] == "1"


@pytest.mark.parametrize(
    "view",
    [
        '<sheetView showZeros="0"/>',
        '<sheetView showZeros="0"/><sheetView workbookViewId="1"/>',
    ],
)
def test_zeros_that_the_sheet_hides(view: str) -> None:
    """What the sheet does not show, in one of its windows, is not read as blank, nor as zero."""
    view = f"<sheetViews>{view}</sheetViews>"
    one, zero = cells_of(
        parts('<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>0</v></c></row>', before=view)
    )

    assert one == "1"
    assert note_of(zero) == CellNote("", Holds.UNSHOWN, "0, which the sheet hides")


@pytest.mark.parametrize(
    ("cell", "code", "shown"),
    [
        pytest.param("<v>7</v>", "000", with_note("7", Holds.NUMBER, "7"), id="zeros"),
        pytest.param("<v>1.5</v>", "0.00", with_note("1.5", Holds.NUMBER, "1.5"), id="decimals"),
        pytest.param("<v>46207</v>", "yyyy-mm-dd", with_note("46207", Holds.NUMBER, "46207"),
                     id="a day"),
        pytest.param("<v>123</v>", "000", "123", id="the same"),
        pytest.param("<v>7</v>", "@", "7", id="text"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before_it", ["", "<c ><v>9</v></c>"])
def test_a_column_with_a_format(cell: str, code: str, shown: str, before_it: str) -> None:
    """LibreOffice applies it to cells that have no style of their own, and Excel does not."""
    columns = '<cols><col min="1" max="1" style="0"/><col min="2" max="3" style="1"/></cols>'
    rows = f'<row r="2">{before_it}<c r="B2">{cell}</c><c r="C2" s="0"><v>7</v></c></row>'
    made = parts(rows, before=columns, styles=styles(code))

    assert cells_of(made)[1:] == [shown, "7"]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (' s="1" customFormat="1"', [with_note("7", Holds.NUMBER, "7"), "7", "jack-001"]),
        (' customFormat="true" s="1"', [with_note("7", Holds.NUMBER, "7"), "7", "jack-001"]),
        (' s="1"', ["7", "7", "jack-001"]),
        (' s="1" customFormat="0"', ["7", "7", "jack-001"]),
        (' s="2" customFormat="1"', ["7", "7", "jack-001"]),
    ],
)
@pytest.mark.parametrize("rows_before", [0, 1, 40])
def test_a_row_with_a_format(row: str, shown: list[str], rows_before: int) -> None:
    """LibreOffice applies it to cells that have no style of their own, and Excel does not."""
    last = rows_before + 2
    plain = [f'<row r="{n}"><c r="A{n}"><v>7</v></c></row>' for n in range(2, last + 2)]
    cells = f'<c r="A{last}"><v>7</v></c><c r="B{last}" s="0"><v>7</v></c>'
    cells += f'<c r="C{last}" t="str"><v>jack-001</v></c>'
    plain[rows_before] = f'<row r="{last}"{row}>{cells}</row>'
    table = list(opened(pack(parts("".join(plain), styles=styles("000", "0")))).rows)

    assert [number for number, _ in table] == list(range(2, last + 2))
    assert table[-2][1] == shown
    assert {tuple(each) for number, each in table if number != last} == {("7", "")}


def test_a_row_and_a_column_with_formats() -> None:
    """The programs that apply them take that of the row."""
    columns = '<cols><col min="1" max="1" style="1"/></cols>'
    rows = '<row r="2" s="2" customFormat="1"><c r="A2"><v>7</v></c></row>'
    made = parts(rows, before=columns, styles=styles("000", "0"))

    assert cells_of(made) == ["7", ""]


def test_rows_without_numbers() -> None:
    """A row without a number follows the row before it, in whatever form that is."""
    rows = '<row><c r="A2"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c></row>'
    rows += '<row r="5"/><row ><c><v>3</v></c></row>'

    assert [number for number, _ in opened(pack(parts(rows))).rows] == [2, 3, 6]


def test_what_looks_like_a_row() -> None:
    """Comments and other namespaces may have anything in them."""
    row = '<row r="2"><c r="A2"><v>1</v></c></row>'
    rows = f'<!-- {row} --><x xmlns="other">{row}</x>{row}<!-- </row>{row} -->'
    rows += f"<![CDATA[{row}]]>"

    assert list(opened(pack(parts(rows))).rows) == [(2, ["1", ""])]


def test_days_from_1904() -> None:
    """The workbook says from which day it counts."""
    made = parts('<row r="2"><c r="A2" s="1"><v>44745</v></c></row>', styles=styles("yyyy-mm-dd"))
    book = str(made["xl/workbook.xml"])
    made["xl/workbook.xml"] = book.replace("<sheets", '<workbookPr date1904="true"/><sheets')

    assert note_of(cells_of(made)[0]) == CellNote("2026-07-04", Holds.DATE, "2026-07-04")


@pytest.mark.parametrize(
    "method", ["backslashes", "capitals", "absolute", "escaped", "other names"]
)
def test_parts_are_found_by_relations(method: str) -> None:
    """Parts may have any names; relations and archives spell them in several ways."""
    made = parts('<row r="2"><c r="A2"><v>1</v></c></row>')
    relations = "xl/_rels/workbook.xml.rels"
    target = {
        "absolute": "/xl/worksheets/sheet1.xml",
        "capitals": "Worksheets/SHEET1.xml",
        "backslashes": "worksheets\\sheet1.xml",
        "escaped": "worksheets/sheet%31.xml",
        "other names": "../other/data.xml",
    }[method]
    made[relations] = str(made[relations]).replace("worksheets/sheet1.xml", target)
    if method == "backslashes":
        made = {name.replace("/", "\\"): part for name, part in made.items()}
    if method == "other names":
        made["other/data.xml"] = made.pop(SHEET)
        made["main22.xml"] = made.pop("xl/workbook.xml")
        made["_rels/main22.xml.rels"] = made.pop(relations).replace("../other", "other")  # type: ignore[arg-type]
        made["_rels/.rels"] = str(made["_rels/.rels"]).replace("xl/workbook.xml", "main22.xml")

    assert cells_of(made) == ["1", ""]


def test_a_hidden_row_and_its_neighbours() -> None:
    """Rows hidden by a filter are read, and counted in a warning."""
    rows = "".join(
        f'<row r="{row}"{hidden}><c r="A{row}"><v>{row}</v></c></row>'
        for row, hidden in enumerate(
            ["", ' hidden="1"', ' hidden="0" ht="15"', ' ht="0" customHeight="1"', ' ht="0.75"'], 2
        )
    )
    table = opened(pack(parts(rows)))

    assert [number for number, _ in table.rows] == [2, 3, 4, 5, 6]
    assert [(each.code, each.message) for each in table.warnings] == [
        (
            "HIDDEN_ROWS",
            "2 rows are hidden, by a filter for instance, and were read as well; the first is row "
            "3.",
        )
    ]


def test_hidden_columns_and_merged_cells() -> None:
    """What is hidden or merged within the table is named, but not what lies elsewhere."""
    table = opened(
        pack(
            parts(
                '<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="B3"><v>2</v></c></row>',
                before='<cols><col min="2" max="4" hidden="1"/><col min="1" max="1"/></cols>',
                after='<mergeCells><mergeCell ref="D1:E1"/><mergeCell ref="A2:A3"/></mergeCells>',
            )
        )
    )

    assert [cells for _, cells in table.rows] == [["1", ""], ["", "2"]]
    assert [(each.code, each.message) for each in table.warnings] == [
        ("HIDDEN_COLUMNS", "Column B is hidden, and was read as well."),
        (
            "MERGED_CELLS",
            "The cells A2:A3 are merged. The value is that of the first cell alone; the others are "
            "blank.",
        ),
    ]


@pytest.mark.parametrize(
    ("area", "is_refused"),
    [("A2:A3", True), ("A2:B2", True), ("B1:B2", True), ("A3:B4", False), ("D2:D3", False)],
)
def test_a_value_under_merged_cells(area: str, is_refused: bool) -> None:
    """The sheet shows the first of them alone; a value of another one is not read in silence."""
    rows = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c><c r="D2"><v>3</v></c></row>'
    rows += '<row r="3"><c r="A3"><v>4</v></c><c r="B3" t="str"><v> </v></c><c r="D3"><v>5</v></c>'
    rows += '</row><row r="4"><c r="A4" s="0"/></row>'
    merged = f'<mergeCells><mergeCell ref="{area}"/></mergeCells>'
    made = pack(parts(rows, after=merged))

    if is_refused:
        code, message = refusal_of(made)
        assert code == "COVERED_CELL"
        assert message == (
            f"{area[-2:]} is merged with other cells, and has a value that the sheet does not show."
            " Unmerge the cells, and keep the values that are right."
        )
    else:
        assert [cells[0] for _, cells in opened(made).rows] == ["1", "4"]


@pytest.mark.parametrize(
    ("third", "is_named"),
    [('<c r="A4" t="str"><v>trv-1 </v></c>', False), ('<c r="A4" s="0"/>', True), ("", True)],
)
def test_a_value_that_merged_cells_repeat(third: str, is_named: bool) -> None:
    """Programs write a value into each of the cells, and merge these to show it once."""
    rows = "".join(
        f'<row r="{row}">{first}<c r="B{row}"><v>{row}</v></c></row>'
        for row, first in (
            (2, '<c r="A2" t="str"><v>trv-1</v></c>'),
            (3, '<c r="A3" t="str"><v>trv-1</v></c>'),
            (4, third),
        )
    )
    merged = '<mergeCells><mergeCell ref="A2:A4"/></mergeCells>'
    table = opened(pack(parts(rows, after=merged)))

    found = [cells[0].strip() for _, cells in table.rows]
    assert found == ["trv-1", "trv-1", "" if is_named else "trv-1"]
    assert [each.code for each in table.warnings] == ["MERGED_CELLS"] * is_named


def test_a_sheet_without_rows() -> None:
    """A sheet without rows is empty."""
    made = parts("")
    made[SHEET] = str(made[SHEET]).replace(HEADER, "")

    assert refusal_of(pack(made))[0] == "EMPTY_FILE"
