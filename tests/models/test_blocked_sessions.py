"""Sessions whose clients hang are ended, with their locks, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection

from models.blocked_sessions import BlockedSessions
from models.database_url import credentials
from models.session import connect

# Much more than a socket holds.
_MUCH = "SELECT repeat('x', 1000) FROM generate_series(1, 100000)"
_TRIES = 500


async def read_nothing(client: Connection) -> None:
    """Ask for much, and do not read it."""
    statement = await client.prepare(_MUCH)
    client._transport.pause_reading()
    await statement.fetch()


async def end_no_message(client: Connection) -> None:
    """Ask for the plan of a statement, and never for its rows."""
    client._transport.pause_reading()
    await client.fetch("SELECT 1")


HANGS: dict[str, Callable[[Connection], Awaitable[None]]] = {
    "ClientWrite": read_nothing,
    "ClientRead": end_no_message,
}


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A session that looks on."""
    connection = await connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture(params=HANGS)
async def frozen(
    request: pytest.FixtureRequest, database_url: str, db: Connection
) -> AsyncIterator[asyncio.Task[Any]]:
    """A client that has locked something, and hangs."""
    client = await connect(database_url)
    await client.execute("SELECT pg_advisory_lock(7)")
    hanging = asyncio.ensure_future(HANGS[request.param](client))
    await wait_for(db, "active", request.param)
    yield hanging
    client.terminate()
    await asyncio.wait([hanging])


async def wait_for(db: Connection, *state: str | None) -> None:
    """Wait until the other session of the database is in a state; without one, until it is gone."""
    sql = """
        SELECT state, wait_event FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    for _ in range(_TRIES):
        if tuple(await db.fetchrow(sql) or ()) == state:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the session did not get to {state}")


@pytest.mark.usefixtures("frozen")
async def test_is_ended(db: Connection) -> None:
    """A session is ended when it is blocked for too long, and what it has locked is free."""
    now = 100.0
    blocked = BlockedSessions(lambda: now)

    ended = [await blocked.end(db)]
    now += 14
    ended.append(await blocked.end(db))
    is_locked = not await db.fetchval("SELECT pg_try_advisory_lock(7)")
    now += 2
    ended.append(await blocked.end(db))

    assert (ended, is_locked) == ([0, 0, 1], True)
    await wait_for(db)
    assert await db.fetchval("SELECT pg_try_advisory_lock(7)")
    assert await blocked.end(db) == 0


@pytest.mark.usefixtures("frozen")
async def test_others_are_left_alone(database_url: str) -> None:
    """Sessions of other programs may read as slowly as they like."""
    now = 100.0
    blocked = BlockedSessions(lambda: now)
    report = {"application_name": "report"}
    other = await asyncpg.connect(**credentials(database_url), server_settings=report)

    await blocked.end(other)
    now += 60
    assert await blocked.end(other) == 0
    await other.close()
