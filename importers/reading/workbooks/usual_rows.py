"""Rows of Excel's sheets in the form in which nearly all programs write them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from importers.reading.workbooks.escapes import unescaped
from importers.reading.workbooks.sheet import SheetRow
from importers.reading.workbooks.sheet_address import column_number
from importers.reading.workbooks.xml_parser import PLAIN_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.workbooks.xlsx_cells import CellReaders, Reader

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
    r'(?:/>|(?: t="(?:s|n)")?(?:/>|><v>[0-9.Ee+-]++</v></c>)'
    rf'| t="str"><v>{PLAIN_TEXT}</v></c>'
    r'| t="(?:b|e)"><v>[0-9A-Z#/!?_]++</v></c>'
    rf'| t="inlineStr"><is><t(?: xml:space="preserve")?>{PLAIN_TEXT}</t></is></c>)'
)


def _pattern(more_attributes: str = "") -> re.Pattern[str]:
    row = rf'<row r="([1-9][0-9]{{0,6}})"{_ROW_ATTRIBUTES}{more_attributes}'
    return re.compile(rf"(?:{row}(?:/>|>(?:{_CELL})*+</row>))*+")


USUAL_ROWS = _pattern()
"""Matches any number of rows, and nothing else."""

EXCELS_ROWS = _pattern(rf'(?: x14ac:dyDescent="{_NUMBER}")?')
"""The same where the prefix `x14ac` has been declared."""

# A cell's letters, other attributes, and text. These find no errors: the patterns above have.
_CELL_PARTS = re.compile(r'<c r="([A-Z]+)[0-9]+"([^/>]*)(?:/>|>(?:<is>)?<[vt][^>]*>([^<]*)<)')
_STYLE_AND_KIND = re.compile(r'(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?')
_ROW_START = '<row r="'
_MOST_SHAPES = 1000


class UsualRows:
    """Reads rows in the usual form.

    Rows of one shape, which have cells of the same types and styles in the same columns, have one
    plan: the columns, and for each cell the function that reads its text.
    """

    def __init__(self, readers: CellReaders) -> None:
        self._readers = readers
        self._plans: dict[object, tuple[tuple[int, ...], Sequence[Reader]]] = {}
        self._has_escapes = False

    def read(self, text: str) -> Iterator[SheetRow]:
        """Yield the rows of a text that a pattern matches; those without cells have no columns.

        Raises:
            LookupError, ValueError: a cell can't be read.
        """
        self._has_escapes = "&" in text or "_x" in text
        for piece in text.split("</row>"):
            number, _, cells = piece.rpartition(_ROW_START)[2].partition('"')
            found = _CELL_PARTS.findall(cells)
            if found:
                letters, attributes, stored = zip(*found, strict=True)
                shape = (self._has_escapes, letters, attributes)
                columns, readers = self._plans.get(shape) or self._plan(shape)
                yield SheetRow(
                    int(number),
                    columns,
                    [
                        read(cell) if cell else ""
                        for read, cell in zip(readers, stored, strict=True)
                    ],
                )
            elif number:
                yield SheetRow(int(number), (), [])

    def _plan(
        self, shape: tuple[bool, Sequence[str], Sequence[str]]
    ) -> tuple[tuple[int, ...], Sequence[Reader]]:
        _, letters, attributes = shape
        columns = tuple(map(column_number, letters))
        if any(one >= next_ for one, next_ in pairwise(columns)):
            raise ValueError(f"the cells {', '.join(letters[:10])} in this order")
        plan = columns, tuple(map(self._reader, attributes))
        if len(self._plans) > _MOST_SHAPES:
            self._plans.clear()
        self._plans[shape] = plan
        return plan

    def _reader(self, attributes: str) -> Reader:
        found = _STYLE_AND_KIND.fullmatch(attributes)
        style, kind = found.groups() if found else ("", "")
        read = self._readers.reader(kind or "n", style or "")
        if self._has_escapes and kind in ("str", "inlineStr"):
            return lambda text: read(unescaped(text))
        return read
