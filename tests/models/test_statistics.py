"""Tables that have just become large are analysed, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from asyncpg import Connection

from models.database_url import credentials
from models.db import migrate
from models.statistics import analyze_changed

FILL = """
INSERT INTO cases (app_id, tag_id) SELECT 1, $2 || n FROM generate_series(1, $1::int) n
"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A database with one app, whose tables are analysed by nothing but the test."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        "INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One');"
        "ALTER TABLE cases SET (autovacuum_enabled = off)"
    )
    yield connection
    await connection.close()


async def rows_known(db: Connection) -> int:
    """How many cases PostgreSQL plans for; -1 where it was never told."""
    known: int = await db.fetchval(
        "SELECT reltuples::int FROM pg_class WHERE oid = 'cases'::regclass"
    )
    return known


async def test_a_table_without_statistics(db: Connection) -> None:
    """A table that was never analysed is, once it is large enough for that to matter."""
    await db.execute(FILL, 10, "a")
    await analyze_changed(db)
    assert await rows_known(db) == -1

    await db.execute(FILL, 5_000, "b")
    await analyze_changed(db)
    assert await rows_known(db) == 5_010


async def test_a_table_that_was_analysed_when_empty(db: Connection) -> None:
    """Statistics of an empty table are none."""
    await db.execute("ANALYZE cases")
    await db.execute(FILL, 5_000, "a")
    await analyze_changed(db)

    assert await rows_known(db) == 5_000


async def test_a_table_that_has_doubled(db: Connection) -> None:
    """Statistics are made anew when they are those of half the table, not before."""
    await db.execute(FILL, 5_000, "a")
    await analyze_changed(db)
    await db.execute(FILL, 4_000, "b")
    await analyze_changed(db)
    assert await rows_known(db) == 5_000

    await db.execute(FILL, 4_000, "c")
    await analyze_changed(db)
    assert await rows_known(db) == 13_000


async def test_a_table_in_use_is_left_out(db: Connection, database_url: str) -> None:
    """Nothing is waited for."""
    await db.execute(FILL, 5_000, "a")
    other = await asyncpg.connect(**credentials(database_url))
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE cases IN SHARE UPDATE EXCLUSIVE MODE")
            await db.execute("SET lock_timeout = '1ms'")
            await analyze_changed(db)
    finally:
        await other.close()

    assert await rows_known(db) == -1


async def test_migrate_makes_those_that_a_restore_lacks(db: Connection, database_url: str) -> None:
    """After a restore, `migrate` has no migration to run, but statistics to make."""
    await db.execute(FILL, 5_000, "a")
    await migrate(database_url)

    assert await rows_known(db) == 5_000


async def test_migrate_lets_open_sessions_plan_again(
    db: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API that runs on a restored dump must not keep the plans of that hour.

    ANALYZE alone makes sessions plan again where it changes the table's size, which the restore
    has noted when it made the indexes.
    """
    await db.execute(FILL, 5_000, "a")
    await db.execute("ANALYZE cases")
    await db.execute("DELETE FROM pg_statistic WHERE starelid = 'cases'::regclass")
    await db.execute("SET plan_cache_mode = force_generic_plan")
    await db.execute("PREPARE chosen AS SELECT FROM cases WHERE about = $1")
    plans = []

    async def analyze(of_migrate: Connection) -> None:
        plans.append(await db.fetchval("EXPLAIN EXECUTE chosen('')"))
        await analyze_changed(of_migrate)

    monkeypatch.setattr("models.db.analyze_changed", analyze)
    await migrate(database_url)

    assert "rows=25 " in plans[0]
    assert "rows=5000 " in await db.fetchval("EXPLAIN EXECUTE chosen('')")
