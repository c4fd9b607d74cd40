"""Rows of Excel's sheets in the form in which nearly all programs write them."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise, repeat
from operator import methodcaller
from typing import TYPE_CHECKING

from importers.reading.workbooks.escapes import unescaped
from importers.reading.workbooks.sheet import SheetRow
from importers.reading.workbooks.sheet_address import column_number
from importers.reading.workbooks.xml_parser import PLAIN_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.workbooks.xlsx_cells import CellReaders, Reader

    _Shape = tuple[bool, tuple[str, ...], tuple[str, ...]]
    """Whether texts have escapes, and each cell's letters and attributes."""
    _Plan = tuple[tuple[int, ...], Sequence[Reader]]
    """Each cell's column and reader."""

_NUMBER = "[0-9.Ee+-]{1,30}"
_TRUTH = "(?:0|1|true|false)"
# In the order in which programs write them. A hidden row is not usual.
_ROW_ATTRIBUTES = (
    rf'(?: spans="[0-9: ]*+")?(?: s="[0-9]+")?(?: customFormat="{_TRUTH}")?(?: ht="{_NUMBER}")?'
    rf'(?: hidden="(?:0|false)")?(?: customHeight="{_TRUTH}")?(?: outlineLevel="[0-9]")?'
    rf'(?: collapsed="{_TRUTH}")?(?: thickTop="{_TRUTH}")?(?: thickBot="{_TRUTH}")?'
    rf'(?: ph="{_TRUTH}")?'
)
# A cell of the row whose number is the first group.
_CELL = (
    r'<c r="[A-Z]{1,3}\1"(?: s="[0-9]{1,5}")?'
    r'(?: ?/>|(?: t="(?:s|n)")?(?: ?/>|>FORMULA<v>[0-9.Ee+-]++</v></c>)'
    rf'| t="str">FORMULA<v>{PLAIN_TEXT}</v></c>'
    r'| t="(?:b|e)">FORMULA<v>[0-9A-Z#/!?_]++</v></c>'
    r'| t="inlineStr"(?: ?/>'
    rf'|><is><t(?: xml:space="preserve")?>{PLAIN_TEXT}</t></is></c>))'
)


_DESCENT = rf'(?: x14ac:dyDescent="{_NUMBER}")?'
_FORMULA = rf"(?:<f>{PLAIN_TEXT}</f>)?"


@cache
def usual_rows_pattern(*, is_excels: bool = False, has_results: bool = True) -> re.Pattern[str]:
    """Return a pattern that matches any number of rows, and nothing else.

    Args:
        is_excels: the prefix `x14ac`, of an attribute that Excel adds to rows, has been declared.
        has_results: the values of formulas are certain to be their results.
    """
    descent = _DESCENT if is_excels else ""
    row = rf'<row r="([1-9][0-9]{{0,6}})"{_ROW_ATTRIBUTES}{descent}'
    cell = _CELL.replace("FORMULA", _FORMULA if has_results else "")
    return re.compile(rf"(?:{row}(?:/>|>(?:{cell})*+</row>))*+")


# A cell's letters, other attributes, and text. These find no errors: the patterns above have.
_CELL_PARTS = re.compile(
    r'<c r="([A-Z]+)[0-9]++"([^/>]*+)(?:/>|>(?:<f>[^<]*+</f>|<is>)?<[vt][^>]*+>([^<]*+)<)'
)
_STYLE_AND_KIND = re.compile(r'(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?')
_ROW_START, _ROW_END = '<row r="', "</row>"
_ROW_NUMBER = re.compile('<row r="([0-9]+)')
_count_cells = methodcaller("count", "<c ")
_MOST_SHAPES = 1000


class UsualRows:
    """Reads rows in the usual form.

    Rows of one shape, which have cells of the same types and styles in the same columns, have one
    plan: the columns, and for each cell the function that reads its text. Where all rows of a text
    have one shape, they are read a column at a time.
    """

    def __init__(self, readers: CellReaders) -> None:
        self._readers = readers
        self._plans: dict[_Shape, _Plan] = {}

    def read(self, text: str) -> Iterator[SheetRow]:
        """Return the rows of a text that a pattern matches; those without cells have no columns.

        Raises:
            LookupError, ValueError: a cell can't be read.
        """
        has_escapes = "&" in text or "_x" in text
        pieces = text.split(_ROW_END)
        numbers = _ROW_NUMBER.findall(text)
        counts = {*map(_count_cells, pieces[:-1])}
        # Neither empty rows, nor rows of different lengths.
        if len(numbers) == len(pieces) - 1 and len(counts) == 1 and (width := counts.pop()):
            letters, attributes, stored = zip(*_CELL_PARTS.findall(text), strict=True)
            shape = (has_escapes, letters[:width], attributes[:width])
            times = len(numbers)
            if letters == shape[1] * times and attributes == shape[2] * times:
                return self._read_columns(list(map(int, numbers)), shape, stored)
        return self._read_each(pieces, has_escapes=has_escapes)

    def _read_columns(
        self, numbers: Sequence[int], shape: _Shape, stored: Sequence[str]
    ) -> Iterator[SheetRow]:
        columns, readers = self._plan(shape)
        width = len(columns)
        texts = [_read_column(read, stored[place::width]) for place, read in enumerate(readers)]
        return map(SheetRow, numbers, repeat(columns), map(list, zip(*texts, strict=True)))

    def _read_each(self, pieces: Sequence[str], *, has_escapes: bool) -> Iterator[SheetRow]:
        for piece in pieces:
            rows = piece.split(_ROW_START)[1:]
            # Empty rows, which have no end tag, may come before the one with cells.
            for row in rows:
                number, _, cells = row.partition('"')
                found = _CELL_PARTS.findall(cells)
                if not found:
                    yield SheetRow(int(number), (), [])
                    continue
                letters, attributes, stored = zip(*found, strict=True)
                columns, readers = self._plan((has_escapes, letters, attributes))
                pairs = zip(readers, stored, strict=True)
                yield SheetRow(
                    int(number), columns, [read(cell) if cell else "" for read, cell in pairs]
                )

    def _plan(self, shape: _Shape) -> _Plan:
        plan = self._plans.get(shape)
        if plan is None:
            has_escapes, letters, attributes = shape
            columns = tuple(map(column_number, letters))
            if any(one >= next_ for one, next_ in pairwise(columns)):
                raise ValueError(f"the cells {', '.join(letters[:10])} in this order")
            plan = columns, [self._reader(each, has_escapes=has_escapes) for each in attributes]
            if len(self._plans) > _MOST_SHAPES:
                self._plans.clear()
            self._plans[shape] = plan
        return plan

    def _reader(self, attributes: str, *, has_escapes: bool) -> Reader:
        found = _STYLE_AND_KIND.fullmatch(attributes.rstrip())
        style, kind = found.groups() if found else ("", "")
        read = self._readers.reader(kind or "n", style or "")
        if has_escapes and kind in ("str", "inlineStr"):
            return lambda text: read(unescaped(text))
        return read


def _read_column(read: Reader, stored: Sequence[str]) -> Sequence[str]:
    if "" in stored:
        return [read(cell) if cell else "" for cell in stored]
    return stored if read is str else list(map(read, stored))
