"""Workbooks of hand-made XML, for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from importers.reading.limits import Limits
from importers.reading.table import Table, open_table
from importers.sdk.errors import FileRefusedError
from tests.fuzz.xlsx_writer import SHEET, pack, parts_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
HEADER = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
)
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def parts(rows: str, *, before: str = "", after: str = "", **others: str) -> dict[str, str | bytes]:
    """Return the parts of a workbook with a sheet of these rows, of which `HEADER` is the first.

    Args:
        before: XML before the rows.
        after: XML behind them.
        others: content of `styles` and `sharedStrings`.
    """
    sheet = f'<worksheet xmlns="{MAIN}">{before}<sheetData>{HEADER}{rows}</sheetData>{after}'
    made: dict[str, str | bytes] = dict(parts_of([]))
    made[SHEET] = f"{sheet}</worksheet>"
    relations = "xl/_rels/workbook.xml.rels"
    for name, content in others.items():
        made[f"xl/{name}.xml"] = content
        relation = f'<Relationship Id="{name}" Type="http://x/{name}" Target="{name}.xml"/></Rel'
        made[relations] = str(made[relations]).replace("</Rel", relation)
    return made


def styles(*codes: str) -> str:
    """Return a part of styles: the first is `General`, each other has one of these codes."""
    formats = "".join(
        f'<numFmt numFmtId="{164 + place}" formatCode="{code}"/>'
        for place, code in enumerate(codes)
    )
    cells = "".join(f'<xf numFmtId="{164 + place}"/>' for place in range(len(codes)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{cells}</cellXfs></styleSheet>'
    )


def strings(*items: str) -> str:
    """Return a part of texts."""
    return f'<sst xmlns="{MAIN}">{"".join(f"<si>{item}</si>" for item in items)}</sst>'


def cells_of(made: Mapping[str, str | bytes]) -> list[str]:
    """Return the cells of the only row below the header."""
    ((_, cells),) = opened(pack(made)).rows
    return cells


def opened(data: bytes) -> Table:
    return open_table(io.BytesIO(data), filename="a.xlsx", encoding=None, limits=Limits())


def refusal_of(data: bytes) -> tuple[str, str]:
    """Return code and message of the refusal of a workbook."""
    try:
        list(opened(data).rows)
    except FileRefusedError as error:
        return error.errors[0].code, error.errors[0].message
    raise AssertionError("it was read")


def ods(sheets: str, *, automatic_styles: str = "", manifest: str = "") -> bytes:
    """Return an OpenDocument spreadsheet with these sheets."""
    names = "".join(
        f' xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text", "style")
    )
    names += f' xmlns:draw="{OFFICE}:drawing:1.0" xmlns:number="{OFFICE}:datastyle:1.0"'
    names += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    content = (
        f"<office:document-content{names}>"
        f"<office:automatic-styles>{automatic_styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    made = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content,
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0">'
        f"{manifest}</manifest:manifest>",
    }
    return pack(made, zipfile.ZIP_STORED)
