"""Number formats: what a cell shows of the number or text that it holds, or a note if not all."""

from __future__ import annotations

import operator
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from importers.reading.number_formats.date_text import (
    SECONDS_A_DAY,
    DateSystem,
    date_text,
    is_date,
    iso_text,
)
from importers.reading.number_formats.number_code import Piece, Section, sections_of
from importers.reading.number_formats.number_text import (
    MOST_DIGITS,
    NotShownError,
    Shown,
    StoredNumber,
    filled,
    general_text,
    number_text,
    stored_number,
)
from importers.sdk.cell_note import Holds, number_note, with_note

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping, Sequence

_LOCAL_DATE, _LOCAL_TIME = "[$-F800]yyyy-mm-dd", "[$-F400]h:mm:ss"

BUILT_IN: Mapping[int, str] = {
    0: "General",
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    **dict.fromkeys((14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)), _LOCAL_DATE),
    **dict.fromkeys((18, 19, 20, 21), _LOCAL_TIME),
    37: "#,##0_);(#,##0)",
    38: "#,##0_);[Red](#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)",
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
"""Codes that a workbook names by their numbers alone. Those of dates depend on the computer on
which the workbook is opened, and so do the currencies and digits of those that are left out."""

SAME_EVERYWHERE = frozenset((*range(5), *range(9, 14), 49))
"""Numbers of codes that no workbook can have another code for."""

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "<>": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
_LONGEST_CODE = 100
_MOST_NUMBER_SECTIONS = 3
_TEXT_PARTS = {Piece.TEXT, Piece.LITERAL, Piece.FILL}


class NumberFormat:
    """A format, compiled once for all cells that have it.

    Args:
        code: such as `000;-000`; None for a format that is not known.
        system: the day from which the workbook counts days.
    """

    def __init__(self, code: str | None, system: DateSystem = DateSystem.FROM_1900) -> None:
        self._code = code
        self._system = system
        is_general = code is not None and code.lower() in ("general", "")
        self._is_integral = is_general or code == "0"
        sections = () if is_general else sections_of(code) if code else None
        self._is_understood = sections is not None
        self._numbers, self._text = _split_sections(sections or ())

    def number(self, text: str) -> str:
        """Return what a cell shows of a number, with a note if that is not all of the number.

        Args:
            text: the number as a workbook stores it.

        Raises:
            ValueError: the text is no number.
        """
        # Most numbers of most files: an integer that is shown as it is stored.
        is_usual = self._is_integral and text.isdecimal() and text.isascii() and text[0] != "0"
        if is_usual and len(text) <= MOST_DIGITS:
            return text
        number = stored_number(text)
        try:
            section = self._section(number)
            if is_date(section):
                return with_note(*date_text(section, number.value, self._system))
            shown = self._signed(section, number)
        except NotShownError:
            return self._not_shown(number.text, number.text)
        return number_note(shown.text, number.text, is_whole=shown.is_whole)

    def text(self, text: str) -> str:
        """Return what a cell shows of a text, which a format may surround or hide."""
        if self.shows_plain_text or not text:
            return text
        try:
            return _surrounded(self._text, text)
        except NotShownError:
            return self._not_shown(text, f"the text '{text[:_LONGEST_CODE]}'")

    @property
    def shows_plain_text(self) -> bool:
        """Whether every text is shown as it is."""
        if not self._is_understood:
            code = self._code or "@"
            return "@" not in code and code.count(";") < _MOST_NUMBER_SECTIONS
        return self._text is None or [token.part for token in self._text.tokens] == [Piece.TEXT]

    def day(self, day: datetime.date, seconds: int) -> str:
        """Return what a cell shows of a day and a time that it does not store as a number."""
        detail = iso_text(day, seconds)
        serial = day.toordinal() - self._system.value + Decimal(seconds) / SECONDS_A_DAY
        try:
            section = self._section(StoredNumber(serial, True, detail))
        except NotShownError:
            return self._not_shown(detail, detail)
        if is_date(section):
            with suppress(NotShownError):
                return with_note(*date_text(section, serial, self._system))
        return with_note(detail.replace("T", " "), Holds.DATE, detail)

    def _section(self, number: StoredNumber) -> Section:
        """Return the section for a number of this sign; `General` if there is none for numbers."""
        if not self._is_understood:
            raise NotShownError
        sections = self._numbers
        if any(section.condition for section in sections):
            section = _conditional(sections, number)
        else:
            place = 1 if number.value < 0 else 2 if not number.value else 0
            section = sections[place if place < len(sections) else 0] if sections else _GENERAL
        if not section.tokens:
            raise NotShownError
        return section

    def _signed(self, section: Section, number: StoredNumber) -> Shown:
        """Return a number with the sign that the format's first section leaves to the program."""
        if section.tokens == _GENERAL.tokens and len(self._numbers) <= 1:
            return general_text(number)
        shown = number_text(section, number)
        if not shown.text.strip():  # `#` shows nothing of zero, and the cell is not blank
            raise NotShownError
        if number.value >= 0:
            return shown
        has_places = section.has(Piece.DIGIT, Piece.GENERAL)
        if has_places and not shown.text.strip("0.,% "):
            raise NotShownError
        if len(self._numbers) == 1:
            if not has_places:
                raise NotShownError
            return shown._replace(text=f"-{shown.text}")
        has_sign = "-" in shown.text or "(" in shown.text
        return shown._replace(is_whole=shown.is_whole and has_sign)

    def _not_shown(self, shown: str, held: str) -> str:
        if self._code is None:
            return with_note(shown, Holds.UNSHOWN, f"{held} with an unknown number format")
        code = self._code[:_LONGEST_CODE]
        return with_note(shown, Holds.UNSHOWN, f"{held} with the number format '{code}'")


def _split_sections(sections: Sequence[Section]) -> tuple[Sequence[Section], Section | None]:
    """Part the sections for numbers from the one for texts, which is the fourth or has an `@`."""
    if len(sections) == 4 or (sections and sections[-1].has(Piece.TEXT)):
        return sections[:-1], sections[-1]
    return sections, None


def _conditional(sections: Sequence[Section], number: StoredNumber) -> Section:
    """Return the first section whose condition holds, or the last if it has none."""
    # Programs differ in whether they show the sign then.
    if number.value < 0:
        raise NotShownError
    for section in sections:
        if section.condition is None:
            if section is not sections[-1]:
                raise NotShownError
            return section
        compare, limit = section.condition
        if _COMPARE[compare](float(number.value), limit):
            return section
    raise NotShownError


def _surrounded(section: Section | None, text: str) -> str:
    if not section or not section.has(Piece.TEXT) or section.has(*set(Piece) - _TEXT_PARTS):
        raise NotShownError
    texts = [
        text if token.part is Piece.TEXT else token.text if token.part is Piece.LITERAL else ""
        for token in section.tokens
    ]
    return filled(section.tokens, texts)


_GENERAL = (sections_of("General") or ())[0]
