"""Dates and times: which texts stand for one."""

from __future__ import annotations

import pytest

from api.schema.definition import schema
from tests.api.api_fixture import Api

EVENTS = "query ($since: DateTime) { auditEvents(since: $since) { totalCount } }"
CREATE = """
mutation ($day: Date) { createCase(input: {about: "x", dateOpened: $day}) { case { dateOpened } } }
"""


def test_they_say_where_they_are_specified() -> None:
    """Every scalar of our own says so."""
    specified = {
        name
        for name, kind in schema._schema.type_map.items()
        if getattr(kind, "specified_by_url", None)
    }

    assert specified == {"Date", "DateTime", "Upload"}


CREATE_TOKEN = """
mutation ($expiresAt: DateTime) {
  createToken(input: {name: "x", permission: VIEWER, expiresAt: $expiresAt}) {
    token { expiresAt }
  }
}
"""


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-03T14:30:00Z",
        "2026-02-03T14:30:00+02:00",
        "2026-02-03T14:30:00.123456-05:30",
        "2026-02-03T14:30Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
async def test_times(api: Api, time: str) -> None:
    """A time has an offset from UTC."""
    assert await api.data(EVENTS, {"since": time})


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59Z"]
)
async def test_the_end_of_time(api: Api, time: str) -> None:
    """What programs write for "never" is kept, and told again, as a time."""
    token = await api.data(CREATE_TOKEN, {"expiresAt": time})

    assert token["createToken"]["token"] == {"expiresAt": "9999-12-31T23:59:59+00:00"}


@pytest.mark.parametrize(
    "time", ["2026-02-03T14:30:00", "2026-02-03", "today", "", 7, True, "2026-02-30T00:00:00Z"]
)
async def test_what_is_no_time(api: Api, time: object) -> None:
    """A time without a zone is refused, whether in a variable or in the text, and so is no time."""
    written = f'"{time}"' if isinstance(time, str) else str(time).lower()
    result = await api.execute(EVENTS, {"since": time})
    in_text = EVENTS.replace("query ($since: DateTime)", "").replace("$since", written)

    [error] = result["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "offset from UTC" in error["message"]
    assert await api.code(in_text) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-30",
        "03.02.2026",
        "2026-02-03T00:00:00Z",
        "20260203",
        "2026-W06-2",
        " 2026-02-03",
        "",
        7,
        20260203,
    ],
)
async def test_what_is_no_date(api: Api, day: object) -> None:
    """A date is a day of the calendar, alone."""
    result = await api.execute(CREATE, {"day": day})

    [error] = result["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "2026-02-03" in error["message"]


async def test_dates(api: Api) -> None:
    """A date comes back as it was given."""
    data = await api.data(CREATE, {"day": "1900-01-01"})

    assert data["createCase"]["case"] == {"dateOpened": "1900-01-01"}
