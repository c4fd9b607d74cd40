"""Numbers as people write them: with decimals behind a point or a comma, and thousands apart.

`1,234.50`, `1.234,50`, `1 234,50` and `1'234.50` are the same number. `1.234` may be two, so it is
none, unless it is declared what separates the decimals of a file.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Literal, TypeAlias

from importers.sdk.cells.wrong_cell import wrong_form
from importers.sdk.errors import RowError, shorten

DecimalMark: TypeAlias = Literal[".", ","]

_MARKS: tuple[DecimalMark, ...] = (".", ",")
_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f]")
_APOSTROPHES = re.compile(r"[\u2019\u02bc]")
# 1,234.50 with this mark: groups of three digits, which the same sign parts.
_FORMS = {
    mark: re.compile(
        rf"(?P<whole>[1-9][0-9]{{0,2}}(?P<apart>[{re.escape(others)}])[0-9]{{3}}"
        rf"(?:(?P=apart)[0-9]{{3}})*|[0-9]*)(?:{re.escape(mark)}(?P<part>[0-9]+))?"
    )
    for mark, others in ((".", ",' "), (",", ".' "))
}
# -5, (5), as accountants write it, and 5-, as SAP does.
_NEGATIVE = re.compile(r"[-\u2212] ?(?P<before>[^-]+)|\((?P<within>.+)\)|(?P<behind>[^-]*[^ -]) ?-")
_SHORTENED = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
# A spreadsheet keeps that many digits of a number; what follows is noise of its arithmetic.
_HELD_DIGITS = 15
_held = Context(prec=_HELD_DIGITS)


def read_number(text: str, mark: DecimalMark | None) -> Decimal:
    """Read a number.

    Args:
        text: of a cell, trimmed.
        mark: what separates decimals, if that is declared.

    Raises:
        RowError: it is no number, or can be two.
    """
    if _SHORTENED.fullmatch(text):
        template = "'{text}' is a number that a spreadsheet has shortened; write all of its digits."
        raise RowError(None, "SPREADSHEET_DAMAGE", template, text=shorten(text))
    plain = _APOSTROPHES.sub("'", _SPACES.sub(" ", text))
    is_negative, digits = _without_sign(plain)
    by_mark = {each: number for each in _MARKS if (number := _number(digits, each)) is not None}
    numbers = [-each if is_negative else each for each in by_mark.values()]
    if mark in by_mark:
        number = by_mark[mark]
        return -number if is_negative and number else number
    if mark and numbers:
        meant = plain_number(numbers[0]).replace(".", mark)
        raise _other_mark(text, mark, meant)
    if not numbers:
        raise wrong_form("INVALID_NUMBER", "'{text}' is not a number", text)
    if len(set(numbers)) > 1:
        raise _two_numbers(text, numbers)
    return numbers[0] or Decimal(0)


def held_number(digits: str) -> Decimal | None:
    """Return the number of a spreadsheet's cell as the sheet shows it where there is room.

    Returns:
        None for an integer of which the sheet does not keep all digits.
    """
    number = Decimal(digits)
    is_cut = len(digits.lstrip("-")) > _HELD_DIGITS and "." not in digits
    return None if is_cut else Decimal(plain_number(_held.plus(number)))


def plain_number(number: Decimal) -> str:
    """Write a number in digits, in one way only: without thousands, and zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def certain_text(number: Decimal, mark: DecimalMark | None) -> str:
    """Write a number as `read_number` reads it, and no other one."""
    # Four digits are no group of thousands.
    text = plain_number(number) + ("0" if decimals_of(number) == 3 else "")
    return text.replace(".", mark or ".")


def decimals_of(number: Decimal) -> int:
    """Count the decimals that a number has, without zeros at its end."""
    return len(plain_number(number).partition(".")[2])


def _without_sign(text: str) -> tuple[bool, str]:
    if found := _NEGATIVE.fullmatch(text):
        return True, (found["before"] or found["within"] or found["behind"]).strip()
    return False, text.removeprefix("+").strip()


def _number(digits: str, mark: DecimalMark) -> Decimal | None:
    found = _FORMS[mark].fullmatch(digits)
    if found is None or not (found["whole"] or found["part"]):
        return None
    whole = found["whole"].replace(found["apart"] or " ", "")
    return Decimal(f"{whole or 0}.{found['part'] or 0}" if found["part"] else whole)


def _two_numbers(text: str, numbers: list[Decimal]) -> RowError:
    fraction, whole = sorted(numbers, key=abs)
    template = "'{text}' can be {whole} or {fraction}; write {whole} for the one, and {longer} for"
    return RowError(
        None,
        "AMBIGUOUS_NUMBER",
        template + " the other.",
        text=shorten(text),
        whole=plain_number(whole),
        fraction=str(fraction),
        # Four digits are no group of thousands.
        longer=f"{fraction}0",
    )


def _other_mark(text: str, mark: str, meant: str) -> RowError:
    template = "'{text}' has its decimals behind another sign than '{mark}'"
    hint = "; did you mean '{suggestion}'?"
    return RowError(None, "INVALID_NUMBER", template + hint, meant, text=shorten(text), mark=mark)
