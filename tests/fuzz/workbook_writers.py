"""Programs that write workbooks, and one that writes XML in all the ways that are allowed."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import xlsxwriter

from tests.fuzz.workbook_cells import KnownCell
from tests.fuzz.xlsx_writer import SHEET, pack, parts_of

Rows = Sequence[Sequence[KnownCell]]
Writer = Callable[[Rows, Random], bytes]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_EPOCH = datetime.datetime(1899, 12, 30)  # noqa: DTZ001


def by_openpyxl(rows: Rows, _: Random) -> bytes:
    """Write a workbook with openpyxl."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for number, cells in enumerate(rows, 1):
        for column, known in enumerate(cells, 1):
            cell = sheet.cell(number, column)
            cell.value = known.value
            cell.number_format = known.code
            if isinstance(known.value, str):
                # It leaves escaping of what looks like an escape to its caller.
                cell.value = known.value.replace("_x", "_x005F_x")
                cell.data_type = "e" if known.is_error else "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_xlsxwriter(rows: Rows, random: Random) -> bytes:
    """Write a workbook with XlsxWriter, with shared texts or without."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "constant_memory": random.random() < 0.5}
    )
    sheet = book.add_worksheet()
    formats: dict[str, Any] = {}
    for number, cells in enumerate(rows):
        for column, known in enumerate(cells):
            if known.code not in formats:
                formats[known.code] = book.add_format({"num_format": known.code})
            style = formats[known.code]
            if known.is_error:
                sheet.write_formula(number, column, "=1/0", style, known.value)
            elif isinstance(known.value, str):
                sheet.write_string(number, column, known.value, style)
            elif isinstance(known.value, bool):
                sheet.write_boolean(number, column, known.value, style)
            elif isinstance(known.value, datetime.datetime):
                sheet.write_datetime(number, column, known.value, style)
            else:
                sheet.write_number(number, column, known.value, style)
    book.close()
    return buffer.getvalue()


def by_hand(rows: Rows, random: Random) -> bytes:
    """Write a workbook whose sheet is spelled in a random way."""
    return _Spelling(random).workbook(rows)


class _Spelling:
    """One way to write XML for a whole sheet; some choices are made anew for each cell."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._prefix = random.choice(("", "", "x:", "s:"))
        self._namespace = random.choice((_MAIN, _MAIN, _STRICT))
        self._encoding = random.choice(("utf-8", "utf-8", "utf-16"))
        self._is_plain = random.random() < 0.5
        self._styles = ["General"]
        self._strings: list[str] = []

    def workbook(self, rows: Rows) -> bytes:
        parts: dict[str, str | bytes] = dict(parts_of([]))
        written = "".join(self._row(number, cells) for number, cells in enumerate(rows, 1))
        name = self._prefix.rstrip(":")
        declared = f'xmlns{name and f":{name}"}="{self._namespace}"'
        sheet = self._element("sheetData", "", written)
        sheet = self._element("worksheet", declared, sheet)
        encoded = f'<?xml version="1.0" encoding="{self._encoding}"?>{sheet}'
        parts[SHEET] = encoded.encode(self._encoding)
        parts["xl/styles.xml"] = self._styles_part()
        strings = "".join(f"<si><t>{text}</t></si>" for text in self._strings)
        parts["xl/texts.xml"] = f'<sst xmlns="{_MAIN}">{strings}</sst>'
        relations = "xl/_rels/workbook.xml.rels"
        more = '<Relationship Id="a" Type="x/styles" Target="styles.xml"/>'
        more += '<Relationship Id="b" Type="x/sharedStrings" Target="/xl/texts.xml"/></Rel'
        parts[relations] = str(parts[relations]).replace("</Rel", more)
        return pack(parts)

    def _styles_part(self) -> str:
        codes = "".join(
            f"<numFmt numFmtId='{200 + place}' formatCode={quoteattr(code)}/>"
            for place, code in enumerate(self._styles)
        )
        cells = "".join(f"<xf numFmtId='{200 + place}'/>" for place in range(len(self._styles)))
        return (
            f"<styleSheet xmlns='{_MAIN}'><numFmts>{codes}</numFmts>"
            f"<cellXfs>{cells}</cellXfs></styleSheet>"
        )

    def _row(self, number: int, cells: Sequence[KnownCell]) -> str:
        written = "".join(self._cell(number, place, cell) for place, cell in enumerate(cells))
        return self._element("row", self._attributes({"r": str(number)}), written)

    def _cell(self, number: int, place: int, known: KnownCell) -> str:
        if known.code not in self._styles:
            self._styles.append(known.code)
        attributes = {"r": f"{chr(65 + place)}{number}"}
        if style := self._styles.index(known.code):
            attributes["s"] = str(style)
        kind, content = self._content(known)
        if kind:
            attributes["t"] = kind
        return self._element("c", self._attributes(attributes), content)

    def _content(self, known: KnownCell) -> tuple[str, str]:
        value = known.value
        formula = ""
        if self._random.random() < 0.2:
            formula = self._element("f", "", self._escaped('IF(A1<>"&",B1)'))
        if known.is_error:
            return "e", formula + self._element("v", "", self._escaped(str(value)))
        if isinstance(value, bool):
            return "b", formula + self._element("v", "", str(int(value)))
        if isinstance(value, datetime.datetime):
            days = (value - _EPOCH) / datetime.timedelta(days=1)
            return "", formula + self._element("v", "", repr(days))
        if not isinstance(value, str):
            return "", formula + self._element("v", "", self._number(value))
        return self._text(value, formula)

    def _text(self, value: str, formula: str) -> tuple[str, str]:
        text = self._escaped(value.replace("_x", "_x005F_x"))
        kind = self._random.choice(("s", "str", "inlineStr"))
        if kind == "s":
            self._strings.append(text)
            return kind, self._element("v", "", str(len(self._strings) - 1))
        if kind == "str":
            return kind, formula + self._element("v", "", text)
        return kind, self._element("is", "", self._element("t", 'xml:space="preserve"', text))

    def _number(self, value: float) -> str:
        if isinstance(value, int) and not self._is_plain and self._random.random() < 0.3:
            return self._random.choice((f"{value}.0", f"{value}e0", f" {value}\n"))
        return repr(value)

    def _escaped(self, text: str) -> str:
        if self._is_plain:
            return escape(text)
        way = self._random.randrange(4)
        if way == 0:
            return "".join(f"&#{ord(letter)};" for letter in text)
        if way == 1:
            return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
        return escape(text) + (f"<!-- </row> {'<c>'} -->" if way == 2 else "")

    def _attributes(self, attributes: dict[str, str]) -> str:
        if self._is_plain:
            return " ".join(f'{name}="{value}"' for name, value in attributes.items())
        items = list(attributes.items())
        self._random.shuffle(items)
        quote = self._random.choice("\"'")
        return "\n ".join(f"{name} = {quote}{value}{quote}" for name, value in items)

    def _element(self, name: str, attributes: str, content: str) -> str:
        tag = f"{self._prefix}{name}"
        space = "" if self._is_plain else self._random.choice(("", " ", "\n\t"))
        start = f"<{tag} {attributes}{space}>" if attributes else f"<{tag}{space}>"
        around = space if name in ("row", "c", "is", "worksheet", "sheetData") else ""
        return f"{start}{around}{content}{around}</{tag}{space}>"


WRITERS: tuple[Writer, ...] = (by_openpyxl, by_xlsxwriter, by_hand, by_hand)
