"""Row-level security: without any filter of ours, PostgreSQL shows the API one app only."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, InsufficientPrivilegeError

from models.app import App
from models.row_security import SETTING
from tests.api.api_fixture import (
    Api,
    add_cases,
    add_import,
    add_users,
    add_webhook,
    assign,
    sql,
)

OWNED = """
SELECT table_name::text FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'app_id' AND table_name IN (
  SELECT tablename FROM pg_tables WHERE schemaname = 'public')
"""
# What the API has nothing to do with is closed to its role altogether.
CLOSED = {"api_tokens", "import_chunks"}


async def fill(app: App) -> None:
    """Put at least one row of an app into every table that has rows of apps."""
    cases, users = await add_cases(app, 2), await add_users(app, 2)
    imported = await add_import(app)
    await assign(app, cases, users, imported)
    for statement in (
        "INSERT INTO import_rows (id, app_id, status, cells) VALUES ($2 << 32, $1, 1, '[]')",
        "INSERT INTO entity_history (app_id, import_id) VALUES ($1, $2)",
        "INSERT INTO import_file_parts (app_id, import_id, number, data) VALUES ($1, $2, 0, '')",
        "INSERT INTO import_chunks (app_id, import_id, number, payload) VALUES ($1, $2, 0, '')",
        "INSERT INTO error_groups (id, app_id, error, count, first_row, rows)"
        " VALUES ($2 << 32, $1, '{}', 1, 2, '{}')",
        "INSERT INTO mails (app_id, import_id, row, case_id, user_id, role_id, outcome)"
        " VALUES ($1, $2, 2, 1, 1, 1, 1)",
        "INSERT INTO download_links (app_id, token_id, digest, expires_at)"
        " VALUES ($1, $2, ($2::bigint)::text, now())",
    ):
        await sql("execute", statement, app.id, imported)
    await add_webhook(app, imported)


async def owned_tables() -> list[str]:
    """List the tables that have rows of apps, as the database knows them."""
    return [row[0] for row in await sql("fetch", OWNED)]


async def apps_seen(db: Connection, table: str) -> set[int] | None:
    """Return whose rows a table shows when nothing is said of apps; None when it is closed."""
    try:
        return {row[0] for row in await db.fetch(f"SELECT app_id FROM {table}")}
    except InsufficientPrivilegeError:
        return None


async def test_a_forgotten_filter_shows_nothing(api: Api) -> None:
    """Of every table with rows of apps, found in the catalogue, only the app's own are there."""
    for app in (api.world.app, api.world.other):
        await fill(app)
    tables = await owned_tables()
    seen: dict[str, Any] = {}
    async with api.server.services.pool.connection(api.world.app.id) as db:
        for table in tables:
            seen[table] = await apps_seen(db, table)
    for table in tables:
        rows = await sql("fetch", f"SELECT app_id FROM {table}")
        assert {row[0] for row in rows} == {api.world.app.id, api.world.other.id}, table

    assert {table for table in tables if seen[table] is None} == CLOSED
    assert {table: seen[table] for table in set(tables) - CLOSED} == {
        table: {api.world.app.id} for table in set(tables) - CLOSED
    }


async def test_every_table_has_its_policy(api: Api) -> None:
    """Also tables that are closed to the role have a policy, should they ever be opened."""
    rows = await sql(
        "fetch",
        "SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
        " WHERE c.relrowsecurity AND p.polcmd = '*' AND p.polname = 'app'",
    )

    assert {row[0] for row in rows} == {"apps", *await owned_tables()}


async def test_without_an_app_there_is_nothing(api: Api) -> None:
    """While a connection is for no app, or for one that makes no sense, it shows nothing."""
    await fill(api.world.app)
    views = ["case_words", "user_words", "import_words", "import_queue", "token_names"]
    open_ = [*(set(await owned_tables()) - CLOSED), *views]
    async with api.server.services.pool.transaction(api.world.app.id) as db:
        for value in ("''", "'-1'", "'0'"):
            await db.execute(f"SET LOCAL {SETTING} = {value}")
            for table in open_:
                assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0, (table, value)


async def test_words_of_others_are_not_searched(api: Api) -> None:
    """The views that searches read show one app as well."""
    for app in (api.world.app, api.world.other):
        await fill(app)
    async with api.server.services.pool.connection(api.world.app.id) as db:
        for view, count in (("case_words", 2), ("user_words", 2), ("import_words", 1)):
            assert await db.fetchval(f"SELECT count(*) FROM {view}") == count, view


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO cases (app_id, about) VALUES ($1, 'x')",
        "INSERT INTO audit_events (app_id, action, actor, target_id, changed)"
        " VALUES ($1, 'CASE_CREATED', 'x', 1, '{}')",
        "UPDATE cases SET app_id = $1",
    ],
)
async def test_nothing_is_written_for_others(api: Api, statement: str) -> None:
    """A row of another app can neither be made nor come of one of ours."""
    await add_cases(api.world.app, 1)
    async with api.server.services.pool.connection(api.world.app.id) as db:
        with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
            await db.execute(statement, api.world.other.id)


async def test_rows_of_others_stay_as_they_are(api: Api) -> None:
    """An update of everything is one of the app's own rows."""
    for app in (api.world.app, api.world.other):
        await add_cases(app, 2)
    async with api.server.services.pool.transaction(api.world.app.id) as db:
        assert await db.execute("UPDATE cases SET about = 'mine'") == "UPDATE 2"


async def test_connections_change_hands(api: Api) -> None:
    """Whoever borrows a connection after somebody of another app sees the own app."""
    apps = [api.world.app, api.world.other]
    for app in apps:
        await add_cases(app, 1)
    pool = api.server.services.pool
    for number in range(40):
        app = apps[number % 2]
        async with pool.connection(app.id) as db:
            assert await apps_seen(db, "cases") == {app.id}
        if number % 5 == 0:
            with pytest.raises(asyncpg.PostgresError):
                async with pool.transaction(apps[1].id) as db:
                    await db.execute("SELECT 1 / 0")
