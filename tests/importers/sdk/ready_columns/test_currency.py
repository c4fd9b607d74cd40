"""Currencies are read by code, sign and name."""

from __future__ import annotations

import re

import pytest

from importers import Currency
from importers.sdk.errors import ConfigError
from tests.importers.sdk.ready_columns.read_cell import error_of


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        *[(Currency(), each, "EUR") for each in ("EUR", "eur", "\u20ac", "Euro", " euro ")],
        (Currency(), "US Dollar", "USD"),
        (Currency(), "CA$", "CAD"),
        (Currency("EUR", "USD"), "$", "USD"),
        (Currency("EUR", "GBP"), "\u00a3", "GBP"),
        (Currency("DEM"), "DEM", "DEM"),
    ],
)
def test_currencies(column: Currency, cell: str, expected: str) -> None:
    """A sign means a currency if one alone of those that are allowed has it."""
    assert column.read(cell) == expected


@pytest.mark.parametrize(
    ("column", "cell", "code", "message"),
    [
        (Currency(), "foo", "INVALID_CURRENCY",
         "'foo' is not the code of a currency, such as EUR."),
        (Currency(), "DEM", "INVALID_CURRENCY", "'DEM' is not in use any more, or is no money."),
        (Currency(), "XAU", "INVALID_CURRENCY", "'XAU' is not in use any more, or is no money."),
        (Currency("EUR", "USD"), "GBP", "INVALID_CURRENCY",
         "'GBP' is not one of the currencies EUR, USD."),
        (Currency("AUD", "CAD"), "$", "AMBIGUOUS_CURRENCY",
         "'$' can be AUD or CAD; write the code of the currency."),
        (Currency(), "kr", "AMBIGUOUS_CURRENCY",
         "'kr' can be DKK or ISK or NOK or SEK; write the code of the currency."),
    ],
)  # fmt: skip
def test_no_currencies(column: Currency, cell: str, code: str, message: str) -> None:
    """What names none that is allowed fails, and so does what names several."""
    error = error_of(column, cell)

    assert (error.code, str(error), error.suggestion) == (code, message, None)


def test_choices() -> None:
    """Menus list the currencies of a column that names them."""
    assert Currency("EUR", "USD").choices_for([]) == ("EUR", "USD")
    assert Currency().choices_for([]) is None


def test_unknown_codes() -> None:
    """A column of what is no currency is not made."""
    with pytest.raises(ConfigError, match=re.escape("the choice 'EURO' is no code of ISO 4217")):
        Currency("EUR", "EURO")
