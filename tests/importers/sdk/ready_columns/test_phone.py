"""Phone numbers are read as they are dialled, and written in one form."""

from __future__ import annotations

import pytest

from importers import Phone
from importers.sdk.errors import ConfigError
from importers.sdk.ready_columns import phone
from tests.importers.sdk.ready_columns.read_cell import error_of, key_of


@pytest.mark.parametrize(
    ("region", "cells", "expected"),
    [
        ("DE", ("030 / 123 45 67", "(030) 1234567", "030-1234567", "030\u00a01234567",
                "+49301234567", "+49 (0)30 1234567", "0049 30 1234567"), "+49301234567"),
        ("DE", ("+1 (202) 555-0123",), "+12025550123"),
        ("US", ("(202) 555-0123", "2025550123", "1-202-555-0123", "+1.202.555.0123"),
         "+12025550123"),
        ("US", ("011 49 30 1234567",), "+49301234567"),
        ("IT", ("06 1234 5678", "+39 06 1234 5678"), "+390612345678"),
        ("ES", ("612 34 56 78",), "+34612345678"),
        ("RU", ("8 (495) 123-45-67", "+7 495 123 45 67"), "+74951234567"),
        ("BR", ("(11) 96123-4567", "011 96123-4567"), "+5511961234567"),
        (None, ("+49 30 1234567", "0049 30 1234567"), "+49301234567"),
    ],
)  # fmt: skip
def test_numbers(region: str | None, cells: tuple[str, ...], expected: str) -> None:
    """All ways to write a number have one value, and one key."""
    column = Phone(region=region)

    assert {column.read(cell) for cell in cells} == {expected}
    assert {key_of(column, cell) for cell in cells} == {expected}


PART = (
    "is no whole phone number of DE; write it with its area code as it is dialled there, or with +"
    " and its country code."
)


@pytest.mark.parametrize(
    ("region", "cell", "fault"),
    [
        ("DE", "30 1234567", PART),
        ("DE", "15112345678", PART),
        ("DE", "4915112345678", PART),
        ("DE", "112", PART),
        ("DE", "+49 30", "is no phone number that there can be; check its digits."),
        ("DE", "030 1234567 ext. 5", "has an extension; write the rest."),
        ("DE", "030 1234567 x5", "has an extension; write the rest."),
        ("DE", "030 1234567, 040 7654321", "holds several phone numbers; write one of them."),
        ("DE", "030 1234567 / 040 7654321", "holds several phone numbers; write one of them."),
        ("DE", "call me", "is not a phone number."),
        ("US", "1 800 FLOWERS", "is not a phone number."),
        ("DE", "\uff10\uff13\uff10 1234567", "is not a phone number."),
        ("DE", "++49 30 1234567", "is not a phone number."),
        (None, "030 1234567", "has no country code: begin with +, as in +1 202 555 0123."),
        (None, "4915112345678", "has no country code: begin with +, as in +1 202 555 0123."),
    ],
)
def test_no_numbers(region: str | None, cell: str, fault: str) -> None:
    """What may be another number fails, as one without its `0` or its `+`, without a guess."""
    error = error_of(Phone(region=region), cell)

    assert (error.code, str(error), error.suggestion) == (
        "INVALID_PHONE",
        f"'{cell}' {fault}",
        None,
    )


@pytest.mark.parametrize("cell", ["4.91511E+12", "4,9E+11", "4.92E+11\x1anumber=491511234567"])
def test_spreadsheets_numbers(cell: str) -> None:
    """A spreadsheet takes a number that begins with `+` or `0` for another one."""
    assert error_of(Phone(), cell).code == "SPREADSHEET_DAMAGE"


def test_a_region_that_is_none() -> None:
    """A plugin that misspells its region is broken."""
    with pytest.raises(ConfigError, match="a phone's region is a country's code, such as 'DE'"):
        Phone(region="Germany")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that needs the package is broken without it, and says what to install."""
    monkeypatch.setattr(phone, "find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"install caseroll\[phone\]"):
        Phone()
