"""Numbers are read in the forms of many countries, and none that can be two."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from importers import Number
from importers.sdk.cell_note import note_of
from tests.importers.sdk.ready_columns.read_cell import error_of, key_of

NBSP, THIN = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *[(each, "1234.5") for each in ("1234.5", "1234,5", "1,234.50", "1.234,50", "1 234,5")],
        *[(f"1{space}234,5", "1234.5") for space in (NBSP, THIN, "\u2009", "'", "\u2019")],
        *[(each, "1234567") for each in ("1234567", "1.234.567", "1,234,567", "1 234 567")],
        ("1,234,567.891", "1234567.891"),
        *[(each, "0.234") for each in ("0.234", "0,234", ".234", ",234")],
        ("1234.567", "1234.567"),
        ("1 234.567", "1234.567"),
        ("12.50", "12.5"),
        ("007", "7"),
        *[(each, "-5") for each in ("-5", "- 5", "\u22125", "5-", "5 -", "(5)", "-5.00")],
        *[(each, "0") for each in ("0", "-0", "0.00", "(0)")],
        ("+5", "5"),
        (f"{'9' * 40}.5", f"{'9' * 40}.5"),
    ],
)
def test_numbers(cell: str, expected: str) -> None:
    """Decimals follow a point or a comma, thousands may be apart, and the sign is at either end."""
    assert Number().read(cell) == Decimal(expected)
    assert key_of(Number(), cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        *("x", "12 kg", "12%", "--5", "+-5", "5.", "1.000,", "1.23.456", "12 34", "1,234.567,8"),
        *("1 234,567 890", "()", "-", ".", "\uff11", "\u0663", "NaN", "inf", "0x10", "1_000"),
    ],
)
def test_no_numbers(cell: str) -> None:
    """What is none in any of these forms fails, digits of other scripts and programs' words too."""
    error = error_of(Number(), cell)

    assert (error.code, str(error)) == ("INVALID_NUMBER", f"'{cell}' is not a number.")


@pytest.mark.parametrize(
    ("cell", "whole", "fraction"),
    [
        ("1.234", "1234", "1.234"),
        ("1,234", "1234", "1.234"),
        ("999,000", "999000", "999.000"),
        ("(1.234)", "-1234", "-1.234"),
    ],
)
def test_two_numbers(cell: str, whole: str, fraction: str) -> None:
    """One that can be two numbers is refused, with both."""
    error = error_of(Number(), cell)

    assert error.code == "AMBIGUOUS_NUMBER"
    assert str(error) == (
        f"'{cell}' can be {whole} or {fraction}; write {whole} for the one, and {fraction}0 for the"
        " other."
    )
    assert error.suggestion is None
    assert [Number().read(each) for each in (whole, f"{fraction}0")] == [
        Decimal(whole),
        Decimal(fraction),
    ]


@pytest.mark.parametrize(
    ("mark", "cell", "expected"),
    [
        (",", "1.234", "1234"),
        (",", "1,234", "1.234"),
        (".", "1.234", "1.234"),
        (".", "-1,234", "-1234"),
    ],
)
def test_declared_marks(mark: Any, cell: str, expected: str) -> None:
    """With its decimal mark declared, a number is one."""
    assert Number(decimal_mark=mark).read(cell) == Decimal(expected)


@pytest.mark.parametrize(
    ("mark", "cell", "suggestion"),
    [(",", "1234.56", "1234,56"), (",", "-1,234.50", "-1234,5"), (".", "12,5", "12.5")],
)
def test_another_mark(mark: Any, cell: str, suggestion: str) -> None:
    """A number that can only have the other mark fails, and what is meant is certain."""
    error = error_of(Number(decimal_mark=mark), cell)

    assert (error.code, error.suggestion) == ("INVALID_NUMBER", suggestion)
    assert Number(decimal_mark=mark).read(suggestion) == Number().read(cell)


@pytest.mark.parametrize(
    ("options", "cell", "code", "message"),
    [
        ({"minimum": 1}, "0", "OUT_OF_RANGE", "'0' is below 1, the least that it may be."),
        ({"maximum": Decimal("2.5")}, "2,6", "OUT_OF_RANGE",
         "'2,6' is above 2.5, the most that it may be."),
        ({"decimals": 2}, "1.005", "AMBIGUOUS_NUMBER", None),
        ({"decimals": 2}, "0.005", "INVALID_NUMBER", "'0.005' has more than 2 decimals."),
        ({"decimals": 0}, "2.5", "INVALID_NUMBER", "'2.5' is not a whole number."),
        ({}, "1" * 51, "TOO_LONG", "has 51 characters; the limit is 50."),
        ({}, "1,5E+05", "SPREADSHEET_DAMAGE",
         "'1,5E+05' is a number that a spreadsheet has shortened; write all of its digits."),
    ],
)  # fmt: skip
def test_limits(options: Any, cell: str, code: str, message: str | None) -> None:
    """A number outside of the range, with too many decimals or shortened fails."""
    error = error_of(Number(**options), cell)

    assert error.code == code
    assert message is None or str(error) == message


def test_within_the_limits() -> None:
    """The ends of the range pass, and so do zeros behind the decimals."""
    column = Number(minimum=0, maximum=Decimal("2.5"), decimals=1)

    assert [column.read(cell) for cell in ("0", "2.50", "2,5")] == [
        0,
        Decimal("2.5"),
        Decimal("2.5"),
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1,235\x1anumber=1234.567", "1234.567"),
        ("3.30\x1anumber=3.3000000000000003", "3.3"),
        ("12%\x1anumber=0.12", "0.12"),
    ],
)
def test_a_spreadsheets_number(cell: str, expected: str) -> None:
    """What the sheet's cell holds counts, without the noise of its arithmetic."""
    assert str(Number().read(cell)) == expected
    assert str(Number(is_key=True).read(cell)) == expected


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.23457E+17\x1anumber=123456789012345678", "SPREADSHEET_DAMAGE"),
        ("TRUE\x1aboolean=", "INVALID_NUMBER"),
        ("1/5/26\x1adate=2026-01-05", "INVALID_NUMBER"),
        ("\x1aunshown=5, which the sheet hides", "SPREADSHEET_DAMAGE"),
        ("#N/A\x1aerror=", "FORMULA_ERROR"),
    ],
)
def test_a_spreadsheets_other_cells(cell: str, code: str) -> None:
    """A number that has lost digits is none, and neither is what is no number."""
    assert error_of(Number(), cell).code == code


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"minimum": 0.5}, TypeError),
        ({"minimum": 2, "maximum": 1}, ValueError),
        ({"decimals": -1}, ValueError),
        ({"decimal_mark": ";"}, ValueError),
    ],
)
def test_wrong_options(options: Any, error: type[Exception]) -> None:
    """A column that could not mean anything is not made."""
    with pytest.raises(error):
        Number(**options)


@pytest.mark.parametrize(
    ("mark", "cell", "text"),
    [
        (None, "1,234\x1aparted=1234", "1234"),
        (",", "1,234\x1aparted=1234", "1234"),
        (",", "1.234\x1aparted=1.234", "1,2340"),
        (None, "-1.234\x1aparted=-1.234", "-1.2340"),
        (",", "1,235\x1anumber=1234.56789", "1234,56789"),
    ],
)
def test_a_spreadsheets_number_as_text(mark: Any, cell: str, text: str) -> None:
    """A number of a workbook is the same in a file of texts, whatever its point or comma."""
    column, note = Number(decimal_mark=mark), note_of(cell)

    assert note
    assert column._as_text(note) == text
    assert column.read(text) == column.read(cell) == Decimal(note.detail)
