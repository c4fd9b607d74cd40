"""Files and row results go when their time is over; nothing else does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from importers import retention
from importers.retry import RetryError
from models import retention as steps
from models.db import transaction
from tests.importers.engine_fixture import EngineFixture, ticking

ROWS = ["trv-001,jack-001,,staff,1", "x,y,,staff,0", *["trv-003,jill-001,,staff,0"] * 8]
KEPT = 90


async def purge(days: int, *, seconds: float = 0.0) -> None:
    """Purge by a clock that goes on by so many seconds each time it is read."""
    await retention.purge(days, clock=ticking(seconds))


async def age(world: EngineFixture, days: float) -> None:
    """Let every finished import have ended so long ago."""
    await world.execute(
        "UPDATE imports SET finished_at = finished_at - $1::float * interval '1 day'", days
    )


async def left(world: EngineFixture, import_id: int) -> tuple[int, int]:
    """Count an import's row results and the parts of its file."""
    rows = await world.fetchrow(
        """
        SELECT (SELECT count(*) FROM import_rows WHERE id >> 32 = $1),
          (SELECT count(*) FROM import_file_parts WHERE import_id = $1)
        """,
        import_id,
    )
    return rows[0], rows[1]


async def test_messages_to_webhooks(world: EngineFixture) -> None:
    """Old messages go, but for those that are still to be sent."""
    sql = """
        WITH w AS (INSERT INTO webhooks (app_id, url, events, description, secret)
          VALUES ($1, 'https://example.org', '{IMPORT_FINISHED}', '', '') RETURNING id)
        INSERT INTO webhook_deliveries
          (app_id, webhook_id, import_id, event, state, status, created_at)
        SELECT $1, w.id, 1, 'IMPORT_FINISHED', '{}', status, now() - days * interval '1 day'
        FROM w, (VALUES ('DELIVERED', 91), ('FAILED', 91), ('PENDING', 91), ('FAILED', 89))
          AS v (status, days)
    """
    await world.execute(sql, world.app_id)
    await purge(0)
    all_of_them = await world.fetchrow("SELECT count(*) FROM webhook_deliveries")
    await purge(KEPT)
    kept = await world.fetchrow(
        "SELECT array_agg(status::text ORDER BY id) FROM webhook_deliveries"
    )

    assert all_of_them[0] == 4
    assert kept[0] == ["PENDING", "FAILED"]


async def test_counts_and_history_stay(world: EngineFixture) -> None:
    """File and row results go; what the import did, and the counts of it, stay."""
    import_id = await world.run("assign", *ROWS)
    before = (
        await world.counts(import_id),
        await world.history(import_id),
        await world.assignments(),
    )
    mails = await world.mails(import_id)
    await age(world, 91)
    await purge(KEPT)

    assert await left(world, import_id) == (0, 0)
    assert before == (
        await world.counts(import_id), await world.history(import_id), await world.assignments()
    )  # fmt: skip
    assert await world.mails(import_id) == mails
    row = await world.fetchrow("SELECT purged_at IS NULL, is_purging FROM imports")
    assert tuple(row) == (False, False)


@pytest.mark.parametrize(("days", "kept"), [(89, 90), (10_000, 0)], ids=["not yet", "for ever"])
async def test_what_is_kept(world: EngineFixture, days: int, kept: int) -> None:
    """Nothing goes before its time; 0 days mean for ever."""
    import_id = await world.run("assign", *ROWS)
    await age(world, days)
    await purge(kept)

    assert await left(world, import_id) == (10, 1)


async def test_plans_stay_as_long_as_what_applied_them(world: EngineFixture) -> None:
    """The failed rows of a plan are looked at when rows of the other import run again."""
    plan = await world.run("assign", *ROWS, is_dry_run=True)
    applied = await world.apply_plan(plan)
    await age(world, 89)
    await world.execute(
        "UPDATE imports SET finished_at = finished_at - interval '2 days' WHERE id = $1", plan
    )
    await purge(KEPT)
    early = await left(world, plan)
    await age(world, 2)
    await purge(KEPT)
    await purge(KEPT)

    assert early == (10, 1)
    assert [await left(world, each) for each in (plan, applied)] == [(0, 0), (0, 0)]


