"""When an import is begun, and when it will probably end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.schema.importing.schedule import _estimated_end, _is_waiting
from models.imports import ImportStatus
from tests.api.api_fixture import Api, add_import, sql

POSITIONS = "{ imports { edges { node { %s name queuePosition } } } }"
# So far ahead that no end is over, however long the tests before have taken.
NOW = datetime.now(UTC) + timedelta(days=1)


async def positions(api: Api, others: str = "", token: str | None = None) -> dict[str, int | None]:
    found = (await api.data(POSITIONS % others, token=token))["imports"]["edges"]
    return {edge["node"]["name"]: edge["node"]["queuePosition"] for edge in found}


async def fill(api: Api) -> None:
    """Let four imports of one app wait, one of them for its retry, and two of another."""
    app, other = api.world.app, api.world.other
    queued: dict[str, Any] = {"status": ImportStatus.QUEUED}
    running: dict[str, Any] = {"status": ImportStatus.PROCESSING}
    await add_import(app, "first", **queued)
    await add_import(other, "other 1", **queued)
    await add_import(app, "done")
    await add_import(app, "second", **queued)
    await add_import(app, "refused", ImportStatus.FAILED)
    await add_import(app, "being cut", **running, split_attempts=1)
    await add_import(app, "running", **running, split_at=NOW)
    await add_import(app, "retry", **running, retry="{}")
    await add_import(app, "held", ImportStatus.HELD)
    await add_import(app, "third", **queued)
    await add_import(other, "other 2", **queued)


# The type makes the selection one that graphql-core executes, import by import.
@pytest.mark.parametrize("others", ["", "type { key }"])
async def test_queue_position(api: Api, statements: list[str], others: str) -> None:
    """Apps take turns, each with its oldest import; what is not waiting has no place."""
    await fill(api)
    statements.clear()

    assert await positions(api, others) == {
        "first": 1,
        "done": None,
        "second": 3,
        "refused": None,
        "being cut": None,
        "running": None,
        "retry": 5,
        "held": None,
        "third": 6,
    }
    # The token, the page, the places.
    assert len(statements) == 3, statements
    assert await positions(api, others, api.world.stranger) == {"other 1": 2, "other 2": 4}


async def test_without_waiting_nothing_is_asked(api: Api, statements: list[str]) -> None:
    """A page of imports that have ended costs no look at the queue."""
    await add_import(api.world.app)
    statements.clear()

    assert await positions(api) == {"May": None}
    assert len(statements) == 2, statements


async def test_the_queue_shows_the_own_imports_alone(api: Api) -> None:
    """The view counts the imports of all apps, and names those of one."""
    await fill(api)
    async with api.server.services.pool.connection(api.world.app.id) as db:
        rows = await db.fetch("SELECT * FROM import_queue")

    assert {row["app_id"] for row in rows} == {api.world.app.id}
    assert sorted(row["position"] for row in rows) == [1, 3, 5, 6]


@pytest.mark.parametrize(
    ("status", "split_at", "attempts", "expected"),
    [
        ("QUEUED", None, 0, True),
        ("PROCESSING", None, 0, True),
        ("PROCESSING", None, 2, False),
        ("PROCESSING", NOW, 0, False),
        ("PROCESSED", NOW, 0, False),
        ("HELD", None, 0, False),
        ("FAILED", None, 0, False),
    ],
)
def test_waiting(status: str, split_at: datetime | None, attempts: int, expected: bool) -> None:
    """An import waits while no worker has begun with it or with its retry."""
    assert _is_waiting(status, split_at, attempts) is expected


@pytest.mark.parametrize(
    ("columns", "seconds"),
    [
        (("PROCESSING", None, 5_000, 50.0, NOW), 100),
        (("PROCESSING", "APPLY", 5_000, 50.0, NOW), 100),
        (("PROCESSING", "PLAN", 5_000, 50.0, NOW), None),
        (("PROCESSING", None, 5_000, None, NOW), None),
        (("PROCESSING", None, 0, 50.0, None), None),
        (("HELD", "PLANNED", 0, 50.0, NOW), None),
        (("PROCESSED", None, 0, 50.0, NOW), None),
        (("QUEUED", None, 0, None, None), None),
    ],
)
def test_estimated_end(columns: Any, seconds: int | None) -> None:
    """The rows that are left take as long as they do at the present speed."""
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)

    assert _estimated_end(*columns, NOW) == expected


def test_an_end_that_is_over_is_none() -> None:
    """An import that has become slower has no end that can be expected."""
    counted = datetime.now(UTC) - timedelta(seconds=101)

    assert _estimated_end("PROCESSING", None, 5_000, 50.0, counted, counted) is None


async def test_an_estimate_is_shown(api: Api) -> None:
    """The API shows the estimate of a running import, and none of one that has ended."""
    running = {"pending": 1_000, "total": 2_000, "rows_per_second": 10.0, "split_at": NOW}
    await add_import(api.world.app, "running", ImportStatus.PROCESSING, **running)
    await add_import(api.world.app, "done", rows_per_second=10.0)
    changed = await sql("fetchval", "SELECT changed_at FROM imports WHERE name = 'running'")

    found = await api.data("{ imports { edges { node { estimatedEndAt rowsPerSecond } } } }")
    done, shown = [edge["node"] for edge in found["imports"]["edges"]]

    assert done["estimatedEndAt"] is None
    assert datetime.fromisoformat(shown["estimatedEndAt"]) == changed + timedelta(seconds=100)
    assert shown["rowsPerSecond"] == 10
