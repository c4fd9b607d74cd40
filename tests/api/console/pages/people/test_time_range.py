"""Days of filters, in the visitor's zone."""

from __future__ import annotations

import pytest

from api.console.pages.people.time_range import DayRange, _day_or_blank


@pytest.mark.parametrize(
    ("first", "last", "zone", "since", "until"),
    [
        ("2026-05-01", "2026-05-01", "UTC", "2026-05-01T00:00:00+00:00",
         "2026-05-02T00:00:00+00:00"),
        # The clocks change within the day.
        ("2026-10-25", "2026-10-25", "Europe/Madrid", "2026-10-25T00:00:00+02:00",
         "2026-10-26T00:00:00+01:00"),
        ("", "2026-12-31", "America/New_York", None, "2027-01-01T00:00:00-05:00"),
        ("", "", "UTC", None, None),
    ],
)  # fmt: skip
def test_variables(first: str, last: str, zone: str, since: str | None, until: str | None) -> None:
    """The last day is part of the range."""
    assert DayRange(first, last).variables(zone) == {"since": since, "until": until}


def test_what_is_no_day() -> None:
    """Other texts, and the ends of the calendar, are left out."""
    texts = (None, "", "soon", "2026-02-30", "9999-12-31", "0001-01-01")

    assert {_day_or_blank(text) for text in texts} == {""}
    assert _day_or_blank("2026-02-28") == "2026-02-28"
