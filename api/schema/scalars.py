"""Dates and times, as RFC 3339 writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import strawberry
from graphql import GraphQLError

_RFC_3339 = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6"
# Python's last microsecond, which .NET writes for "never", would become PostgreSQL's `infinity`.
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC)


def _read_date(value: object) -> date:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        day = None
    # Python also reads `2026-W06-2`, and a number such as 20260203.
    if day is None or day.isoformat() != value:
        raise GraphQLError("A Date is a day, such as '2026-02-03'.")
    return day


def _read_time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        time = None
    # Without a zone it would be another time for each reader.
    if time is None or time.tzinfo is None:
        raise GraphQLError(
            "A DateTime is a time with its offset from UTC, such as '2026-02-03T14:30:00Z' or "
            "'2026-02-03T14:30:00+02:00'."
        )
    return min(_in_utc(time), _LAST)


def _in_utc(time: datetime) -> datetime:
    """Return a time in UTC.

    The first and last hours of the calendar may have no such time; nothing happens near enough to
    them for the zone to matter.
    """
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return time.replace(tzinfo=UTC)


DATE = strawberry.scalar(
    name="Date",
    description="A day, such as `2026-02-03`.",
    specified_by_url=_RFC_3339,
    serialize=date.isoformat,
    parse_value=_read_date,
)
DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A time with its offset from UTC, such as `2026-02-03T14:30:00Z`. Answers are in "
    "UTC.",
    specified_by_url=_RFC_3339,
    serialize=datetime.isoformat,
    parse_value=_read_time,
)
