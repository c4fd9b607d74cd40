"""Amounts are numbers with a currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from importers import Amount, Money
from tests.importers.sdk.ready_columns.read_cell import error_of, key_of


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        *[(each, "12.50", "EUR") for each in ("12.50 EUR", "\u20ac 12,50", "12,5\u20ac")],
        ("eur 12.5", "12.50", "EUR"),
        ("-$1,234.50", "-1234.50", "USD"),
        ("$-5", "-5.00", "USD"),
        ("($5)", "-5.00", "USD"),
        ("5 EUR-", "-5.00", "EUR"),
        ("1\u00a0234,50 \u20ac", "1234.50", "EUR"),
        ("\u20ac12.50\x1anumber=12.500000000000002", "12.50", "EUR"),
    ],
)  # fmt: skip
def test_amounts(cell: str, amount: str, currency: str) -> None:
    """The code or sign stands at either end; the amount has the currency's decimals."""
    column = Amount("EUR", "USD")

    assert column.read(cell) == Money(amount=Decimal(amount), currency=currency)
    assert key_of(column, cell) == f"{amount} {currency}"


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        pytest.param(Amount("JPY"), "1000", "1000 JPY", id="only one currency"),
        pytest.param(Amount("JPY"), "100.00", "100 JPY", id="zeros for decimals"),
        pytest.param(Amount("KWD"), "0.125", "0.125 KWD", id="three decimals"),
        pytest.param(Amount(), "5 CHF", "5.00 CHF", id="any currency"),
        pytest.param(Amount("EUR", decimal_mark=","), "1.234", "1234.00 EUR", id="declared mark"),
        pytest.param(Amount("NOK"), "5 kr.", "5.00 NOK", id="sign of several"),
    ],
)
def test_kinds_of_amounts(column: Amount, cell: str, expected: str) -> None:
    """One currency alone need not be named, and none is a choice of all."""
    assert str(column.read(cell)) == expected


@pytest.mark.parametrize(
    ("column", "cell", "code", "message"),
    [
        (Amount("EUR", "USD"), "5", "INVALID_CURRENCY",
         "'5' has no currency; write its code behind it, as in 12.50 EUR."),
        (Amount("EUR", "USD"), "GBP 5", "INVALID_CURRENCY",
         "'GBP' is not one of the currencies EUR, USD."),
        (Amount("EUR"), "12\u20ac50", "INVALID_NUMBER", "'12\u20ac50' has no number before or"
         " behind its currency."),
        (Amount("EUR"), "EUR", "INVALID_NUMBER", "'EUR' has no number before or behind its"
         " currency."),
        (Amount("EUR"), "EUR 5 EUR", "INVALID_NUMBER",
         "'EUR 5 EUR' is not an amount, as 12.50 EUR is."),
        (Amount("EUR"), "5.-", "INVALID_NUMBER", "'5.-' is not a number."),
        (Amount("EUR"), "0.125", "INVALID_NUMBER",
         "'0.125' has more decimals than EUR, which has 2."),
        (Amount("JPY"), "10.5", "INVALID_NUMBER",
         "'10.5' has more decimals than JPY, which has 0."),
        (Amount(), "$5", "AMBIGUOUS_CURRENCY", "'$' can be USD or ARS or AUD or BBD or BMD or"
         " another one; write the code of the currency."),
        (Amount("EUR"), "1.234 EUR", "AMBIGUOUS_NUMBER", "'1.234' can be 1234 or 1.234; write 1234"
         " for the one, and 1.2340 for the other."),
        (Amount("EUR", minimum=0), "-1 EUR", "OUT_OF_RANGE",
         "'-1 EUR' is below 0, the least that it may be."),
        (Amount("EUR"), "\u20ac12.50\x1anumber=12.504", "INVALID_NUMBER",
         "'12.504' has more decimals than EUR, which has 2."),
    ],
)  # fmt: skip
def test_no_amounts(column: Amount, cell: str, code: str, message: str) -> None:
    """What has no certain number, or no certain currency, fails in words."""
    error = error_of(column, cell)

    assert (error.code, str(error), error.suggestion) == (code, message, None)
