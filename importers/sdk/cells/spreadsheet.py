"""What spreadsheets make of what was typed: error values, and dates and numbers in place of IDs."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from importers.sdk.cell_note import Holds
from importers.sdk.errors import RowError, shorten

if TYPE_CHECKING:
    from importers.sdk.cell_note import CellNote

ERROR_STARTS = ("#", "Err:")
"""Every error value begins with one of these."""

# Capitals that end in `!` or `?`, in any language; `#N/D` and the like; and what is neither.
_ERROR_VALUE = re.compile(
    r"#[¡¿]?[^\W\d_][\w/]*[!?]|#[^\W\d_]/[^\W\d_]|#(?:NV|YOK|HIÁNYZIK|NENÍ_K_DISPOZICI|GETTING_DATA)"
    r"|ERR:\d{3}"
)
_NOT_FOUND = re.compile(
    r"#(?:[^\W\d_]/[^\W\d_]!?|NV|YOK|SAKNAS!|PUUTTUU!|HIÁNYZIK|NENÍ_K_DISPOZICI)"
)
_GONE = re.compile(
    r"#¡?(?:REF|BEZUG|RIF|VERW|ССЫЛКА|ADR|REFERENS|REFERENCE|VIITTAUS|BAŞV|HIV|ODKAZ)!"
)
_ADVICE = (
    (_NOT_FOUND, "a look-up found nothing"),
    (_GONE, "its formula refers to cells that are gone"),
    (re.compile(r"#.*/0!"), "its formula divides by zero, or by a blank cell"),
    (
        re.compile(r"#.*\?"),
        "its formula has a name that the spreadsheet does not know; a text that begins with =, +"
        " or - is taken for a formula",
    ),
    (re.compile(r"#(?:SPILL|ÜBERLAUF)!"), "the cells that its result needs are not empty"),
    (re.compile(r"#(?:GETTING_DATA|BUSY!)"), "its data had not arrived when the file was saved"),
)

# What is a number or a day in any column: 1E+05, 1,23457E+14, 1.0, #####, 1月5日. An exponent has
# its sign, but in Java (`1.2E7`); `12345e67`, without it and a point, is a hexadecimal number.
_NUMBER_OR_DAY = re.compile(
    r"(?i:[+-]?[0-9]+(?:[.,][0-9]+E[+-]?|E[+-])[0-9]+|[0-9]+[.,]0+"
    r"|#{3,}|(?:[0-9]{4}[年년] ?)?[0-9]{1,2}[月월](?: ?[0-9]{1,2}[日일])?)"
)
# 05.01.2026, 1/5/26
_DAY_AND_YEAR = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]((?:[0-9]{2}){1,2})")
# 5-Jan, 05-mai, 05. Okt, 5-Jan-26
_DAY_AND_MONTH = re.compile(r"[0-9]{1,2}(?:[-/ ]|\. ?)([^\W\d_]{3,})\.?(?:[-/. ][0-9]{2,4})?")
# Jan-05, which no ID of three digits is: people are called April and June. In other languages,
# whose months may be words of an ID (`out-001`), two digits.
_ENGLISH_MONTH = re.compile(
    r"(?i:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)[-/ ](?:[0-9]{1,2}|[0-9]{4})"
)
_MONTH_AND_YEAR = re.compile(r"([^\W\d_]{3,})\.?[-/ ][0-9]{2}")
_DAY_SLASH_MONTH = re.compile(r"([0-9]{1,2})/([0-9]{1,2})")
_WHOLE_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[ T][0-9:.]+)?")
_DUTCH_DAY = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-((?:19|20)[0-9]{2})")
# Nearly every ID has none of these forms, which one look at it tells.
_ANY_FORM = re.compile(
    "|".join(
        form.pattern
        for form in (
            _NUMBER_OR_DAY,
            _DAY_AND_YEAR,
            _DAY_AND_MONTH,
            _ENGLISH_MONTH,
            _MONTH_AND_YEAR,
            _DAY_SLASH_MONTH,
            _WHOLE_DAY,
            _DUTCH_DAY,
        )
    )
)
_TRUTH_VALUES = {
    "TRUE", "FALSE", "WAHR", "FALSCH", "VRAI", "FAUX", "VERDADERO", "FALSO", "VERDADEIRO", "VERO",
    "WAAR", "ONWAAR", "SANT", "FALSKT", "FALSK", "SANN", "USANN", "TOSI", "EPÄTOSI", "PRAWDA",
    "FAŁSZ", "PRAVDA", "NEPRAVDA", "IGAZ", "HAMIS", "DOĞRU", "YANLIŞ", "ИСТИНА", "ЛОЖЬ",
}  # fmt: skip

_HELD = {
    Holds.DATE: "a date or time, {detail}",
    Holds.TIME: "a time, {detail}",
    Holds.BOOLEAN: "a truth value",
    Holds.NUMBER: "the number {detail}",
    Holds.PARTED: "the number {detail}",
    Holds.UNSHOWN: "{detail}",
}


def is_error_value(text: str) -> bool:
    """Tell whether a text is what a spreadsheet shows in the place of a value: `#N/A`, `#BEZUG!`.

    The form decides, as spreadsheets invent new ones; `#1 fan!` is none.
    """
    return (
        text.startswith(ERROR_STARTS)
        and _ERROR_VALUE.fullmatch(text.upper()) is not None
        and (text == text.upper() or not text.startswith("#"))
    )


def formula_error(shown: str) -> RowError:
    """Return the error of a cell whose formula has failed, with what is known of the cause."""
    causes = (cause for form, cause in _ADVICE if form.fullmatch(shown))
    cause = next(causes, "its formula has failed")
    advice = "correct the formula, or type the value in its place."
    template = "shows the error '{shown}': " + cause + "; " + advice
    return RowError(None, "FORMULA_ERROR", template, shown=shorten(shown))


def spreadsheet_damage(note: CellNote) -> RowError:
    """Return the error of a cell that holds something else than the ID that it shows."""
    template = "the spreadsheet's cell holds " + _HELD[note.holds]
    # It isn't certain that the sheet shows this text, where it is not known what it shows.
    if note.holds is not Holds.UNSHOWN and note.shown and note.shown != note.detail:
        template += ", shown as '{shown}'"
    template += "; format the column as text and enter the value again."
    params = {"detail": note.detail, "shown": shorten(note.shown)}
    return RowError(None, "SPREADSHEET_DAMAGE", template, **params)


def struck_out(shown: str) -> RowError:
    """Return the error of a cell that a line goes through, as through what does not count."""
    template = "'{shown}' is struck out, the whole or a part of it; delete the row if it does not"
    template += " count, or take the line out of the cell."
    return RowError(None, "SPREADSHEET_DAMAGE", template, shown=shorten(shown))


def damaged(key: str) -> RowError | None:
    """Return an error if an ID looks as if a spreadsheet has made a number or date of it."""
    if not _ANY_FORM.fullmatch(key):
        return None
    is_damaged = _NUMBER_OR_DAY.fullmatch(key) or _ENGLISH_MONTH.fullmatch(key)
    return _damage(key) if is_damaged or _names_month(key) or _has_year(key) else None


def damaged_tag(tag: str) -> RowError | None:
    """Return an error if a new Tag ID looks as if a spreadsheet has made something else of it.

    Stricter than `damaged`: a Tag ID is permanent, and no such one is stored that could be meant.
    """
    if tag in _TRUTH_VALUES:
        return _damage(tag)
    if not _ANY_FORM.fullmatch(tag):
        return None
    return damaged(tag) or (_damage(tag) if _is_day(tag) else None)


def _damage(key: str) -> RowError:
    template = "'{text}' looks like an ID that a spreadsheet has changed; format the column as text"
    template += " and enter the ID again."
    return RowError(None, "SPREADSHEET_DAMAGE", template, text=shorten(key))


def _names_month(key: str) -> bool:
    found = _DAY_AND_MONTH.fullmatch(key) or _MONTH_AND_YEAR.fullmatch(key)
    return found is not None and found[1].casefold() in _month_names()


def _has_year(key: str) -> bool:
    """Tell whether a text is a day with its year, such as `05.01.26`; `45/67/89` is none."""
    if not (found := _DAY_AND_YEAR.fullmatch(key)):
        return False
    first, second, year = map(int, found.groups())
    # A year of two digits may be of either century: 29 February is a day in one of them.
    years = (year,) if year > 99 else (1900 + year, 2000 + year)
    return any(_exists(each, second, first) or _exists(each, first, second) for each in years)


def _is_day(key: str) -> bool:
    """Tell whether a text is a day, or a day of no year, such as `1/5`."""
    if found := _DAY_SLASH_MONTH.fullmatch(key):
        low, high = sorted(map(int, found.groups()))
        return 1 <= low <= 12 and high <= 31
    if found := _WHOLE_DAY.fullmatch(key):
        return _exists(*map(int, found.groups()))
    if found := _DUTCH_DAY.fullmatch(key):
        first, second, year = map(int, found.groups())
        return _exists(year, second, first) or _exists(year, first, second)
    return False


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


@cache
def _month_names() -> frozenset[str]:
    """Read the names of months that spreadsheets write, short and long, in many languages."""
    text = Path(__file__).with_name("month_names.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(name for line in lines for name in line.partition(":")[2].split())
