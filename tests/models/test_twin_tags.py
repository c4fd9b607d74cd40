"""Tag IDs that are much like new ones are found by their index, whatever the statistics say."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from asyncpg import Connection

from models.database_url import credentials
from models.twin_tags import _LIMITS, _TWIN_TAGS, find_twin_tags


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A database with two apps, an import, and cases from before it and after it."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        """
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One'), (2, 'two', 'Two');
        INSERT INTO cases (app_id, tag_id, created_at)
          SELECT 1, 'trv-' || to_char(n, 'FM0000'), now() - interval '1 day'
          FROM generate_series(1, 2000) AS n;
        INSERT INTO cases (app_id, tag_id, created_at) VALUES
          (2, 'other-1', now() - interval '1 day'), (1, 'late-1', now() + interval '1 day');
        INSERT INTO imports (id, app_id, type, name, source, file_name, file_size, file_sha256)
          VALUES (7, 1, 'add-cases', 'x', 'api', 'x.csv', 1, '')
        """
    )
    yield connection
    await connection.close()


async def test_twins(db: Connection) -> None:
    """Capitals, separators and zeros tell Tag IDs apart, but not twins; others are no twins."""
    tags = ["TRV-1", "trv_00042", "trv-0007", "new-1", "OTHER-1", "LATE-1"]
    async with db.transaction():
        found = await find_twin_tags(db, 1, "cases", tags, import_id=7)
        none = await find_twin_tags(db, 1, "cases", [], import_id=7)

    assert found == {"TRV-1": ["trv-0001"], "trv_00042": ["trv-0042"]}
    assert none == {}


async def test_settings_are_taken_back(db: Connection) -> None:
    """What helps this query is no setting for the rest of the chunk."""
    async with db.transaction():
        await find_twin_tags(db, 1, "cases", ["x"], import_id=7)
        settings = [await db.fetchval(f"SHOW {name}") for name in ("enable_sort", "enable_seqscan")]

    assert settings == ["on", "on"]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("is_analysed", [False, True])
async def test_the_plan(db: Connection, mode: str, is_analysed: bool) -> None:
    """With and without statistics, each Tag ID is one look into the one index that fits."""
    if is_analysed:
        await db.execute("ANALYZE")
    async with db.transaction():
        await db.execute(_LIMITS)
        await db.execute(f"SET LOCAL plan_cache_mode = {mode}")
        sql = _TWIN_TAGS.format(table="cases")
        await db.execute(f"PREPARE twins (bigint, text[], bigint) AS {sql}")
        plan = await db.fetch("EXPLAIN EXECUTE twins(1, '{TRV-1,new-1}', 7)")
    lines = [row[0] for row in plan if "Scan" in row[0]]

    assert any("Index Scan using cases_plain_tag" in line for line in lines)
    assert not any("Seq Scan on cases" in line for line in lines)
