"""How fast an import goes, as its chunks are counted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from asyncpg import Connection

from models.database_url import credentials
from models.progress import count
from models.tally import Tally


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A database with an import, 1, whose 1,000 rows were cut ten seconds ago."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        """
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One');
        INSERT INTO imports (id, app_id, type, name, source, status, file_name, file_size,
          file_sha256, total, pending, changed_at)
        VALUES (1, 1, 'assign', 'May', 'api', 'PROCESSING', '', 0, '', 1000, 1000,
          clock_timestamp() - interval '10 seconds');
        """
    )
    yield connection
    await connection.close()


async def speed_after(db: Connection, done: int, seconds: int) -> float:
    """Count a chunk that has ended some seconds after the one before; return rows a second."""
    await db.execute(
        "UPDATE imports SET changed_at = clock_timestamp() - $1 * interval '1 second'", seconds
    )
    await count(db, 1, Tally.of([]), done=done)
    return float(await db.fetchval("SELECT rows_per_second FROM imports"))


async def test_speed(db: Connection) -> None:
    """The first chunk's speed is its own; later ones count with five seconds at the one before."""
    first = await speed_after(db, 100, 10)
    same = await speed_after(db, 50, 5)
    faster = await speed_after(db, 250, 5)
    slower = await speed_after(db, 10, 100)

    assert first == pytest.approx(10, rel=0.01)
    assert same == pytest.approx(10, rel=0.01)
    assert faster == pytest.approx(30, rel=0.01)
    assert slower == pytest.approx((150 + 10) / 105, rel=0.01)


async def test_chunks_that_end_together(db: Connection) -> None:
    """Two workers whose chunks end at the same moment don't make the import infinitely fast."""
    await speed_after(db, 100, 10)
    together = await speed_after(db, 100, 0)

    assert together == pytest.approx(30, rel=0.01)
