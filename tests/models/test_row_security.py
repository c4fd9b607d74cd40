"""The role that row-level security is for: who may make it, and what it may do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from asyncpg import Connection

from models import row_security
from models.app import App, create_app
from models.app_pool import AppPool, open_app_pool
from models.database_url import credentials
from models.db import connection, database, migrate
from models.row_security import as_owner, find_role


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Connect as somebody who may do everything."""
    db = await asyncpg.connect(**credentials(url))
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def owner(url: str, rights: str) -> AsyncIterator[tuple[Connection, str]]:
    """Give a database to somebody who is no superuser; yields a superuser's connection and the
    URL of the owner."""
    name = credentials(url)["database"]
    async with connected(url) as admin:
        await admin.execute(f"CREATE ROLE owner_{name} LOGIN {rights}")
        await admin.execute(f"ALTER DATABASE {name} OWNER TO owner_{name}")
        await admin.execute(f"GRANT ALL ON SCHEMA public TO owner_{name}")
        yield admin, url.replace("postgres@", f"owner_{name}@")


async def two_apps() -> list[App]:
    """Make two apps with a case each."""
    apps = [await create_app(slug, slug) for slug in ("one", "two")]
    async with connection() as db:
        await db.execute("INSERT INTO cases (app_id) SELECT id FROM apps")
    return apps


async def cases_seen(pool: AppPool, app: App) -> set[int]:
    """Return whose cases somebody of an app sees who asks for all."""
    async with pool.connection(app.id) as db:
        return {row[0] for row in await db.fetch("SELECT app_id FROM cases")}


async def test_owner_who_may_create_roles(empty_database_url: str) -> None:
    """Somebody who is no superuser gets the wall as well; migrating again changes nothing."""
    async with owner(empty_database_url, "CREATEROLE") as (_, url):
        for _ in range(2):
            await migrate(url)
        async with database(url), open_app_pool(url, connections=1) as pool:
            one, _ = await two_apps()

            assert await cases_seen(pool, one) == {one.id}


async def test_owner_who_may_not_create_roles(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the role everything works, and both `migrate` and `serve` say what is missing; once
    somebody has run what they say, there is the wall."""
    caplog.set_level(logging.WARNING)
    async with owner(empty_database_url, "") as (admin, url):
        await migrate(url)
        advice = caplog.records[-1].getMessage()
        async with database(url), open_app_pool(url, connections=1) as pool:
            one, two = await two_apps()
            assert await cases_seen(pool, one) == {one.id, two.id}
        assert "caseroll migrate" in caplog.records[-1].getMessage()
        await admin.execute(advice.rpartition(":\n")[2])
        await migrate(url)
        async with database(url), open_app_pool(url, connections=1) as pool:
            assert await cases_seen(pool, one) == {one.id}


async def test_as_owner(empty_database_url: str) -> None:
    """For the length of the block a transaction sees all apps, and afterwards its own again, also
    where an exception has left the block."""
    await migrate(empty_database_url)
    sql = "SELECT array_agg(app_id ORDER BY app_id) FROM cases"
    async with (
        database(empty_database_url),
        open_app_pool(empty_database_url, connections=1) as pool,
    ):
        one, two = await two_apps()
        async with pool.transaction(one.id) as db:
            async with as_owner(db):
                inside = await db.fetchval(sql)
            outside = await db.fetchval(sql)
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with pool.transaction(one.id) as db, as_owner(db):
                await db.execute("SELECT 1 / 0")

        assert (inside, outside) == ([one.id, two.id], [one.id])
        assert await cases_seen(pool, two) == {two.id}


async def test_each_database_has_its_role(database_url: str, empty_database_url: str) -> None:
    """Roles are the server's: who may take on the role of one database is nobody in another."""
    await migrate(empty_database_url)
    roles = []
    for url in (database_url, empty_database_url):
        async with database(url), connection() as db:
            roles.append(await find_role(db))

    assert None not in roles
    assert roles[0] != roles[1]


async def test_rights_that_were_given_by_hand_are_taken_back(empty_database_url: str) -> None:
    """`migrate` leaves the role with the rights that it needs, and no others."""
    await migrate(empty_database_url)
    async with database(empty_database_url), connection() as db:
        role = await find_role(db)
        await db.execute(f'GRANT ALL ON audit_events, api_tokens TO "{role}"')
    await migrate(empty_database_url)
    async with database(empty_database_url), connection() as db:
        rights = await db.fetchrow(
            "SELECT has_table_privilege($1, 'audit_events', 'DELETE'),"
            " has_table_privilege($1, 'api_tokens', 'SELECT'),"
            " has_table_privilege($1, 'audit_events', 'INSERT')",
            role,
        )

    assert tuple(rights) == (False, False, True)


async def test_tables_of_others_are_left_alone(empty_database_url: str) -> None:
    """What else is in the schema and belongs to somebody else is in nobody's way."""
    async with owner(empty_database_url, "CREATEROLE") as (admin, url):
        await admin.execute("CREATE TABLE reports (app_id bigint)")
        await migrate(url)
        role = await find_role(admin)
        await admin.execute(f'GRANT SELECT ON reports TO "{role}"')
        await migrate(url)

        assert await admin.fetchval(
            "SELECT NOT relrowsecurity FROM pg_class WHERE relname = 'reports'"
        )


async def test_who_does_not_own_the_tables(database_url: str) -> None:
    """Somebody to whom all tables would look empty is told so, instead of waiting for work."""
    name = credentials(database_url)["database"]
    async with connected(database_url) as admin:
        await admin.execute(f"CREATE ROLE guest_{name} LOGIN")
        await admin.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO guest_{name}")
    with pytest.raises(PermissionError, match="does not own"):
        async with database(database_url.replace("postgres@", f"guest_{name}@")):
            pass


async def test_a_copied_database_gets_a_role_of_its_own(database_url: str) -> None:
    """A copy has policies for the role of where it came from; `migrate` makes its own, so that who
    may take on the one sees nothing of the other."""
    async with database(database_url), connection() as db:
        copied = await find_role(db)
    await migrate(database_url)
    async with database(database_url), open_app_pool(database_url, connections=1) as pool:
        one, _ = await two_apps()
        async with connection() as db:
            own = await find_role(db)
            tables = await db.fetchval("SELECT count(DISTINCT polroles) FROM pg_policy")

        assert await cases_seen(pool, one) == {one.id}

    assert own == f"caseroll_api_{credentials(database_url)['database']}"
    assert own != copied
    assert tables == 1


async def test_a_table_in_use_is_waited_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`migrate` holds up nobody while it waits: it asks for a table alone, and not for long."""
    monkeypatch.setattr(row_security, "_LOCK_SECONDS", 1)
    caplog.set_level(logging.WARNING)
    async with connected(database_url) as worker, connected(database_url) as reader:
        async with worker.transaction():
            await worker.execute("SELECT 1 FROM import_rows")
            migrating = asyncio.create_task(migrate(database_url))
            while "waiting for import_rows" not in caplog.text:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
            await reader.execute("SELECT 1 FROM cases", timeout=5)
            await worker.execute("SELECT 1 FROM cases", timeout=5)
            assert not migrating.done()

        async with asyncio.timeout(30):
            assert await migrating == []
