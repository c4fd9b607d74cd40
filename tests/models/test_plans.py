"""What thousands of keys are looked up with is planned well without statistics, under any plan."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection

from models import advice, similar_tags
from models.assignment import count_assignments
from models.case import find_cases
from models.database_url import credentials
from models.plan import planned_page
from models.row import (
    delete_rows,
    failed_page,
    find_passed,
    find_rows,
    read_in_order,
    result_page,
)
from models.similar_tags import find_similar_tags
from models.user import find_users, find_users_by_email
from models.write_many import find_by_email, find_by_tag, lock_many

TAGS = [f"trv-{n:04}" for n in range(1, 301)]
IDS = list(range(1, 301))


class ExplainedConnection(Connection):
    """A connection that notes the plan of each statement."""

    plans: list[str]

    async def _noted(self, method: str, sql: str, *values: Any) -> Any:
        if not sql.lstrip().startswith(("SELECT set_config", "SELECT 1")):
            rows = await super().fetch(f"EXPLAIN {sql}", *values)
            self.plans.append("\n".join(row[0] for row in rows))
        return await getattr(super(), method)(sql, *values)

    async def fetch(self, sql: str, *values: Any) -> Any:  # type: ignore[override]
        """Note the plan, and run the statement."""
        return await self._noted("fetch", sql, *values)

    async def execute(self, sql: str, *values: Any) -> Any:  # type: ignore[override]
        """Note the plan of a statement with parameters, and run it."""
        return await (self._noted("execute", sql, *values) if values else super().execute(sql))


@pytest.fixture(params=["force_generic_plan", "force_custom_plan"])
async def db(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Any]:
    """A database whose tables were never analysed, and are not while the test runs."""
    connection = await asyncpg.connect(
        **credentials(database_url),
        connection_class=ExplainedConnection,
        server_settings={"plan_cache_mode": request.param},
    )
    connection.plans = []
    await connection.execute(
        """
        ALTER TABLE cases SET (autovacuum_enabled = off);
        ALTER TABLE users SET (autovacuum_enabled = off);
        ALTER TABLE import_rows SET (autovacuum_enabled = off);
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One');
        INSERT INTO cases (app_id, tag_id)
          SELECT 1, 'trv-' || to_char(n, 'FM0000') FROM generate_series(1, 8000) AS n;
        INSERT INTO users (app_id, tag_id, email)
          SELECT 1, 'trv-' || to_char(n, 'FM0000'), 'user' || n || '@example.org'
          FROM generate_series(1, 8000) AS n;
        INSERT INTO import_rows (id, app_id, status, cells)
          SELECT (7::bigint << 32) | n, 1, 1 + n % 2, json_build_array('trv-' || n)
          FROM generate_series(1, 8000) AS n;
        """
    )
    yield connection
    await connection.close()


LOOK_UPS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "cases by Tag ID": lambda db: find_cases(db, 1, tags=TAGS, ids=[]),
    "cases by both": lambda db: find_cases(db, 1, tags=TAGS, ids=IDS),
    "users by Tag ID": lambda db: find_users(db, 1, tags=TAGS, ids=[]),
    "users by address": lambda db: find_users_by_email(
        db, 1, [f"USER{n}@example.org" for n in IDS]
    ),
    "rows by Tag ID": lambda db: find_by_tag(db, 1, "users", TAGS),
    "rows by address": lambda db: find_by_email(db, 1, [f"User{n}@example.org" for n in IDS]),
    "rows to lock": lambda db: lock_many(db, 1, "cases", IDS),
    "results of rows": lambda db: find_rows(db, 7, IDS),
    "passed rows": lambda db: find_passed(db, 7, 0, [f"trv-{2 * n}" for n in IDS]),
    "failed rows": lambda db: failed_page(
        db, 1, 7, [2 * n - 1 for n in IDS], after=0, most=1_000_000
    ),
}


@pytest.mark.parametrize("name", LOOK_UPS)
async def test_look_ups_compare_no_row_with_each_key(db: Any, name: str) -> None:
    """All keys are found, by a join: no row is compared with one key after the other."""
    found = await LOOK_UPS[name](db)

    assert len(found) == 300
    assert len(db.plans) == 1
    assert "ANY" not in db.plans[0]
    assert "unnest" in db.plans[0]


PAGES: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "failed rows": lambda db: failed_page(db, 1, 7, after=0, most=1_000_000),
    "results": lambda db: result_page(db, 1, 7, after=0, most=1_000_000),
    "planned rows": lambda db: planned_page(db, 7, after=0, most=1_000_000, is_own=False),
}


@pytest.mark.parametrize("name", PAGES)
async def test_pages_are_read_in_order(db: Any, name: str) -> None:
    """A page takes its rows from the index; it sorts none of all that are left."""
    async with db.transaction():
        await read_in_order(db)
        page = await PAGES[name](db)

    assert len(page) >= 4_000
    assert "Sort" not in db.plans[-1]
    assert "Bitmap" not in db.plans[-1]


async def test_counts_of_a_key_that_is_given_twice(db: Any) -> None:
    """An assignment counts once, however often its case is named."""
    await db.execute("INSERT INTO roles (app_id, key, label) VALUES (1, 'staff', 'Staff')")
    await db.execute(
        "INSERT INTO assignments (app_id, case_id, user_id, role_id) SELECT 1, 1, 2, 1"
    )

    assert await count_assignments(db, 1, "case_id", [1, 1, 3]) == {(1, "staff"): 1}


async def test_results_are_deleted_by_a_join(db: Any) -> None:
    """Results that a retry replaces are found by their keys."""
    await delete_rows(db, 7, IDS)

    assert "ANY" not in db.plans[0]
    assert await db.fetchval("SELECT count(*) FROM import_rows") == 7_700


@pytest.mark.parametrize("table", ["cases", "users"])
async def test_suggestions_sort_nothing(db: Any, table: Any) -> None:
    """Near misses come from walks along indexes, and the session is then as it was before."""
    async with db.transaction():
        found = await find_similar_tags(db, 1, table, ["trv-42", "trw-0001"])
        settings = await db.fetchrow(
            "SELECT current_setting('enable_sort'), current_setting('statement_timeout')"
        )

    walks = db.plans[0].partition("Nested Loop")[2]
    assert "trv-0042" in found["trv-42"]
    assert walks.count("Index Scan") + walks.count("Index Only Scan") == 5
    assert not re.search("Sort|Seq Scan|Bitmap", walks)
    assert tuple(settings) == ("on", "0")


async def test_suggestions_that_take_too_long(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suggestion that is not there in time is none; the transaction goes on."""
    monkeypatch.setattr(advice, "_LIMITS", "SELECT set_config('statement_timeout', '1', true)")
    monkeypatch.setattr(
        similar_tags,
        "_SIMILAR_TAGS",
        "SELECT $1::bigint, $2::text[], $3::int, pg_sleep(60) FROM {table}",
    )
    async with db.transaction():
        assert await find_similar_tags(db, 1, "cases", ["trv-42"]) == {}
        assert await db.fetchval("SELECT 1") == 1
