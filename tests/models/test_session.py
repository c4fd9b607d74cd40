"""Sessions have their limits whatever stands between, and what shares them is refused."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from models.app import create_app
from models.app_pool import open_app_pool
from models.database_url import credentials
from models.db import check_server, connection, database, is_passing, migrate, transaction
from models.session import TIMEOUTS, PoolerError, first_session
from tests.models.pooler import pooler

SHOWN = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
    "transaction_timeout": "1min",
}


async def limits(db: asyncpg.Connection) -> dict[str, str]:
    rows = await db.fetch(
        "SELECT name, current_setting(name, true) FROM unnest($1::text[]) AS name", list(TIMEOUTS)
    )
    return {name: value for name, value in rows if value is not None}


async def known_limits(url: str) -> dict[str, str]:
    """The limits that sessions are to have, but for those that the server lacks."""
    db = await asyncpg.connect(**credentials(url))
    known = await limits(db)
    await db.close()
    assert set(known.values()) == {"0"}
    return {name: SHOWN[name] for name in known}


@pytest.mark.parametrize("is_pooled", [False, True], ids=["direct", "pooled"])
async def test_every_session_has_its_limits(database_url: str, is_pooled: bool) -> None:
    """All connections of both pools, also behind a pooler that ignores what they begin with."""
    expected = await known_limits(database_url)
    async with pooler(database_url, is_shared=False) as pooled:
        url = pooled if is_pooled else database_url
        async with (
            database(url, connections=2),
            open_app_pool(url, connections=2) as apps,
            transaction() as first,
            connection() as second,
            apps.connection(1) as third,
            apps.connection(1) as fourth,
        ):
            found = [await limits(db) for db in (first, second, third, fourth)]

    assert found == [expected] * 4


async def test_row_security_behind_a_pooler(database_url: str) -> None:
    """Sessions of the API have their role, and show one app."""
    async with (
        pooler(database_url, is_shared=False) as url,
        database(url),
        open_app_pool(url, connections=1) as pool,
    ):
        one, two = [await create_app(slug, slug) for slug in ("one", "two")]
        async with connection() as db:
            await db.execute("INSERT INTO cases (app_id) SELECT id FROM apps")
        seen = []
        for app in (one, two):
            async with pool.connection(app.id) as db:
                seen.append(await db.fetchval("SELECT array_agg(app_id) FROM cases"))

    assert seen == [[one.id], [two.id]]


@pytest.mark.parametrize("opens", [check_server, migrate])
async def test_shared_sessions_are_refused(database_url: str, opens: object) -> None:
    """A pooler in transaction mode is refused in one sentence by all that open the database."""
    assert callable(opens)
    async with pooler(database_url, is_shared=True) as url:
        with pytest.raises(PoolerError, match="transaction mode") as caught:
            await opens(url)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://127.0.0.1:1/x", "127.0.0.1"),
        ("postgresql://127.0.0.1:1,localhost:2/x", "127.0.0.1, localhost"),
        ("postgresql:///x?host=/nowhere", "/nowhere"),
    ],
)
async def test_a_server_that_is_not_there(url: str, hosts: str) -> None:
    """The error says what is not there, in one line, and another attempt may cure it."""
    with pytest.raises(ConnectionError) as caught:
        await check_server(url)

    assert str(caught.value).startswith(f"PostgreSQL at {hosts} can't be reached: ")
    assert "\n" not in str(caught.value)
    assert is_passing(caught.value)


async def test_a_busy_pooler_is_refused(database_url: str) -> None:
    """Others that use the pooler meanwhile don't hide that sessions are shared."""
    async with pooler(database_url, is_shared=True) as url:

        async def disturb() -> None:
            db = await asyncpg.connect(**credentials(url), statement_cache_size=0)
            try:
                while True:
                    async with db.transaction():
                        await db.execute("SELECT 1")
            finally:
                db.terminate()

        others = [asyncio.create_task(disturb()) for _ in range(5)]
        with pytest.raises(PoolerError):
            await check_server(url)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def test_another_encoding(database_url: str) -> None:
    """PostgreSQL makes a database in SQL_ASCII where the machine has no locale: names would break
    in it, one by one."""
    async with first_session(database_url) as db:
        await db.execute(
            "CREATE DATABASE not_utf8 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc"
            " TEMPLATE template0"
        )
        try:
            with pytest.raises(PermissionError, match="encoding LATIN1"):
                async with first_session(f"{database_url}&dbname=not_utf8"):
                    pass
        finally:
            await db.execute("DROP DATABASE not_utf8 WITH (FORCE)")
