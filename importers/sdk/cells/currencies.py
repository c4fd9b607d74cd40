"""Currencies by their codes, signs and English names, as CLDR has them (in Babel)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from importers.sdk.cells.wrong_cell import wrong_form
from importers.sdk.errors import RowError, alternatives, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_DOLLARS = (
    "USD ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD"
    " SRD TTD TWD UYU XCD"
)
_CROWNS = "DKK ISK NOK SEK"
_YEN = "CNY JPY"
# A sign that several have is none until the column says which of them it takes.
_SIGNS: Mapping[str, str] = {
    "$": _DOLLARS, "£": "GBP EGP FKP GIP LBP SHP SSP SYP", "¥": _YEN, "￥": _YEN,
    "kr": _CROWNS, "kr.": _CROWNS, "€": "EUR", "₹": "INR", "₪": "ILS", "₩": "KRW KPW",
    "₫": "VND", "₱": "PHP", "₽": "RUB", "฿": "THB", "₺": "TRY", "₴": "UAH", "₦": "NGN",
    "₸": "KZT", "₾": "GEL", "₲": "PYG", "₼": "AZN", "₮": "MNT", "₭": "LAK", "₡": "CRC",
    "₵": "GHS", "৳": "BDT", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "R$": "BRL", "US$": "USD",
    "A$": "AUD", "AU$": "AUD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD",
    "MX$": "MXN", "S$": "SGD", "EC$": "XCD",
}  # fmt: skip
# ISO 4217's minor units. CLDR counts the coins that are in use: it has no decimals for the forint.
_WITHOUT_DECIMALS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
_WITH_THREE = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_MOST_NAMED = 5


@cache
def codes_in_use() -> frozenset[str]:
    """Return the codes of what is legal tender somewhere today."""
    from babel.core import get_global  # noqa: PLC0415 - `import importers` stays light
    from babel.numbers import get_territory_currencies  # noqa: PLC0415

    territories = get_global("territory_currencies")
    return frozenset(code for each in territories for code in get_territory_currencies(each))


@cache
def known_codes() -> frozenset[str]:
    """Return the codes of all currencies, past ones too."""
    from babel.numbers import list_currencies  # noqa: PLC0415

    return frozenset(list_currencies())


def decimals_of_currency(code: str) -> int:
    """Return how many decimals an amount may have."""
    return 0 if code in _WITHOUT_DECIMALS else 3 if code in _WITH_THREE else 2


def read_currency(text: str, listed: Sequence[str]) -> str:
    """Return the code of the currency that a text names, by code, sign or English name.

    Args:
        text: of a cell, trimmed.
        listed: the codes that are allowed; none for all that are in use.

    Raises:
        RowError: it names none of them, or several.
    """
    allowed: Collection[str] = listed or codes_in_use()
    named = _codes_of(text, allowed)
    found = [code for code in named if code in allowed]
    if len(found) > 1:
        raise _several_currencies(text, found)
    if found:
        return found[0]
    if listed:
        template = "'{text}' is not one of the currencies {choices}."
        choices = ", ".join(listed)
        raise RowError(None, "INVALID_CURRENCY", template, text=shorten(text), choices=choices)
    fault = "'{text}' is not the code of a currency, such as EUR"
    if named:
        fault = "'{text}' is not in use any more, or is no money"
    raise wrong_form("INVALID_CURRENCY", fault, text)


def _codes_of(text: str, allowed: Collection[str]) -> Sequence[str]:
    if text.upper() in known_codes():
        return (text.upper(),)
    if signed := _SIGNS.get(text):
        return signed.split()
    return [code for code in _codes_by_name().get(text.casefold(), ()) if code in allowed]


@cache
def _codes_by_name() -> Mapping[str, Sequence[str]]:
    from babel import Locale  # noqa: PLC0415

    names: dict[str, list[str]] = {}
    for code, name in Locale("en").currencies.items():
        names.setdefault(name.casefold(), []).append(code)
    return names


def _several_currencies(text: str, found: Sequence[str]) -> RowError:
    shown, params = alternatives("currency", found[:_MOST_NAMED], "{}")
    more = " or another one" if len(found) > _MOST_NAMED else ""
    template = "'{text}' can be " + shown + more + "; write the code of the currency."
    return RowError(None, "AMBIGUOUS_CURRENCY", template, text=shorten(text), **params)
