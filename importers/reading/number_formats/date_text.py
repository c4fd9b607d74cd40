"""Dates and times as a sheet shows them: a number of days, by a format of dates."""

from __future__ import annotations

import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from importers.reading.number_formats.number_code import Piece
from importers.reading.number_formats.number_text import NotShownError, filled
from importers.sdk.cell_note import Holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.number_formats.number_code import Section, Token

SECONDS_A_DAY = 86_400
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CLOCK_UNITS = frozenset({"h", "hh", "minutes", "elapsed", "s", "ss", "am/pm", "a/p"})
_LAST_DAY = datetime.date.max.toordinal()
_DAYS_IN_MOST_CELLS = 3_000_000
# Excel's first day is 1 January 1900, and it has a 29 February 1900; other programs have neither.
_FIRST_CERTAIN = 61
_CLOSEST_TO_MIDNIGHT, _HALF_A_SECOND = Decimal("0.0001"), Decimal("0.5")


class DateSystem(Enum):
    """The day that a workbook's numbers of days count from."""

    FROM_1900 = datetime.date(1899, 12, 30).toordinal()
    FROM_1904 = datetime.date(1904, 1, 1).toordinal()


class ShownDate(NamedTuple):
    """The text that a sheet shows, and the day or time that the cell holds, for its note."""

    text: str
    holds: Holds
    detail: str


class _Moment(NamedTuple):
    """A day, which may be none; seconds since its midnight; and all seconds that were counted."""

    day: datetime.date | None
    seconds: Decimal
    counted: Decimal


def is_date(section: Section) -> bool:
    return section.has(Piece.DATE, Piece.ELAPSED)


def date_text(section: Section, serial: Decimal, system: DateSystem) -> ShownDate:
    """Return what a section with parts of dates shows for a number of days.

    A text that depends on the computer, such as the name of a month, is ISO 8601 instead.

    Raises:
        NotShownError: there is no such day for certain.
    """
    if not 0 <= serial < _DAYS_IN_MOST_CELLS or _is_just_before_midnight(serial):
        raise NotShownError
    units = _units(section.tokens)
    decimals = sum(token.part is Piece.DIGIT for token in section.tokens)
    moment, whole = _moment_of(serial, system, decimals), _moment_of(serial, system, 0)
    if _CLOCK_UNITS.issuperset(units) and (serial < 1 or section.has(Piece.ELAPSED)):
        holds, detail = Holds.TIME, _clock(whole.counted)
    elif whole.day is None:
        raise NotShownError
    else:
        holds, detail = Holds.DATE, iso_text(whole.day, int(whole.seconds))
    try:
        text = filled(section.tokens, list(_texts(section, units, moment)))
    except NotShownError:
        text = detail.replace("T", " ")
    return ShownDate(text, holds, detail)


def _moment_of(serial: Decimal, system: DateSystem, decimals: int) -> _Moment:
    unit = Decimal(1).scaleb(-decimals)
    counted = (serial * SECONDS_A_DAY).quantize(unit, ROUND_HALF_UP)
    days, seconds = divmod(counted, SECONDS_A_DAY)
    ordinal = system.value + int(days)
    is_certain = days >= _FIRST_CERTAIN or system is DateSystem.FROM_1904
    has_day = is_certain and ordinal <= _LAST_DAY
    return _Moment(datetime.date.fromordinal(ordinal) if has_day else None, seconds, counted)


def _is_just_before_midnight(serial: Decimal) -> bool:
    """Tell whether programs may differ in the day: less than half a second before the next one.

    Closer than a number of days can be, it is midnight.
    """
    seconds = (1 - serial % 1) * SECONDS_A_DAY
    return _CLOSEST_TO_MIDNIGHT < seconds <= _HALF_A_SECOND


def iso_text(day: datetime.date, seconds: int) -> str:
    """Return a day, and the time of day unless it is midnight, as notes have it."""
    return f"{day}T{_clock(Decimal(seconds)):0>8}" if seconds else f"{day}"


