"""Days: read from the forms that are certain, and described where a text is not."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

from importers.sdk.errors import RowError, shorten

DAY_FIRST, MONTH_FIRST, EITHER_ORDER = "day first", "month first", "either order"
"""What a column shows with a day that can only have its day before its month, or its month before
its day, or that can be read both ways."""

DAY_MONTH_YEAR, MONTH_DAY_YEAR = "DMY", "MDY"
"""The orders that an upload can declare."""

_FIRST_YEAR = 1900
_FORMS = "mm/dd/yyyy or yyyy-mm-dd"
_FORMS_OF_DMY = "dd/mm/yyyy or yyyy-mm-dd"

# ISO 8601 in its extended form, with any time behind it.
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<time>[0-9][0-9:.,]*) ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?",
    re.IGNORECASE,
)
_MIDNIGHT = re.compile(r"00(?::?00(?::?00(?:[.,]0+)?)?)?")
_NUMBERS = re.compile(
    r"(?P<date>([0-9]{1,2})([/.-])([0-9]{1,2})\3([0-9]{4}))"
    r"(?P<time>,? [0-9]{1,2}:[0-9:.,]+(?: ?[AP]M)?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(T.*)?")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")
_SERIAL = re.compile(r"[0-9]{5}(?:[.,][0-9]+)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([/.-])[0-9]{1,2}\1[0-9]{2}")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_NAMED = re.compile(
    r"(?P<day>[0-9]{1,2})[ -](?P<month>[a-z]{3,9})\.?[ -](?P<year>[0-9]{4})"
    r"|(?P<month_2>[a-z]{3,9})\.? (?P<day_2>[0-9]{1,2}),? (?P<year_2>[0-9]{4})",
    re.IGNORECASE,
)


def shown_order(text: str) -> str | None:
    """Return what a text shows of the order of day and month; None if it is no day in numbers."""
    found = _NUMBERS.fullmatch(text)
    first, second = (int(found[2]), int(found[4])) if found else (0, 0)
    low, high = sorted((first, second))
    if not 1 <= low <= 12 or high > 31:
        return None
    if high <= 12:
        return EITHER_ORDER
    return DAY_FIRST if first == high else MONTH_FIRST


def read_day(text: str, *, order: str | None = None, is_day_first: bool = False) -> date:
    """Read a day.

    Args:
        text: of a cell, trimmed.
        order: the order of day and month that the upload declares; None for month first.
        is_day_first: whether other cells of the column show that days come first: what could be
            read both ways is refused then, unless an order is declared.

    Raises:
        RowError: it is no day, or not certainly one.
    """
    if found := _ISO.fullmatch(text):
        day = _day(found["year"], found["month"], found["day"])
        if day and found["time"] and not _MIDNIGHT.fullmatch(found["time"]):
            # 24:00 is the end of the day, and another day elsewhere.
            is_sure = not found["zone"] and int(found["time"][:2].rstrip(":.,")) < 24
            raise _time_of_day(text, day.isoformat() if is_sure else None, order)
    elif (found := _NUMBERS.fullmatch(text)) and found["time"]:
        meant = _suggested(found["date"], order, is_day_first=is_day_first)
        raise _time_of_day(text, meant, order)
    elif found:
        day = _day_of_numbers(text, found, order, is_day_first=is_day_first)
    else:
        raise _no_day(text, *_likeness(text), order=order)
    if day is None:
        raise _no_day(text, order=order)
    if day.year < _FIRST_YEAR:
        template = "'{text}' is before the year {year}; correct the year."
        raise RowError(None, "INVALID_DATE", template, text=shorten(text), year=str(_FIRST_YEAR))
    return day


def _suggested(text: str, order: str | None, *, is_day_first: bool) -> str | None:
    """Return the day that a text is, or that its error suggests."""
    try:
        return read_day(text, order=order, is_day_first=is_day_first).isoformat()
    except RowError as error:
        return error.suggestion


def _day_of_numbers(
    text: str, found: re.Match[str], order: str | None, *, is_day_first: bool
) -> date | None:
    _, first, separator, second, year, _ = found.groups()
    by_order = {
        DAY_MONTH_YEAR: _day(year, second, first),
        MONTH_DAY_YEAR: _day(year, first, second),
    }
    days = {day for day in by_order.values() if day}
    only = next(iter(days)) if len(days) == 1 else None
    # Whichever way `03.04.2026` is meant, no American writes it.
    if order is None and separator != "/":
        raise _no_day(text, only, "is in another form")
    if order is None and is_day_first and len(days) > 1:
        raise _ambiguous(text, by_order)
    wanted = order or MONTH_DAY_YEAR
    if by_order[wanted] is None and only:
        looks = "has the month first" if wanted == DAY_MONTH_YEAR else "has the day first"
        also = "" if order else ", or upload the file with the date order DMY"
        raise _no_day(text, only, looks, also, order)
    return by_order[wanted]


def _day(year: str, month: str, day: str) -> date | None:
    with suppress(ValueError):
        return date(int(year), int(month), int(day))
    return None


def _likeness(text: str) -> tuple[date | None, str]:
    """Return the day that a text certainly is, if any, and what it looks like."""
    if found := _COMPACT.fullmatch(text):
        day = _day(found[1], found[2], found[3])
        if day and _FIRST_YEAR <= day.year < 2100:
            return day, "looks like a day without separators"
    if _SERIAL.fullmatch(text):
        return None, "looks like the number that a spreadsheet keeps for a day"
    if _SHORT_YEAR.fullmatch(text):
        return None, "has a year of two digits"
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[2], found[3]), "is in another form"
    if found := _NAMED.fullmatch(text):
        parts = ((found[name] or found[f"{name}_2"]) for name in ("year", "month", "day"))
        year, month, number = parts
        return _day(year, _month_number(month.lower()), number), "has the month as a word"
    return None, ""


def _month_number(name: str) -> str:
    numbers = (str(number) for number, month in enumerate(_MONTHS, 1) if name in (month, month[:3]))
    return next(numbers, "0")


def _no_day(
    text: str,
    meant: date | None = None,
    looks: str = "",
    also: str = "",
    order: str | None = None,
) -> RowError:
    what = looks + "; write it as " if looks else "is not a day, written as "
    template = "'{text}' " + what + _forms(order) + also + "."
    suggestion = meant.isoformat() if meant and meant.year >= _FIRST_YEAR else None
    return RowError(None, "INVALID_DATE", template, suggestion, text=shorten(text))


def perhaps_exchanged(day: date) -> RowError:
    """Return the error of a spreadsheet's cell whose day and month may have been exchanged."""
    template = "the spreadsheet's cell holds {day}, which may have been {other}: it has left other"
    template += " days of the column as texts, since it reads day and month in another order; enter"
    template += " all of the column's days again, as texts: yyyy-mm-dd."
    other = date(day.year, day.day, day.month)
    return RowError(None, "SPREADSHEET_DAMAGE", template, day=str(day), other=str(other))


def _forms(order: str | None) -> str:
    """Say how days are written: with the day first, another form would be read as another day."""
    return _FORMS_OF_DMY if order == DAY_MONTH_YEAR else _FORMS


def _time_of_day(text: str, suggestion: str | None, order: str | None) -> RowError:
    template = "'{text}' has a time of day; write the day alone, as " + _forms(order) + "."
    return RowError(None, "INVALID_DATE", template, suggestion, text=shorten(text))


def _ambiguous(text: str, by_order: dict[str, date | None]) -> RowError:
    return RowError(
        None,
        "AMBIGUOUS_DATE",
        "'{text}' can be {day_first} or {month_first}, and other cells of the column have the day "
        "first; write yyyy-mm-dd, or upload the file with the date order DMY.",
        text=shorten(text),
        day_first=str(by_order[DAY_MONTH_YEAR]),
        month_first=str(by_order[MONTH_DAY_YEAR]),
    )
