"""Rows of Excel's sheets in the form in which nearly all programs write them."""

from __future__ import annotations

import re
from itertools import pairwise, repeat
from typing import TYPE_CHECKING

from importers.reading.workbooks.escapes import unescaped
from importers.reading.workbooks.sheet import SheetRow
from importers.reading.workbooks.sheet_address import column_number
from importers.reading.workbooks.xlsx_cells import SharedTexts
from importers.reading.workbooks.xml_parser import PLAIN_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.workbooks.xlsx_cells import CellReaders, Reader

    _Shape = tuple[tuple[str, ...], tuple[str, ...]]
    """Each cell's letters and attributes."""
    _Plan = tuple[tuple[int, ...], Sequence[Reader]]
    """Each cell's column and reader."""

_NUMBER = "[0-9.Ee+-]{1,30}"
_TRUTH = "(?:0|1|true|false)"
# In the order in which programs write them. A hidden row is not usual, nor one without height.
_ROW_ATTRIBUTES = (
    rf'(?: ht="(?!0){_NUMBER}")?'
    rf'(?: hidden="(?:0|false)")?(?: customHeight="{_TRUTH}")?(?: outlineLevel="[0-9]")?'
    rf'(?: collapsed="{_TRUTH}")?(?: thickTop="{_TRUTH}")?(?: thickBot="{_TRUTH}")?'
    rf'(?: ph="{_TRUTH}")?'
)
_ROW_NUMBER = r'<row r="([1-9][0-9]{0,6})"(?: spans="[0-9: ]*+")?'
_NO_ROW_STYLE = '(?: s="[0-9]+")?(?: customFormat="(?:0|false)")?'
# Some programs apply the style of a row to its cells that have none.
_ROW_STYLE = rf'(?:(?P<styled> s="[0-9]+" customFormat="(?:1|true)")|{_NO_ROW_STYLE})'
_ANY_ROW_STYLE = rf'(?: s="[0-9]+")?(?: customFormat="{_TRUTH}")?'
_STYLE = ' s="[0-9]{1,5}"'
# A cell of the row whose number is the first group.
_CELL = (
    rf'<c r="[A-Z]{{1,3}}\1"(?(styled){_STYLE}|(?:{_STYLE})?)'
    r'(?: ?/>|(?: t="(?:s|n)")?(?: ?/>|>FORMULA<v>[0-9.Ee+-]++</v></c>)'
    rf'| t="str">FORMULA<v>{PLAIN_TEXT}</v></c>'
    r'| t="(?:b|e)">FORMULA<v>[0-9A-Z#/!?_]++</v></c>'
    r'| t="inlineStr"(?: ?/>'
    rf'|><is><t(?: xml:space="preserve")?>{PLAIN_TEXT}</t></is></c>))'
)
_DESCENT = rf'(?: x14ac:dyDescent="{_NUMBER}")?'
_FORMULA = rf"(?:<f>{PLAIN_TEXT}</f>)?"
# What the tag of a cell of a certain type goes on with; of its groups, one is the cell's text.
_STORED = {
    **dict.fromkeys(("n", "s"), r"(?: ?/>|>FORMULA<v>([0-9.Ee+-]++)</v></c>)"),
    **dict.fromkeys(("b", "e"), r">FORMULA<v>([0-9A-Z#/!?_]++)</v></c>"),
    "str": rf">FORMULA<v>({PLAIN_TEXT})</v></c>",
    "inlineStr": r'(?: ?/>|><is><t(?: xml:space="preserve")?>'
    rf"({PLAIN_TEXT})</t></is></c>)",
}


class RowForm:
    """The usual form of the rows of a sheet.

    Args:
        is_excels: the prefix `x14ac`, of an attribute that Excel adds to rows, has been declared.
        has_results: the values of formulas are certain to be their results.

    Attributes:
        rows: a pattern that matches any number of rows, and nothing else.
    """

    def __init__(self, *, is_excels: bool = False, has_results: bool = True) -> None:
        self._attributes = _ROW_ATTRIBUTES + (_DESCENT if is_excels else "")
        self._formula = _FORMULA if has_results else ""
        cell = _CELL.replace("FORMULA", self._formula)
        tag = _ROW_NUMBER + _ROW_STYLE + self._attributes
        # A pattern remembers a row's style in the next rows as well, and may end before them.
        self.rows = re.compile(rf"(?:{tag}(?:/>|>(?:{cell})*+</row>))*+")

    def like(self, letters: Sequence[str], attributes: Sequence[str]) -> re.Pattern[str]:
        """Return a pattern of rows with cells in these columns, with these types and styles.

        Any cell may be missing. What the pattern matches, `rows` matches as well, at a third of the
        speed. Its groups are the row's number, each cell's text, and all that is no such row.
        """
        cells = "".join(map(self._cell_like, letters, attributes))
        have_styles = all(_style_and_kind(each)[0] for each in attributes)
        style = _ANY_ROW_STYLE if have_styles else _NO_ROW_STYLE
        return re.compile(rf"{_ROW_NUMBER}{style}{self._attributes}>{cells}</row>|([\s\S]+)")

    def _cell_like(self, letters: str, attributes: str) -> str:
        _, kind = _style_and_kind(attributes)
        stored = _STORED[kind].replace("FORMULA", self._formula)
        return rf'(?:<c r="{letters}\1"{attributes.rstrip()}{stored})?+'


