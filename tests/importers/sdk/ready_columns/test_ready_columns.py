"""Columns with a format read each kind of cell as the rules say."""

from __future__ import annotations

from datetime import date

import pytest

from importers import (
    Amount,
    Choice,
    Choices,
    Column,
    Country,
    Currency,
    Date,
    Email,
    Importer,
    Locale,
    Name,
    Number,
    Phone,
    RowError,
    State,
    TagId,
    TimeZone,
    Url,
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
    name = Name()
    short = Column[str](longest=5)
    number = Number()
    currency = Currency()
    amount = Amount("EUR", "USD")
    country = Country()
    phone = Phone(region="DE")
    url = Url()
    choices = Choices("en", "de", "fr")


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
        ("day", "2026-01-31T00:00:00", date(2026, 1, 31)),
        ("day", "2026-01-31T00:00:00.000Z", date(2026, 1, 31)),
        ("day", "2026-01-31 00:00", date(2026, 1, 31)),
        ("day", "2026-01-31T00:00:00-05:00", date(2026, 1, 31)),
        ("day", "7/4/26\x1adate=2026-07-04", date(2026, 7, 4)),
        ("state", "0", False),
        ("state", " 1 ", True),
        *[("state", cell, True) for cell in ("active", "Active", "yes", "1.0", "TRUE")],
        *[("state", cell, False) for cell in ("closed", "CLOSED", "n", "0.0", "false")],
        *[("name", cell, cell) for cell in ("Null", "Nan", "None", "NA", "null", "a\nb")],
        ("name", "Zoe\u0308", "Zoë"),
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
        *[("tag", cell, "SPREADSHEET_DAMAGE") for cell in ("1E+05", "5-Jan", "1.0")],
        ("tag", "#NAME?", "FORMULA_ERROR"),
        *[("tag", cell, "INVALID_TAG") for cell in ("NULL", "N/A", "nan", "None", "\\N", "NA")],
        *[("name", cell, "INVALID_NAME") for cell in ("NULL", "\\N", "N/A", "NONE")],
        *[("locale", cell, "INVALID_LOCALE") for cell in ("english please", "e", "en_US")],
        *[("locale", cell, "INVALID_LOCALE") for cell in ("English", "NULL", "nan")],
        *[("zone", cell, "INVALID_ZONEINFO") for cell in ("EST5", "Mars/Phobos", "../etc")],
        *[
            ("day", cell, "INVALID_DATE")
            for cell in (
                "31/01/2024", "02/30/2024", "2024-13-01", "1/5/24", "0000-01-01", "5 Jan 2024",
                "2024-1-5", "\uff11/5/2024", "2024-01-05 10:00:00", "45296",
                "7/4/26\x1adate=2026-07-04T09:30:00", "9:30\x1atime=9:30:00",
            )
        ],
        *[("state", cell, "INVALID_FLAG") for cell in ("2", "open", "aktiv", "00", "\uff11")],
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
        ("email", "a@x.org, b@x.org", "holds several e-mail addresses; write one of them."),
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


@pytest.mark.parametrize(
    ("name", "cell", "suggestion"),
    [
        ("email", "Dana Kim <dana.kim@example.org>", "dana.kim@example.org"),
        ("locale", "en_US", "en-US"),
        ("zone", "Eastern Standard Time", "America/New_York"),
        ("day", "20260131", "2026-01-31"),
        ("tag", "NULL", None),
    ],
)
def test_what_was_meant(name: str, cell: str, suggestion: str | None) -> None:
    """What was certainly meant by a cell is suggested, and the suggestion can be read."""
    with pytest.raises(RowError) as caught:
        Formats.columns[name].read(cell)

    assert caught.value.suggestion == suggestion
    assert suggestion is None or Formats.columns[name].read(suggestion) is not None


def test_nothing_for_nothing() -> None:
    """A word for nothing is answered with what to do."""
    with pytest.raises(RowError) as caught:
        TagId().read("N/A")

    assert caught.value.message == "'N/A' stands for nothing; write nothing for nothing."


def test_a_column_that_knows_of_its_file() -> None:
    """A column of days that has shown a day first refuses what could be read both ways."""
    observed = Date().observe(["03/04/2026", "31/01/2026"])
    with pytest.raises(RowError) as caught:
        Date().knowing(observed).read("03/04/2026")

    assert list(Date().observe(["2026-01-31", "1/5/26", "", "x\x1adate=2026-01-31"])) == []
    assert caught.value.code == "AMBIGUOUS_DATE"
    assert Date().read("03/04/2026") == date(2026, 3, 4)
    assert Date().knowing({"DMY", *observed}).read("03/04/2026") == date(2026, 4, 3)
    assert Date().knowing({"MDY", *observed}).read("03/04/2026") == date(2026, 3, 4)


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


def test_days_of_a_program_that_writes_the_day_first() -> None:
    """A column may say how its files write days; the upload knows better."""
    column = Date(order="DMY")

    assert column.read("03.04.2026") == column.read("03/04/2026") == date(2026, 4, 3)
    assert column.knowing({"day first"}).read("03/04/2026") == date(2026, 4, 3)
    assert column.knowing({"MDY"}).read("03/04/2026") == date(2026, 3, 4)
    with pytest.raises(TypeError, match="the order of dates is DMY or MDY, not 'dmy'"):
        Date(order="dmy")  # type: ignore[arg-type]
