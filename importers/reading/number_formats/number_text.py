"""Numbers as a sheet shows them, with digits at the places that a number format has for them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import takewhile
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from importers.reading.number_formats.number_code import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.reading.number_formats.number_code import Section, Token

MOST_DIGITS = 15
"""Significant digits that a spreadsheet shows, and that a cell keeps for certain."""

_CONTEXT = Context(prec=400, rounding=ROUND_HALF_UP)
_SMALLEST_PLAIN = Decimal("0.0001")
_GROUP = 3


class NotShownError(Exception):
    """It can't be known for certain what the sheet shows."""


class StoredNumber(NamedTuple):
    """A number as a cell holds it.

    Args:
        value: rounded to the 15 digits that a spreadsheet shows.
        is_whole: no digit was lost by that, nor when the number was typed.
        text: every digit, for messages.
    """

    value: Decimal
    is_whole: bool
    text: str


class Shown(NamedTuple):
    """The text that a sheet shows, and whether it shows all of the number."""

    text: str
    is_whole: bool


def stored_number(text: str) -> StoredNumber:
    """Read a number as it is written in a workbook: `7`, `7.0`, `1.1000000000000001`, `1E-3`.

    Raises:
        ValueError: it is no number, or none that a cell can hold.
    """
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"'{text[:20]}' is no number")
    rounded = f"{number:.{MOST_DIGITS}g}"
    value = Decimal(rounded)
    # Of an integer with more digits, the others were lost when it was typed.
    is_whole = float(rounded) == number and (abs(number) < 10**MOST_DIGITS)
    digits = text if text.lstrip("-").isdigit() else _plain(Decimal(repr(number)))
    return StoredNumber(value, is_whole, digits)


def general_text(number: StoredNumber) -> Shown:
    """Return what the format `General` shows in a wide column: all digits, if it can."""
    size = abs(number.value)
    if number.value and not _SMALLEST_PLAIN <= size < 10**MOST_DIGITS:
        mantissa, _, exponent = f"{number.value:.5E}".partition("E")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return Shown(f"{mantissa}E{int(exponent):+03}", False)
    return Shown(_plain(number.value), number.is_whole)


