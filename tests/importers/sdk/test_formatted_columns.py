"""Columns with a format read each kind of cell as the rules say."""

from __future__ import annotations

from datetime import date

import pytest

from importers import (
    Choice,
    Column,
    Date,
    Email,
    Importer,
    Locale,
    RowError,
    State,
    TagId,
    TimeZone,
)


class Formats(Importer):
    """Has one column of each kind."""

    email = Email()
    tag = TagId()
    locale = Locale()
    zone = TimeZone()
    day = Date()
    state = State(off="closed", on="active")
    choice = Choice("EUR", "USD", "New York")
    short = Column[str](longest=5)


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("email", " Jo.Smith+x@Example.org ", "Jo.Smith+x@Example.org"),
        ("email", "jo@bücher.example", "jo@bücher.example"),
        ("tag", "A-1/b_2", "A-1/b_2"),
        ("tag", "007", "007"),
        ("tag", "x" * 64, "x" * 64),
        ("locale", "en", "en"),
        ("locale", "es-MX", "es-MX"),
        ("locale", "sp", "es"),
        ("locale", "SP", "es"),
        ("zone", "America/New_York", "America/New_York"),
        ("zone", "UTC", "UTC"),
        ("day", "01/31/2024", date(2024, 1, 31)),
        ("day", "1/5/2024", date(2024, 1, 5)),
        ("day", "2024-02-29", date(2024, 2, 29)),
        ("day", "2024-02-29 00:00:00", date(2024, 2, 29)),
        ("state", "0", False),
        ("state", " 1 ", True),
        ("choice", " USD ", "USD"),
        ("choice", "New York", "New York"),
        ("short", " 12345 ", "12345"),
        *[(name, " ", None) for name in Formats.columns],
    ],
)
def test_a_cell_is_read(name: str, cell: str, expected: object) -> None:
    """A cell is trimmed and becomes its column's value; blank is None."""
    assert Formats.columns[name].read(cell) == expected


@pytest.mark.parametrize(
    ("name", "cell", "code"),
    [
        *[("choice", cell, "INVALID_CHOICE") for cell in ("usd", "US D", "0")],
        *[
            ("email", cell, "INVALID_EMAIL")
            for cell in ("jo", "jo@", "@x.org", "jo@x", "a b@x.org", "a..b@x.org", "a@b@c.org")
        ],
        *[
            ("email", cell, "INVALID_EMAIL")
            for cell in ("=?utf-8?q?a=40b.org=2C_c?=@x.org", "\u202ejo@x.org")
        ],
        ("email", "x@" + "y" * 260 + ".org", "INVALID_EMAIL"),
        *[("tag", cell, "INVALID_TAG") for cell in ("a b", "é", "a.b", "x" * 65, "\uff11", "a'b")],
        *[("tag", cell, "SPREADSHEET_DAMAGE") for cell in ("1E+05", "5-Jan", "1.0", "#NAME?")],
        *[("locale", cell, "INVALID_LOCALE") for cell in ("english please", "e", "en_US")],
        *[("zone", cell, "INVALID_ZONEINFO") for cell in ("EST5", "Mars/Phobos", "../etc")],
        *[
            ("day", cell, "INVALID_DATE")
            for cell in (
                "31/01/2024", "02/30/2024", "2024-13-01", "1/5/24", "0000-01-01", "5 Jan 2024",
                "2024-1-5", "\uff11/5/2024", "2024-01-05 10:00:00", "45296",
            )
        ],
        *[("state", cell, "INVALID_FLAG") for cell in ("2", "yes", "active", "00", "\uff11")],
        ("short", "123456", "TOO_LONG"),
    ],
)  # fmt: skip
def test_a_cell_is_refused(name: str, cell: str, code: str) -> None:
    """What is not of the column's format has the format's code."""
    with pytest.raises(RowError) as caught:
        Formats.columns[name].read(cell)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        ("email", "jo", "'jo' is not an e-mail address."),
        ("locale", "x", "'x' is not a BCP 47 tag, such as 'en' or 'es-MX'."),
        ("zone", "x", "'x' is not an IANA name, such as 'America/New_York'."),
        ("day", "x", "'x' is not a day, written as mm/dd/yyyy or yyyy-mm-dd."),
        ("state", "x", "'x' is not 0 (closed) or 1 (active)."),
        ("short", "123456", "has 6 characters; the limit is 5."),
    ],
)
def test_messages(name: str, cell: str, message: str) -> None:
    """The message shows the cell and what would be right."""
    with pytest.raises(RowError) as caught:
        Formats.columns[name].read(cell)

    assert caught.value.message == message


def test_addresses_meet_in_any_case() -> None:
    """Rows with the same address in other capitals are kept together; other texts are not."""
    assert Email().group_key("Jo@X.org") == Email().group_key("jo@x.ORG")
    assert TagId().group_key("A") != TagId().group_key("a")


def test_a_choice_is_suggested_and_listed() -> None:
    """A near miss is told what it was probably meant to be; menus list the words."""
    column = Choice("EUR", "USD")
    with pytest.raises(RowError) as caught:
        column.read("Usd")

    assert caught.value.message == "there is no 'Usd'; did you mean 'USD'?"
    assert caught.value.suggestion == "USD"
    assert list(column.choices_for([])) == ["EUR", "USD"]