# A cell's letters, other attributes, and text. These find no errors: the patterns above have.
_CELL_PARTS = re.compile(
    r'<c r="([A-Z]+)[0-9]++"([^/>]*+)(?:/>|>(?:<f>[^<]*+</f>|<is>)?<[vt][^>]*+>([^<]*+)<)'
)
_STYLE_AND_KIND = re.compile(r'(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?')
_ROW_START, _ROW_END = '<row r="', "</row>"
_MOST_SHAPES = 1000
# Where rows of many shapes follow one another, or are wide, patterns of one shape take longer.
_FEW_ROWS, _MOST_FAILURES, _MOST_CELLS = 20, 20, 100


def _style_and_kind(attributes: str) -> tuple[str, str]:
    found = _STYLE_AND_KIND.fullmatch(attributes.rstrip())
    style, kind = found.groups() if found else ("", "")
    return style or "", kind or "n"


class UsualRows:
    """Reads rows in the usual form.

    Rows of one shape, which have cells of the same types and styles in the same columns, have one
    plan: the columns, and for each cell the function that reads its text. Where many rows have the
    shape of the first, they are read a column at a time.
    """

    def __init__(self, readers: CellReaders, form: RowForm) -> None:
        self._readers = readers
        self._form = form
        self._plans: dict[tuple[bool, _Shape], _Plan] = {}
        self._shape: _Shape | None = None
        self._patterns: dict[_Shape, re.Pattern[str]] = {}
        self._failures = 0

    def read(self, text: str, start: int) -> tuple[Iterator[SheetRow], int]:
        """Return the rows in the usual form that begin at a place, and where they end.

        Rows without cells may have no columns.

        Raises:
            LookupError, ValueError: a cell can't be read.
        """
        if self._failures < _MOST_FAILURES:
            self._shape = self._shape or self._shape_at(text, start)
            if self._shape:
                rows, end = self._read_alike(text, start, self._shape)
                if end > start:
                    return rows, end
        found = self._form.rows.match(text, start)
        if not found or found.end() == start:
            return iter(()), start
        each = self._read_each(found[0].split(_ROW_END), has_escapes=_may_have_escapes(found[0]))
        return each, found.end()

    def _shape_at(self, text: str, start: int) -> _Shape | None:
        """Return the shape of the row at a place, if it has cells and is in the usual form."""
        end = text.find(_ROW_END, start) + len(_ROW_END)
        is_one = text.count(_ROW_START, start, end) == 1
        if not (is_one and self._form.rows.fullmatch(text, start, end)):
            return None
        cells = _CELL_PARTS.findall(text, start, end)
        if not 0 < len(cells) <= _MOST_CELLS:
            return None
        letters, attributes, _ = zip(*cells, strict=True)
        return letters, tuple(map(str.rstrip, attributes))

    def _read_alike(self, text: str, start: int, shape: _Shape) -> tuple[Iterator[SheetRow], int]:
        """Read the rows that have a shape, up to the first that has another."""
        pattern = self._patterns.get(shape)
        if pattern is None:
            self._patterns[shape] = pattern = self._form.like(*shape)
        found = pattern.findall(text, start)
        rest = found.pop()[-1] if found[-1][-1] else ""
        if len(found) < _FEW_ROWS:
            self._failures += 1
            self._shape = None
        if not found:
            return iter(()), start
        numbers, *stored, _ = zip(*found, strict=True)
        has_escapes = any(_may_have_escapes("".join(column)) for column in stored)
        columns, readers = self._plan(shape, has_escapes=has_escapes)
        texts = map(list, zip(*map(_read_column, readers, stored), strict=True))
        return map(SheetRow, map(int, numbers), repeat(columns), texts), len(text) - len(rest)

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
                columns, readers = self._plan((letters, attributes), has_escapes=has_escapes)
                pairs = zip(readers, stored, strict=True)
                yield SheetRow(
                    int(number), columns, [read(cell) if cell else "" for read, cell in pairs]
                )

    def _plan(self, shape: _Shape, *, has_escapes: bool) -> _Plan:
        plan = self._plans.get((has_escapes, shape))
        if plan is None:
            letters, attributes = shape
            columns = tuple(map(column_number, letters))
            if any(one >= next_ for one, next_ in pairwise(columns)):
                raise ValueError(f"the cells {', '.join(letters[:10])} in this order")
            plan = (
                columns,
                [
                    self._reader(each, column, has_escapes=has_escapes)
                    for each, column in zip(attributes, columns, strict=True)
                ],
            )
            if len(self._plans) > _MOST_SHAPES:
                self._plans.clear()
            self._plans[has_escapes, shape] = plan
        return plan

    def _reader(self, attributes: str, column: int, *, has_escapes: bool) -> Reader:
        style, kind = _style_and_kind(attributes)
        read = self._readers.reader(kind, style, column)
        if has_escapes and kind in ("str", "inlineStr"):
            return lambda text: read(unescaped(text))
        return read


def _may_have_escapes(text: str) -> bool:
    return "&" in text or "_x" in text


def _read_column(read: Reader, stored: Sequence[str]) -> Sequence[str]:
    if read is str:
        return stored
    if "" in stored:
        return [read(cell) if cell else "" for cell in stored]
    return read.column(stored) if isinstance(read, SharedTexts) else list(map(read, stored))
