"""Cells whose shown text is known without the code that reads them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from importers.sdk.cell_note import Holds, number_note, with_note
from tests.fuzz.random_file import LETTERS

Value = str | int | float | bool | datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCell:
    """A cell.

    Args:
        value: what it holds; a text that begins with `#` is an error's if the cell says so.
        shown: how the reader returns it.
        code: its number format.
    """

    value: Value
    shown: str
    code: str = "General"
    is_error: bool = False


_LETTERS = (
    *(letter for letter in LETTERS if letter >= " " and letter not in "\x85\u2028\ufffe\uffff"),
    *("&", "<", ">", "]]>", "&amp;", "_x", "_x0041_", "_x005F_", "\n", "</row>"),
)
_ERRORS = ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")

_INTEGERS: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("General", str),
    ("0", str),
    ("@", str),
    ("000", lambda n: f"{n:03}" if n >= 0 else f"-{-n:03}"),
    ("000;-000", lambda n: f"{n:03}" if n >= 0 else f"-{-n:03}"),
    ("000;[Red](000)", lambda n: f"{n:03}" if n >= 0 else f"({-n:03})"),
    ('"LIT-"00000', lambda n: f"LIT-{n:05}" if n >= 0 else f"-LIT-{-n:05}"),
    (r"\K\-0", lambda n: f"K-{n}" if n >= 0 else f"-K-{-n}"),
    ("[$-409]0000", lambda n: f"{n:04}" if n >= 0 else f"-{-n:04}"),
    ("#,##0", lambda n: f"{n:,}"),
    ("0,000", lambda n: f"{n:,}" if abs(n) > 999 else f"{'-' * (n < 0)}0,{abs(n):03}"),
    ("0.00", lambda n: f"{n}.00"),
    ("0%", lambda n: f"{n}00%" if n else "0%"),
    ("#,##0.0_)", lambda n: f"{n:,}.0 "),
    ("[>=0]00;00", lambda n: f"{n:02}"),
)
_DATES: tuple[tuple[str, str], ...] = (
    ("yyyy-mm-dd", "%Y-%m-%d"),
    ("dd/mm/yyyy", "%d/%m/%Y"),
    ("mm\\/dd\\/yy", "%m/%d/%y"),
    ("[$-409]dd-mmm-yyyy", "%d-%b-%Y"),
    ("[$-409]dddd, dd mmmm yyyy;@", "%A, %d %B %Y"),
    ("yyyy-mm-dd hh:mm:ss", "%Y-%m-%d %H:%M:%S"),
    ('dd.mm.yyyy" um "hh:mm', "%d.%m.%Y um %H:%M"),
)


def known_cell(random: Random) -> KnownCell:
    """Make a cell of any kind."""
    kind = random.random()
    if kind < 0.4:
        text = "".join(random.choices(_LETTERS, k=random.randint(1, 12)))
        return KnownCell(value=text, shown=text, code=random.choice(("General", "@", "000")))
    if kind < 0.7:
        code, shown = random.choice(_INTEGERS)
        number = random.choice((random.randint(-999, 999), random.randint(0, 10**13 - 1)))
        if code == "[>=0]00;00":
            number = abs(number)
        text = number_note(shown(number), str(number), is_whole=True)
        return KnownCell(value=number, shown=text, code=code)
    if kind < 0.8:
        return _decimal(random)
    if kind < 0.92:
        return _date(random)
    if kind < 0.96:
        value = random.random() < 0.5
        return KnownCell(value=value, shown=with_note(str(value).upper(), Holds.BOOLEAN))
    error = random.choice(_ERRORS)
    return KnownCell(value=error, shown=with_note(error, Holds.ERROR), is_error=True)


def _decimal(random: Random) -> KnownCell:
    """Make a number whose decimals are shown in full, or rounded."""
    whole, places = random.randint(1, 10**6), random.randint(1, 6)
    decimals = random.randint(1, 9) + 10 * random.randrange(10 ** (places - 1))
    text = f"{whole}.{decimals:0{places}}"
    if random.random() < 0.5:
        return KnownCell(value=float(text), shown=with_note(text, Holds.PARTED, text))
    # A last digit that is not 5 rounds in the same way by any rule.
    rounded = str(whole + (decimals * 2 > 10**places))
    is_tie = decimals * 2 == 10**places
    if is_tie:
        return KnownCell(value=float(text), shown=with_note(text, Holds.PARTED, text))
    return KnownCell(value=float(text), shown=with_note(rounded, Holds.NUMBER, text), code="0")


def _date(random: Random) -> KnownCell:
    code, python = random.choice(_DATES)
    day = datetime.datetime(1901, 1, 1) + datetime.timedelta(days=random.randrange(70_000))  # noqa: DTZ001
    if random.random() < 0.5:
        day += datetime.timedelta(seconds=random.randrange(86_400))
    has_time = day.time() != datetime.time()
    held = day.isoformat() if has_time else day.date().isoformat()
    return KnownCell(value=day, shown=with_note(day.strftime(python), Holds.DATE, held), code=code)
