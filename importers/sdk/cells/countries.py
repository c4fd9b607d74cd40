"""Countries by their codes of ISO 3166-1 and English names, as CLDR has them (in Babel)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from importers.sdk.cells.formats import is_null_word
from importers.sdk.cells.wrong_cell import stands_for_nothing, wrong_form
from importers.sdk.errors import RowError, alternatives, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Codes of countries that are no more, or that are reserved and not assigned.
_NOT_ASSIGNED = frozenset(["ASC", "BUR", "CPT", "DDR", "DGA", "FXX", "TAA", "TMP", "YMD", "ZAR"])
_FOR_PRIVATE_USE = re.compile(r"AA|Q[M-Z]|X[A-JL-Z]|ZZ|EU")
# Names that ISO 3166 and the United Nations have, and former ones, where CLDR has others.
_OTHER_NAMES = {
    "bolivia, plurinational state of": "BO", "brunei darussalam": "BN", "burma": "MM",
    "cabo verde": "CV", "congo, democratic republic of the": "CD",
    "congo, the democratic republic of the": "CD", "czech republic": "CZ",
    "democratic people's republic of korea": "KP", "democratic republic of the congo": "CD",
    "east timor": "TL", "great britain": "GB", "holy see": "VA", "hong kong": "HK",
    "iran, islamic republic of": "IR", "islamic republic of iran": "IR", "ivory coast": "CI",
    "korea, democratic people's republic of": "KP", "korea, republic of": "KR",
    "lao people's democratic republic": "LA", "macao": "MO", "macau": "MO", "macedonia": "MK",
    "micronesia, federated states of": "FM", "moldova, republic of": "MD", "myanmar": "MM",
    "netherlands, kingdom of the": "NL", "palestine": "PS", "palestine, state of": "PS",
    "republic of korea": "KR", "republic of moldova": "MD", "republic of the congo": "CG",
    "russian federation": "RU", "swaziland": "SZ", "syrian arab republic": "SY",
    "taiwan, province of china": "TW", "tanzania, united republic of": "TZ", "turkey": "TR",
    "united kingdom of great britain and northern ireland": "GB",
    "united republic of tanzania": "TZ", "united states of america": "US",
    "venezuela, bolivarian republic of": "VE", "viet nam": "VN",
}  # fmt: skip
_SEVERAL = {
    "congo": ("CD", "CG"), "korea": ("KP", "KR"), "virgin islands": ("VG", "VI"),
}  # fmt: skip
_OTHER_LANGUAGES = ("de", "es", "fr", "it", "nl", "pl", "pt")


def read_country(text: str) -> str:
    """Return the code of two letters of the country that a text names.

    Args:
        text: of a cell, trimmed: a code of two or three letters, or an English name.

    Raises:
        RowError: it names none, or perhaps another.
    """
    code = text.upper()
    if code == "NA":
        template = "'{text}' can be Namibia, or stand for nothing; write NAM for Namibia."
        raise RowError(None, "AMBIGUOUS_COUNTRY", template, text=text)
    if found := country_codes().get(code):
        return found
    if is_null_word(text):
        raise stands_for_nothing("INVALID_COUNTRY", text)
    name = _plain_name(text)
    if found := _codes_by_name().get(name):
        return found
    if several := _SEVERAL.get(name):
        shown, params = alternatives("country", several, "{}")
        template = "'{text}' can be " + shown + "; write the code of the country."
        raise RowError(None, "AMBIGUOUS_COUNTRY", template, text=shorten(text), **params)
    meant = _foreign_names().get(name, ())
    fault = "'{text}' is not a country: write its code, such as DE or DEU, or its English name"
    raise wrong_form("INVALID_COUNTRY", fault, text, meant[0] if len(meant) == 1 else None)


@cache
def country_codes() -> Mapping[str, str]:
    """Return the code of two letters by each code; Kosovo has `XK`, and the UK is `GB`."""
    from babel.core import get_global  # noqa: PLC0415 - `import importers` stays light

    longer = {
        code: codes[0]
        for code, codes in get_global("territory_aliases").items()
        if len(code) == 3 and code.isalpha() and len(codes) == 1 and code not in _NOT_ASSIGNED
        if not _FOR_PRIVATE_USE.fullmatch(codes[0])
    }
    return {**longer, **{code: code for code in longer.values()}, "UK": "GB"}


@cache
def _codes_by_name() -> Mapping[str, str]:
    return {name: codes[0] for name, codes in _names_in("en").items()} | _OTHER_NAMES


@cache
def _foreign_names() -> Mapping[str, Sequence[str]]:
    found: dict[str, set[str]] = {}
    for language in _OTHER_LANGUAGES:
        for name, codes in _names_in(language).items():
            found.setdefault(name, set()).update(codes)
    return {name: sorted(codes) for name, codes in found.items()}


def _names_in(language: str) -> Mapping[str, Sequence[str]]:
    from babel import Locale  # noqa: PLC0415

    names = Locale(language).territories
    assigned = set(country_codes().values())
    found: dict[str, list[str]] = {}
    for code in assigned & names.keys():
        found.setdefault(_plain_name(names[code]), []).append(code)
    return found


def _plain_name(name: str) -> str:
    """Write a name without capitals, accents and what else is written in several ways.

    Example:
        >>> _plain_name("The Türkiye"), _plain_name("St. Kitts & Nevis")
        ('turkiye', 'saint kitts and nevis')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    plain = plain.replace("\u2019", "'").replace("&", "and")
    return re.sub(r"^the ", "", re.sub(r"\bst\.? ", "saint ", " ".join(plain.split())))
