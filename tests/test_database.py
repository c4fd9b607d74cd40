"""Each test gets a database and a broker that nothing has been written to."""

from __future__ import annotations

import asyncpg
import pytest
import redis


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_its_own_rows(database_url: str, redis_url: str, turn: int) -> None:
    """Nothing that a test writes into PostgreSQL or Valkey is seen by the next one."""
    broker = redis.Redis.from_url(redis_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO apps (slug, name) VALUES ('one', 'One')")
    broker.incr("count")

    assert await connection.fetchval("SELECT count(*) FROM apps") == 1
    assert broker.get("count") == b"1"
    await connection.close()
    broker.close()
