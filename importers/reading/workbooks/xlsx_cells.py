"""Cells of Excel workbooks: from what is stored to what the sheet shows."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from importers.reading.number_formats.number_text import stored_number
from importers.sdk.cell_note import Holds, shown_text, struck_text, with_note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from importers.reading.number_formats.number_format import NumberFormat

    Reader = Callable[[str], str]

_BOOLEANS = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}
_MOST_REMEMBERED = 50_000
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


class CellReaders:
    """Makes a function for each type and style of cells, from the stored text to the shown one.

    Args:
        formats: number formats, by style.
        strings: texts, by the numbers that cells name them with.
        shows_zeros: whether the sheet shows zeros.
        column_styles: styles of whole columns.
        struck: numbers of styles whose cells are struck out.
    """

    def __init__(
        self,
        formats: Sequence[NumberFormat],
        strings: Sequence[str],
        *,
        shows_zeros: bool = True,
        column_styles: Sequence[tuple[range, str]] = (),
        struck: Collection[int] = (),
    ) -> None:
        self._formats = formats
        self._strings = strings
        self._shows_zeros = shows_zeros
        self._column_styles = column_styles
        self._struck = struck
        self._made: dict[tuple[str, str], Reader] = {}

    def reader(self, kind: str, style: str, column: int, row_style: str = "") -> Reader:
        """Return the function for cells of a type; it takes a text without spaces around it.

        Args:
            kind: the type as a workbook writes it: `s`, `n`, `str`, `inlineStr`, `b`, `e`, `d`.
            style: the number of the cell's style, as text; blank if the cell has none.
            column: the index of the cell's column.
            row_style: the number of the row's style; blank if it has none.

        Raises:
            ValueError: there is no such type or style.
        """
        plain = self._reader(kind, style)
        if kind != "n" or style.strip():
            return plain
        of_column = (each for columns, each in self._column_styles if column in columns)
        styled = row_style or next(of_column, style)
        if self._format(styled) is self._format(style):
            return plain
        return _shown_alike(plain, self._reader(kind, styled))

    def _reader(self, kind: str, style: str) -> Reader:
        found = self._made.get((kind, style))
        if found is None:
            found = self._make(kind, self._format(style))
            if _index(style.strip() or "0") in self._struck:
                found = _struck(found)
            self._made[kind, style] = found
        return found

    def _format(self, style: str) -> NumberFormat:
        index = _index(style.strip() or "0")
        if index is None or index >= len(self._formats):
            raise ValueError(f"the style {style[:20]}")
        return self._formats[index]

    def _make(self, kind: str, format_: NumberFormat) -> Reader:
        # `str` returns a text as it is, faster than a function in Python.
        text = str if format_.shows_plain_text else format_.text
        readers: dict[str, Reader] = {
            "s": SharedTexts(self._strings, format_),
            "n": _Remembered(_number(format_, shows_zeros=self._shows_zeros)).__getitem__,
            "str": text,
            "inlineStr": text,
            "b": lambda text: with_note(_BOOLEANS[text], Holds.BOOLEAN),
            "e": lambda text: with_note(text, Holds.ERROR),
            "d": lambda text: _iso_moment(text, format_),
        }
        if kind not in readers:
            raise ValueError(f"the type '{kind}'")
        return readers[kind]


def _struck(read: Reader) -> Reader:
    return lambda text: struck_text(read(text))


class _Remembered(dict[str, str]):
    """What numbers are shown as: most columns of numbers have few different ones."""

    def __init__(self, read: Reader) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> str:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        shown = self[text] = self._read(text)
        return shown


class SharedTexts:
    """Reads cells that name a text of the workbook by its number."""

    def __init__(self, strings: Sequence[str], format_: NumberFormat) -> None:
        self._strings = strings
        self._format = format_

    def __call__(self, text: str) -> str:
        index = _index(text)
        if index is None or index >= len(self._strings):
            raise ValueError(f"the text '{text[:20]}'")
        found = self._strings[index]
        return found if self._format.shows_plain_text else self._format.text(found)

    def column(self, texts: Sequence[str]) -> list[str]:
        """Read many cells, none of them empty, in a few calls."""
        digits = "".join(texts)
        if not (self._format.shows_plain_text and digits.isascii() and digits.isdecimal()):
            return list(map(self, texts))
        try:
            return list(map(self._strings.__getitem__, map(int, texts)))
        except IndexError:
            return list(map(self, texts))  # says which


def _number(format_: NumberFormat, *, shows_zeros: bool) -> Reader:
    def number(text: str) -> str:
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"'{text[:20]}' is no number")
        if not shows_zeros and not float(text):
            return with_note("", Holds.UNSHOWN, "0, which the sheet hides")
        return format_.number(text)

    return number


def _shown_alike(plain: Reader, styled: Reader) -> Reader:
    """Read a number to which some programs apply the style of its row or column; Excel does not."""

    def number(text: str) -> str:
        shown = plain(text)
        if shown == styled(text):
            return shown
        return with_note(shown_text(shown), Holds.NUMBER, stored_number(text).text)

    return number


def _index(text: str) -> int | None:
    """Return the number of a style or text; None if it is none."""
    return int(text) if text.isascii() and text.isdecimal() else None


def _iso_moment(text: str, format_: NumberFormat) -> str:
    """Return what a cell shows that stores a day as ISO 8601, and not as a number of days."""
    if ":" in text and "-" not in text:
        time = datetime.time.fromisoformat(text)
        return with_note(text, Holds.TIME, f"{time.hour}:{time:%M:%S}")
    moment = datetime.datetime.fromisoformat(text)
    return format_.day(moment.date(), (moment.hour * 60 + moment.minute) * 60 + moment.second)
