"""Days are read from the forms that are certain; others are described."""

from __future__ import annotations

from datetime import date

import pytest

from importers import RowError
from importers.sdk.cells.day import read_day, shown_order

FORMS = "mm/dd/yyyy or yyyy-mm-dd"
FORMS_OF_DMY = "dd/mm/yyyy or yyyy-mm-dd"


def error_of(text: str, order: str | None = None, *, is_day_first: bool = False) -> RowError:
    with pytest.raises(RowError) as caught:
        read_day(text, order=order, is_day_first=is_day_first)
    return caught.value


@pytest.mark.parametrize(
    "time",
    [
        "T00", "T00:00", " 00:00", "T00:00:00", "t00:00:00z", "T000000", "T00:00:00.000Z",
        " 00:00:00,000", "T00:00:00-05:00", "T00:00:00+0530", "T00:00:00+01", " 00:00:00 +01:00",
    ],
)  # fmt: skip
def test_midnight_in_any_form_is_the_day(time: str) -> None:
    """Midnight in any form of ISO 8601 is that day, in whatever zone."""
    assert read_day(f"2026-01-31{time}") == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("2026-01-31T23:30:00", f"has a time of day; write the day alone, as {FORMS}.",
         "2026-01-31"),
        # Another day in UTC.
        ("2026-01-31T23:30:00-05:00", f"has a time of day; write the day alone, as {FORMS}.",
         None),
        # The end of the day, which is the beginning of the next.
        ("2026-01-31T24:00:00", f"has a time of day; write the day alone, as {FORMS}.", None),
        ("2026-01-31 7:30", f"has a time of day; write the day alone, as {FORMS}.", "2026-01-31"),
        ("1/31/2026 0:00", f"has a time of day; write the day alone, as {FORMS}.", "2026-01-31"),
        ("3/4/2026, 12:00:00 AM", f"has a time of day; write the day alone, as {FORMS}.",
         "2026-03-04"),
        ("31/01/2026 14:30:00.000", f"has a time of day; write the day alone, as {FORMS}.",
         "2026-01-31"),
        ("03.04.2026 14:30", f"has a time of day; write the day alone, as {FORMS}.", None),
        ("02/30/2026 14:30", f"has a time of day; write the day alone, as {FORMS}.", None),
        ("20260131", f"looks like a day without separators; write it as {FORMS}.", "2026-01-31"),
        ("20269931", f"is not a day, written as {FORMS}.", None),
        ("46053", f"looks like the number that a spreadsheet keeps for a day; write it as {FORMS}.",
         None),
        ("1/5/24", f"has a year of two digits; write it as {FORMS}.", None),
        ("13/02/2026",
         f"has the day first; write it as {FORMS}, or upload the file with the date order DMY.",
         "2026-02-13"),
        ("13.02.2026", f"is in another form; write it as {FORMS}.", "2026-02-13"),
        ("03.04.2026", f"is in another form; write it as {FORMS}.", None),
        ("2026/1/31", f"is in another form; write it as {FORMS}.", "2026-01-31"),
        ("5 Jan 2024", f"has the month as a word; write it as {FORMS}.", "2024-01-05"),
        ("January 5, 2024", f"has the month as a word; write it as {FORMS}.", "2024-01-05"),
        ("5 Marble 2024", f"has the month as a word; write it as {FORMS}.", None),
        ("02/30/2024", f"is not a day, written as {FORMS}.", None),
        ("01/31/1026", "is before the year 1900; correct the year.", None),
        ("1899-12-31", "is before the year 1900; correct the year.", None),
        ("soon", f"is not a day, written as {FORMS}.", None),
    ],
)  # fmt: skip
def test_no_day(text: str, message: str, suggestion: str | None) -> None:
    """The message says what a text looks like; a day is suggested only if it is certain."""
    error = error_of(text)

    assert error.code == "INVALID_DATE"
    assert error.message == f"'{text}' {message}"
    assert error.suggestion == suggestion


def test_the_first_year() -> None:
    """Years begin with 1900."""
    assert read_day("01/01/1900") == date(1900, 1, 1)


def test_both_readings() -> None:
    """In a column with days first, what could be read both ways names both days."""
    error = error_of("03/04/2026", is_day_first=True)

    assert error.code == "AMBIGUOUS_DATE"
    assert error.message == (
        "'03/04/2026' can be 2026-04-03 or 2026-03-04, and other cells of the column have the day"
        " first; write yyyy-mm-dd, or upload the file with the date order DMY."
    )
    assert error.suggestion is None


@pytest.mark.parametrize("text", ["05/05/2026", "2026-05-05", "01/31/2026"])
def test_what_is_certain_in_a_column_with_days_first(text: str) -> None:
    """What can be read in one way only is read, whatever other cells show."""
    assert read_day(text, is_day_first=True) == read_day(text)


@pytest.mark.parametrize(
    ("order", "text", "expected"),
    [
        ("DMY", "03/04/2026", date(2026, 4, 3)),
        ("DMY", "13/02/2026", date(2026, 2, 13)),
        ("DMY", "13.02.2026", date(2026, 2, 13)),
        ("DMY", "2026-02-13", date(2026, 2, 13)),
        ("MDY", "03/04/2026", date(2026, 3, 4)),
        ("MDY", "03-04-2026", date(2026, 3, 4)),
    ],
)
def test_a_declared_order(order: str, text: str, expected: date) -> None:
    """A declared order reads every day, whatever other cells show."""
    assert read_day(text, order=order, is_day_first=True) == expected


@pytest.mark.parametrize(
    ("order", "text", "message"),
    [
        ("DMY", "01/31/2026", f"'01/31/2026' has the month first; write it as {FORMS_OF_DMY}."),
        ("MDY", "31/01/2026", f"'31/01/2026' has the day first; write it as {FORMS}."),
    ],
)
def test_against_a_declared_order(order: str, text: str, message: str) -> None:
    """What contradicts the declared order is refused, with the day that it is."""
    error = error_of(text, order)

    assert (error.message, error.suggestion) == (message, "2026-01-31")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13/02/2026", "day first"), ("31.01.2026", "day first"), ("31/01/2026 0:00", "day first"),
        ("31.01.2026, 2:30 PM", "day first"), ("01/31/2026", "month first"),
        ("01/31/2026 0:00", "month first"), ("12/12/2026", "either order"),
        ("3/4/2026", "either order"), ("32/01/2026", None), ("31/13/2026", None),
        ("00/31/2026", None), ("31/01/26", None), ("2026-01-31", None),
    ],
)  # fmt: skip
def test_what_shows_an_order(text: str, expected: str | None) -> None:
    """A number that can be no month, beside one that can, shows it."""
    assert shown_order(text) == expected


def test_a_time_of_day_in_a_column_with_days_first() -> None:
    """What could be read both ways is no suggestion either."""
    assert error_of("03/04/2026 14:30", is_day_first=True).suggestion is None
    assert error_of("03/04/2026 14:30", "DMY", is_day_first=True).suggestion == "2026-04-03"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/2/26", f"'1/2/26' has a year of two digits; write it as {FORMS_OF_DMY}."),
        ("40/2/2026", f"'40/2/2026' is not a day, written as {FORMS_OF_DMY}."),
        ("31/1/2026 9:30",
         f"'31/1/2026 9:30' has a time of day; write the day alone, as {FORMS_OF_DMY}."),
    ],
)  # fmt: skip
def test_what_is_advised_is_read_as_it_is_meant(text: str, message: str) -> None:
    """Where days come first, nobody is told to write the month first: it would be another day."""
    assert error_of(text, "DMY").message == message
