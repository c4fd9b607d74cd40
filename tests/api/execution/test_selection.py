"""Columns: completed together, as each value would be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLString
from hypothesis import given
from hypothesis import strategies as st

from api.execution.selection import OddValueError, Wave, of_scalar
from api.schema.definition import schema

TIMES = of_scalar(schema._schema.type_map["DateTime"])
DATES = of_scalar(schema._schema.type_map["Date"])
ZONES = st.sampled_from([UTC, None, timezone(timedelta(hours=5, seconds=30))])


@given(st.lists(st.datetimes(timezones=st.just(UTC))))
def test_times_in_utc(times: list[datetime]) -> None:
    """Times that are written together are those that `isoformat` writes."""
    assert TIMES is not None

    assert TIMES(times, Wave()) == [time.isoformat() for time in times]


@given(st.lists(st.builds(datetime.replace, st.datetimes(), tzinfo=ZONES)))
def test_times_in_any_zone(times: list[datetime]) -> None:
    """Other zones, and none, may be among them."""
    assert TIMES is not None

    assert TIMES(times, Wave()) == [time.isoformat() for time in times]


@given(st.lists(st.dates()))
def test_dates(dates: list[date]) -> None:
    """Dates are written together as `isoformat` writes each."""
    assert DATES is not None

    assert DATES(dates, Wave()) == [each.isoformat() for each in dates]


@pytest.mark.parametrize("odd", [None, "2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)])
def test_odd_dates(odd: Any) -> None:
    """What is no date, or also a time, is left to graphql-core."""
    assert DATES is not None

    with pytest.raises(OddValueError):
        DATES([date(2026, 1, 2), odd], Wave())


@pytest.mark.parametrize("odd", [None, "2026-01-02", 7])
def test_odd_times(odd: Any) -> None:
    """What is no time is left to graphql-core."""
    assert TIMES is not None

    with pytest.raises(OddValueError):
        TIMES([datetime(2026, 1, 2, tzinfo=UTC), odd], Wave())


def test_texts_are_measured() -> None:
    """The wave adds up the texts that were read."""
    wave, complete = Wave(), of_scalar(GraphQLString)
    assert complete is not None

    assert complete(["ab", "", "cde"], wave) == ["ab", "", "cde"]
    assert complete(["f"], wave) == ["f"]
    assert wave.characters == 6
