"""Text in any script survives: upload, row results, failed rows in a file, upload again."""

from __future__ import annotations

import csv
import io
from typing import Any
from unicodedata import normalize

import pytest

from importers.plugins.registry import load
from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.run_inline import run_here
from tests.api.api_fixture import Api, sql
from tests.fuzz.xlsx_writer import pack, parts_of

HEADER = ["tag_id", "case_status", "date_opened", "about"]
TEXTS = {
    "combining": "e\u0301 is not \u00e9",
    "right to left": "\u0639\u0631\u0628\u064a \u202e\u05e2\u05d1\u05e8\u202c \u2067x\u2069",
    "zero width": "a\u200bb\u200c\u200dc\u2060d\ufeffe",
    "emoji": "\U0001f469\u200d\U0001f680\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "planes": "\u4e2d\U00020000\U0010ffff\ue000",
    "indic": "\u0915\u094d\u0937\u0930 \u0e01\u0e33 \uac00\u1100\u1161",
    "quotes": "\"a\", 'b'; | x",
    "formula": "=1+1",
    "wide formula": "\uff1dcmd",
    "guard": "'quoted'",
    "one guard": "'=1",
    "two guards": "''=1",
    "separators": "a\u2028b",
    "escape of Excel": "_x0041_ _xD83D_",
    "markup": "<b>&amp;</b>]]>",
    "long": "\u00e9" * 9_999,
}
ROWS = """query ($id: ID!) { import(id: $id) { status failed passed failedRowsUrl
  errors { code } rows(first: 100) { edges { node { status cells { column value } } } } } }"""


def in_csv(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def in_workbook(rows: list[list[str]]) -> bytes:
    # Excel itself writes text that looks like an escape with an escape for its first character.
    return pack(parts_of([[cell.replace("_x", "_x005F_x") for cell in row] for row in rows]))


async def run(api: Api, name: str, content: bytes) -> dict[str, Any]:
    """Upload a file, run it, and return its import."""
    payload = await api.upload(content, name=name, type="add-cases", filename="cases.csv")
    assert payload["userErrors"] == []
    key = await sql("fetchval", "SELECT max(id) FROM imports")
    await run_here(key, load().importers)
    data = await api.data(ROWS, {"id": payload["import"]["id"]})
    found: dict[str, Any] = data["import"]
    return found


def abouts(found: dict[str, Any]) -> list[str]:
    """Return the cells of the column `about`."""
    cells = [edge["node"]["cells"] for edge in found["rows"]["edges"]]
    return [cell["value"] for row in cells for cell in row if cell["column"] == "about"]


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
@pytest.mark.parametrize("write", [in_csv, in_workbook], ids=["from csv", "from xlsx"])
async def test_any_text(api: Api, write: Any, format_: str) -> None:
    """Cells are the same at each step, and so is what is stored in the end."""
    texts = list(TEXTS.values())
    first = await run(api, "first", write([HEADER, *[["no tag", "", "", text] for text in texts]]))
    _, download, _ = await api.get(f"{first['failedRowsUrl']}?format={format_}")
    second = await run(api, "second", download)
    read = open_table(io.BytesIO(download), filename="", encoding=None, limits=Limits())
    mended = [[f"t-{number:02}", *cells[1:4]] for number, cells in read.rows]
    third = await run(api, "third", write([HEADER, *mended]))
    stored = await sql("fetch", "SELECT about FROM cases ORDER BY tag_id")

    assert abouts(first) == abouts(second) == abouts(third) == texts
    assert (first["failed"], second["failed"], third["passed"]) == (len(texts),) * 3
    assert [row["about"] for row in stored] == [normalize("NFC", text) for text in texts]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param("_x0000_", "NUL_BYTE", id="NUL by Excel's escape"),
        pytest.param("&#0;", "DAMAGED_WORKBOOK", id="NUL"),
        pytest.param("&#xD800;", "DAMAGED_WORKBOOK", id="half a character"),
    ],
)
async def test_what_is_no_text_in_a_workbook(api: Api, raw: str, code: str) -> None:
    """A NUL or half a character refuses the file: it can't be stored, and is not left out."""
    parts = parts_of([HEADER, ["a-1", "", "", "HERE"]])
    parts = {name: part.replace("HERE", raw) for name, part in parts.items()}
    found = await run(api, "first", pack(parts))

    assert found["status"] == "FAILED"
    assert [error["code"] for error in found["errors"]] == [code]


async def test_half_an_escaped_character_is_text(api: Api) -> None:
    """Excel's escape of half a character stands for nothing: it is kept as it is written."""
    parts = parts_of([HEADER, ["a-1", "", "", "_xD800_"]])
    found = await run(api, "first", pack(parts))

    assert abouts(found) == ["_xD800_"]
    assert found["passed"] == 1