async def test_unfinished_imports_are_never_purged(small: EngineFixture) -> None:
    """However old an import is, it stays whole until it has ended, and for its time after that."""
    queued = await small.upload("assign", *ROWS)
    running = await small.split("assign", *ROWS)
    await small.engine.run(running)
    tried_again = await small.run("assign", *ROWS)
    await small.request_retry(tried_again)
    await small.execute("UPDATE imports SET created_at = '2000-01-01', started_at = '2000-01-01'")
    await purge(KEPT)
    before = [await left(small, each) for each in (queued, running, tried_again)]
    await small.queue.enqueue_split(queued)
    await small.queue.enqueue_run(running)
    await small.drain()
    await purge(KEPT)

    assert [parts for _, parts in before] == [1, 1, 1]
    assert await left(small, tried_again) == (10, 1)
    assert (await small.counts(queued)).total == (await small.counts(running)).total == 10


async def test_a_retry_begins_the_time_anew(world: EngineFixture) -> None:
    """What was tried again today is kept from today on."""
    import_id = await world.run("assign", *ROWS)
    await age(world, 91)
    await world.retry(import_id)
    await purge(KEPT)

    assert await left(world, import_id) == (10, 1)


async def test_nothing_to_try_again(world: EngineFixture) -> None:
    """Rows that are gone can't be tried again, and the error says why."""
    import_id = await world.run("assign", *ROWS)
    await age(world, 91)
    await purge(KEPT)
    with pytest.raises(RetryError, match="retention time was over; upload them again") as caught:
        await world.request_retry(import_id)

    assert caught.value.code == "PURGED"


async def test_small_steps(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step deletes a few rows; from the first one on all of them count as gone."""
    monkeypatch.setattr(steps, "_ROWS_AT_ONCE", 3)
    import_id = await world.run("assign", *ROWS)
    other = await world.run("remove", "jack-001,trv-001")
    await age(world, 91)
    seen = []
    for _ in range(12):
        await purge(KEPT, seconds=1.0)
        seen.append(await left(world, import_id))
    with pytest.raises(RetryError):
        await world.request_retry(import_id)

    assert seen[:6] == [(7, 1), (4, 1), (1, 1), (0, 1), (0, 0), (0, 0)]
    assert seen[-1] == (0, 0)
    assert await left(world, other) == (0, 0)
    assert await world.fetch("SELECT 1 FROM imports WHERE is_purging OR purged_at IS NULL") == []


async def test_several_workers(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that delete at the same time do not get into each other's way."""
    monkeypatch.setattr(steps, "_ROWS_AT_ONCE", 2)
    ids = [await world.run("assign", *ROWS, name=f"n{number}") for number in range(6)]
    await age(world, 91)
    await asyncio.gather(*[purge(KEPT) for _ in range(4)])
    await purge(KEPT)

    assert {await left(world, import_id) for import_id in ids} == {(0, 0)}


async def test_neighbours_are_left_alone(world: EngineFixture) -> None:
    """Rows of the imports before and after stay; only the one whose time is over goes."""
    ids = [await world.run("assign", *ROWS, name=f"n{number}") for number in range(3)]
    await world.execute("UPDATE imports SET finished_at = '2000-01-01' WHERE id = $1", ids[1])
    await purge(KEPT)

    assert [await left(world, import_id) for import_id in ids] == [(10, 1), (0, 0), (10, 1)]


async def test_the_sweeper_does_it(world: EngineFixture) -> None:
    """Any worker's sweep deletes what the engine's settings no longer keep."""
    import_id = await world.run("assign", *ROWS)
    await age(world, 91)
    await replace(world.engine, retention_days=KEPT).sweep()

    assert await left(world, import_id) == (0, 0)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (
            "SELECT id FROM imports WHERE finished_at < now() AND finished_at IS NOT NULL"
            " AND purged_at IS NULL ORDER BY finished_at LIMIT 100",
            "imports_kept",
        ),
        ("SELECT id FROM imports WHERE is_purging ORDER BY id LIMIT 1", "imports_purging"),
        ("DELETE FROM import_rows WHERE id > 1 AND id <= 2", "import_rows_pkey"),
    ],
    ids=["what is over", "what is left", "rows"],
)
async def test_indexes_are_used(world: EngineFixture, statement: str, index: str) -> None:
    """No statement of the purge reads a table from one end to the other."""
    await world.run("assign", *ROWS)
    async with transaction() as db:
        await db.execute("SET LOCAL enable_seqscan = off")
        plan = await db.fetch(f"EXPLAIN {statement}")

    assert index in "\n".join(row[0] for row in plan)
