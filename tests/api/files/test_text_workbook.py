"""Workbooks of texts, as spreadsheet programs see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.files.text_workbook import SheetColumn, TextWorkbook
from api.schema.importing.plugin_descriptions import ColumnDescription
from importers.reading.limits import Limits
from importers.reading.table import open_table

PLAIN = [SheetColumn(name=name, width=10) for name in ("a", "b", "c")]
TEXTS = ["007", "1E+05", "05-Jan", "TRUE", "1/5", "=1+1", "#N/A", " x ", "0.10", "\u00e9\U0001f600"]


def written(
    path: Path,
    columns: list[SheetColumn] = PLAIN,
    rows: list[list[str]] | None = None,
    notes: dict[int, str] | None = None,
) -> Any:
    """Write a workbook, and return its sheet as openpyxl reads it."""
    workbook = TextWorkbook(path / "x.xlsx", columns)
    for cells in rows or []:
        workbook.add_row(cells, notes or {})
    workbook.close()
    return openpyxl.load_workbook(path / "x.xlsx").active


def read(path: Path) -> list[list[str]]:
    """Read the rows as an upload does."""
    with (path / "x.xlsx").open("rb") as file:
        table = open_table(file, filename="x.xlsx", encoding=None, limits=Limits())
        return [cells for _, cells in table.rows]


def test_cells_are_texts(tmp_path: Path) -> None:
    """Each cell is a text in the format of texts, also one that looks like something else."""
    sheet = written(tmp_path, rows=[[text, text, text] for text in TEXTS])

    cells = [cell for [cell, *_] in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == TEXTS
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert sheet.column_dimensions["A"].width == pytest.approx(10, abs=1)
    assert read(tmp_path) == [[text, text, text] for text in TEXTS]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\nb\tc", id="line break and tab"),
        pytest.param("_x0041_ _xD83D_", id="looks like an escape"),
        pytest.param("a\u2028b\u200b\ufeff\u202ec", id="invisible"),
        pytest.param("<b>&amp;</b>]]>", id="markup"),
        pytest.param("\U0010ffff\ufffd\ue000", id="last of their planes"),
        pytest.param("x" * 32_767, id="longest"),
    ],
)
def test_any_text(tmp_path: Path, text: str) -> None:
    """What was written is read again."""
    written(tmp_path, rows=[[text, "", "c"]])

    assert read(tmp_path) == [[text, "", "c"]]


def test_header(tmp_path: Path) -> None:
    """The header is bold and stays in sight; it says what goes into a column."""
    columns = [SheetColumn(name="Case-ID", width=10, help="The case."), *PLAIN]
    sheet = written(tmp_path, columns)

    assert [cell.value for cell in sheet[1]] == ["Case-ID", "a", "b", "c"]
    assert all(cell.font.bold for cell in sheet[1])
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].comment.text == "The case."
    assert sheet["B1"].comment is None


def test_notes(tmp_path: Path) -> None:
    """A cell with a note is marked."""
    sheet = written(tmp_path, rows=[["x", "y"]], notes={1: "is\nwrong."})

    assert sheet["B2"].comment.text == "is\nwrong."
    assert sheet["B2"].fill.fgColor.rgb == "FFFFD9D9"
    assert sheet["A2"].fill.fill_type is None
    assert sheet["B2"].number_format == "@"
    assert sheet["A2"].comment is None


def test_many_notes(tmp_path: Path) -> None:
    """After two thousand notes, cells are only marked: notes are held in memory."""
    sheet = written(tmp_path, rows=[["x"]] * 2_001, notes={0: "wrong"})

    assert sheet["A2001"].comment
    assert sheet["A2002"].comment is None
    assert sheet["A2002"].fill.fgColor.rgb == sheet["A2"].fill.fgColor.rgb == "FFFFD9D9"


@pytest.mark.parametrize(
    ("choices", "formula"),
    [
        pytest.param(["0", "1"], '"0,1"', id="some"),
        pytest.param(["x" * 127] * 2, f'"{"x" * 127},{"x" * 127}"', id="longest"),
        pytest.param(["x" * 128] * 2, None, id="more than a list may have"),
        pytest.param(["a,b", "c"], None, id="with a comma"),
        pytest.param([], None, id="none"),
    ],
)
def test_choices(tmp_path: Path, choices: list[str], formula: str | None) -> None:
    """A drop-down list helps with all rows, and refuses nothing."""
    sheet = written(tmp_path, [PLAIN[0], SheetColumn(name="b", width=9, choices=choices)])

    found = sheet.data_validations.dataValidation
    assert [each.formula1 for each in found] == ([formula] if formula else [])
    assert not any(each.showErrorMessage for each in found)
    assert all(str(each.sqref) == "B2:B1048576" for each in found)


@pytest.mark.parametrize(("cells", "width"), [([""], 10), (["x" * 28, "y"], 30), (["x" * 99], 50)])
def test_width(cells: list[str], width: int) -> None:
    """A column is as wide as its cells, within limits."""
    described = ColumnDescription(name="about", help="What it is about.", choices=("a",))

    assert SheetColumn.of("About", described, cells) == SheetColumn(
        name="About", help="What it is about.", choices=("a",), width=width
    )
    assert SheetColumn.of("About", None, cells) == SheetColumn(name="About", width=width)
