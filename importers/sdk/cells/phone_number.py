"""Phone numbers, by the rules of Google's libphonenumber, which phonenumbers has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from importers.sdk.cells.wrong_cell import wrong_form
from importers.sdk.errors import RowError, shorten

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_FORM = re.compile(r"\+?[0-9\s().\u00ad\u2010-\u2013/-]+")
_EXTENSION = re.compile(r".*[0-9)]\s*(?:;ext=|ext\.?|extension|x|#)\s*[0-9]+", re.IGNORECASE)
_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(r"[;,|]|\s/\s|\bor\b")
# Of a number with its area code; what follows a slash and is shorter is a part of one.
_FEWEST_DIGITS = 7


def is_region(region: str) -> bool:
    """Tell whether a country has numbers whose form is known."""
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 - `import importers` stays light

    return region in SUPPORTED_REGIONS


def read_phone(text: str, region: str | None) -> str:
    """Return a phone number in the form E.164.

    Args:
        text: of a cell, trimmed.
        region: the country of numbers without a country code.

    Raises:
        RowError: there can be no such number, or it may be another one.
    """
    from phonenumbers import PhoneNumberFormat, format_number  # noqa: PLC0415

    if _SHORTENED.fullmatch(text):
        template = "'{text}' is a number that a spreadsheet has shortened; format the column as"
        template += " text and enter the phone number again."
        raise RowError(None, "SPREADSHEET_DAMAGE", template, text=shorten(text))
    number = _parsed(text, region) if _FORM.fullmatch(text) else None
    if number is None:
        raise _no_number(text, region)
    return format_number(number, PhoneNumberFormat.E164)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    """Return the number, if there can be one like it and it is written in full."""
    import phonenumbers  # noqa: PLC0415

    plain = f"+{text[2:]}" if region is None and text.startswith("00") else text
    try:
        number = phonenumbers.parse(plain, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    source = number.country_code_source
    known = phonenumbers.CountryCodeSource
    is_international = source in (known.FROM_NUMBER_WITH_PLUS_SIGN, known.FROM_NUMBER_WITH_IDD)
    return number if is_international or _is_whole(text, number, region) else None


def _is_whole(text: str, number: PhoneNumber, region: str | None) -> bool:
    """Tell whether a number of the region is written as it is dialled there.

    Without its `0`, it may be one of the place alone, one whose country code has lost its `+`, or
    one that a spreadsheet has made a number of.
    """
    import phonenumbers  # noqa: PLC0415

    if region is None:
        return False
    dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    with_prefix = f"{prefix}{phonenumbers.national_significant_number(number)}"
    return _digits(text) in (_digits(dialled), with_prefix)


def _no_number(text: str, region: str | None) -> RowError:
    if _EXTENSION.fullmatch(text):
        return wrong_form("INVALID_PHONE", "'{text}' has an extension; write the rest", text)
    if sum(len(_digits(part)) >= _FEWEST_DIGITS for part in _BETWEEN_NUMBERS.split(text)) > 1:
        fault = "'{text}' holds several phone numbers; write one of them"
        return wrong_form("INVALID_PHONE", fault, text)
    if not _FORM.fullmatch(text):
        return wrong_form("INVALID_PHONE", "'{text}' is not a phone number", text)
    if text.startswith(("+", "00")):
        fault = "'{text}' is no phone number that there can be; check its digits"
        return wrong_form("INVALID_PHONE", fault, text)
    if region is None:
        fault = "'{text}' has no country code: begin with +, as in +1 202 555 0123"
        return wrong_form("INVALID_PHONE", fault, text)
    template = "'{text}' is no whole phone number of {region}; write it with its area code as it is"
    template += " dialled there, or with + and its country code."
    return RowError(None, "INVALID_PHONE", template, text=shorten(text), region=region)


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)