def _clock(seconds: Decimal) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _units(tokens: Sequence[Token]) -> list[str]:
    """Return the unit of each part of a date: its letters, `minutes` or `elapsed`.

    `m` stands for minutes behind hours and before seconds, else for the month.
    """
    parts = [token for token in tokens if token.part in (Piece.DATE, Piece.ELAPSED)]
    letters = [token.text.lower() for token in parts]
    units = []
    for index, (token, each) in enumerate(zip(parts, letters, strict=True)):
        before, after = "".join(letters[max(index - 1, 0) : index]), "".join(letters[index + 1 :])
        is_minute = each in ("m", "mm") and (before[:1] == "h" or after[:1] == "s")
        unit = "minutes" if is_minute else each
        units.append("elapsed" if token.part is Piece.ELAPSED else unit)
    return units


def _texts(section: Section, units: Sequence[str], moment: _Moment) -> Iterator[str]:
    """Yield what each token shows."""
    if section.is_local:
        raise NotShownError
    has_half_days = "am/pm" in units
    rest = iter(units)
    fraction = f"{moment.seconds % 1:f}".partition(".")[2]
    is_behind_seconds = is_fraction = False
    for token in section.tokens:
        if token.part is Piece.DIGIT:
            if not is_fraction or token.text != "0" or not fraction:
                raise NotShownError
            yield fraction[0]
            fraction = fraction[1:]
        elif token.part is Piece.POINT:
            is_fraction = is_behind_seconds
            yield "."
        elif token.part in (Piece.DATE, Piece.ELAPSED):
            unit = next(rest)
            is_behind_seconds, is_fraction = token.text[0] in "sS", False
            if token.part is Piece.ELAPSED:
                yield _elapsed(token.text, moment)
            elif unit in _CLOCK_UNITS:
                yield _clock_unit(len(token.text), unit, moment, has_half_days)
            else:
                yield _day_unit(unit, moment.day, section.is_english)
        else:
            is_behind_seconds = is_fraction = False
            yield _mark(token)


def _mark(token: Token) -> str:
    if token.part not in (Piece.LITERAL, Piece.SLASH, Piece.COMMA, Piece.FILL):
        raise NotShownError
    return "" if token.part is Piece.FILL else token.text


def _elapsed(letters: str, moment: _Moment) -> str:
    seconds = {"h": 3600, "m": 60, "s": 1}[letters[0]]
    return f"{int(moment.counted // seconds):0{len(letters)}}"


def _clock_unit(width: int, unit: str, moment: _Moment, has_half_days: bool) -> str:
    hours = int(moment.seconds // 3600)
    if unit == "am/pm":
        return ("AM", "PM")[hours >= 12]
    if unit == "a/p":
        raise NotShownError
    number = {
        "h": (hours + 11) % 12 + 1 if has_half_days else hours,
        "m": int(moment.seconds // 60 % 60),
        "s": int(moment.seconds % 60),
    }[unit[0]]
    return f"{number:0{width}}"


def _day_unit(unit: str, day: datetime.date | None, is_english: bool) -> str:
    if day is None:
        raise NotShownError
    numbers = {
        "d": f"{day.day}",
        "dd": f"{day.day:02}",
        "m": f"{day.month}",
        "mm": f"{day.month:02}",
        "yy": f"{day.year % 100:02}",
        "yyyy": f"{day.year:04}",
    }
    month, weekday = _MONTHS[day.month - 1], _WEEKDAYS[day.weekday()]
    names = {
        "mmm": month[:3],
        "mmmm": month,
        "mmmmm": month[:1],
        "ddd": weekday[:3],
        "dddd": weekday,
    }
    text = numbers.get(unit) or (names.get(unit) if is_english else None)
    if text is None:
        raise NotShownError
    return text