def _plain(value: Decimal) -> str:
    """Return the digits of a number without an exponent, and without zeros at the end."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def number_text(section: Section, number: StoredNumber) -> Shown:
    """Return the digits of a number, without its sign, as a section of a format shows them.

    Raises:
        NotShownError: the section has parts whose effect is not certain.
    """
    tokens = section.tokens
    if section.has(Piece.SLASH, Piece.TEXT, Piece.DATE, Piece.ELAPSED) or section.is_local:
        raise NotShownError
    size = abs(number.value)
    if section.has(Piece.GENERAL):
        return _with_general(tokens, number._replace(value=size))
    if not section.has(Piece.DIGIT):
        return _words(tokens)
    if section.has(Piece.EXPONENT):
        return _scientific(tokens, size)
    digits, scale = _without_scaling(tokens)
    percents = sum(token.part is Piece.PERCENT for token in tokens)
    exact = _CONTEXT.multiply(size, Decimal(100) ** percents)
    text, rounded = _fixed(digits, _CONTEXT.divide(exact, Decimal(1000) ** scale))
    return Shown(text, number.is_whole and not scale and rounded == exact)


def _with_general(tokens: Sequence[Token], number: StoredNumber) -> Shown:
    if {token.part for token in tokens} - {Piece.GENERAL, Piece.LITERAL, Piece.FILL}:
        raise NotShownError
    shown = general_text(number)
    texts = [shown.text if token.part is Piece.GENERAL else _literal(token) for token in tokens]
    return Shown(filled(tokens, texts), shown.is_whole)


def _words(tokens: Sequence[Token]) -> Shown:
    """Return what a section without a place for digits shows: `"yes";"no"`."""
    if {token.part for token in tokens} - {Piece.LITERAL, Piece.FILL}:
        raise NotShownError
    return Shown(filled(tokens, [_literal(token) for token in tokens]), False)


def _without_scaling(tokens: Sequence[Token]) -> tuple[list[Token], int]:
    """Take out the commas behind the last digit before the point, each of which divides by 1000."""
    point = next(
        (index for index, token in enumerate(tokens) if token.part is Piece.POINT), len(tokens)
    )
    places = [index for index in range(point) if tokens[index].part is Piece.DIGIT]
    if not places:
        return list(tokens), 0
    behind = tokens[places[-1] + 1 : point]
    commas = len(list(takewhile(lambda token: token.part is Piece.COMMA, behind)))
    start = places[-1] + 1
    return [*tokens[:start], *tokens[start + commas :]], commas


def _fixed(tokens: Sequence[Token], size: Decimal) -> tuple[str, Decimal]:
    """Return the text of a number with a fixed number of decimals, and the number in that text."""
    points = [index for index, token in enumerate(tokens) if token.part is Piece.POINT]
    if len(points) > 1:
        raise NotShownError
    point = points[0] if points else len(tokens)
    before, after = tokens[:point], tokens[point + 1 :]
    places = sum(token.part is Piece.DIGIT for token in after)
    rounded = size.quantize(Decimal(1).scaleb(-places), context=_CONTEXT)
    whole, _, decimals = f"{rounded:f}".partition(".")
    texts = _integer_texts(before, whole.lstrip("0"))
    if points:
        texts += [".", *_decimal_texts(after, decimals)]
    return filled(tokens, texts), rounded


def _integer_texts(tokens: Sequence[Token], digits: str) -> list[str]:
    """Return what each token before the point shows; the first digit has all that are left."""
    places = [index for index, token in enumerate(tokens) if token.part is Piece.DIGIT]
    commas = [index for index, token in enumerate(tokens) if token.part is Piece.COMMA]
    is_grouped = bool(commas)
    if is_grouped and not _can_group(tokens, places, commas):
        raise NotShownError
    texts, rest, count, is_blank = [""] * len(tokens), digits, 0, False
    for index in reversed(range(len(tokens))):
        token = tokens[index]
        if token.part is not Piece.DIGIT:
            texts[index] = "" if token.part is Piece.COMMA else _literal(token)
            continue
        taken = rest if index == places[0] else rest[-1:]
        rest = rest[: len(rest) - len(taken)]
        # Programs differ in whether a place behind a zero can be blank.
        if is_blank and not taken and token.text == "0":
            raise NotShownError
        is_blank = is_blank or not (taken or token.text == "0")
        taken = taken or {"0": "0", "?": " ", "#": ""}[token.text]
        for digit in reversed(taken):
            comma = "," if is_grouped and count and count % _GROUP == 0 else ""
            texts[index] = f"{digit}{comma}{texts[index]}"
            count += 1
    if digits and not places:
        raise NotShownError
    return texts


def _can_group(tokens: Sequence[Token], places: Sequence[int], commas: Sequence[int]) -> bool:
    """Tell whether commas stand among the digits alone, with nothing else and no blank places."""
    inner = tokens[places[0] : places[-1] + 1] if places else ()
    return (
        all(places and places[0] < comma < places[-1] for comma in commas)
        and {token.part for token in inner} <= {Piece.DIGIT, Piece.COMMA}
        and all(token.text != "?" for token in inner)
    )


def _decimal_texts(tokens: Sequence[Token], digits: str) -> list[str]:
    """Return what each token behind the point shows."""
    texts, rest, is_blank = [], digits, False
    for token in tokens:
        if token.part is not Piece.DIGIT:
            texts.append(_literal(token))
            continue
        digit, is_last = rest[0], not rest.strip("0")
        # Zeros at the end are shown at a place of `0` alone.
        if is_blank and token.text == "0":
            raise NotShownError
        is_blank = is_last and token.text != "0"
        blank = {"0": digit, "?": " ", "#": ""}[token.text]
        texts.append(blank if is_last else digit)
        rest = rest[1:]
    return texts


def _scientific(tokens: Sequence[Token], size: Decimal) -> Shown:
    """Return a number as `0.00E+00` shows it; other places before the point are not certain."""
    at = next(index for index, token in enumerate(tokens) if token.part is Piece.EXPONENT)
    mantissa, exponent = tokens[:at], tokens[at + 1 :]
    pattern = "".join(token.text for token in tokens)
    kinds = {token.part for token in mantissa} - {Piece.DIGIT, Piece.POINT}
    is_plain = pattern[:1] == "0" and pattern[1:2] in (".", "E", "e") and not kinds
    if not is_plain or {token.text for token in exponent} != {"0"}:
        raise NotShownError
    places = sum(token.part is Piece.DIGIT for token in mantissa) - 1
    power = size.adjusted() if size else 0
    text, rounded = _fixed(mantissa, size.scaleb(-power, context=_CONTEXT))
    if rounded >= 10:
        power += 1
        text, _ = _fixed(mantissa, Decimal(1).quantize(Decimal(1).scaleb(-places)))
    sign = "-" if power < 0 else tokens[at].text[1].replace("-", "")
    return Shown(f"{text}E{sign}{abs(power):0{len(exponent)}}", False)


def _literal(token: Token) -> str:
    if token.part not in (Piece.LITERAL, Piece.PERCENT, Piece.FILL):
        raise NotShownError
    return "" if token.part is Piece.FILL else token.text


def filled(tokens: Sequence[Token], texts: Sequence[str]) -> str:
    """Join the texts of tokens, if it does not matter how often a character is repeated.

    Spaces do not matter at both ends of a cell, such as before a number in columns of money.
    """
    for index, token in enumerate(tokens):
        if token.part is Piece.FILL:
            before, after = "".join(texts[:index]), "".join(texts[index + 1 :])
            if token.text != " " or (before.strip() and after.strip()):
                raise NotShownError
    return "".join(texts)
