"""Pages of lists: which rows they have, and what they read to find them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from models.audit import Action
from models.database_url import credentials
from models.imports import ImportStatus
from models.list_facts import has_rows
from models.list_query import Condition, Listing, Window
from models.listing import (
    ASSIGNMENTS,
    AUDIT_EVENTS,
    IMPORT_ROWS,
    IMPORTS,
    did_one_of,
    happened_between,
    has_import_status,
    has_result,
    has_role,
    has_type,
    is_beyond,
    matches_search,
    was_done_by,
)
from models.page import fetch_pages
from models.row import RowOutcome, RowStatus, row_key, row_number

C, U, R, N = RowOutcome
PASSED, FAILED, CANCELLED = RowStatus
INDEXES = {
    f"t.outcome = {C:d}": "created",
    f"t.outcome = {U:d}": "updated",
    f"t.outcome = {R:d}": "removed",
    f"t.outcome = {N:d}": "unchanged",
    f"t.status = {FAILED:d}": "failed",
    f"t.status = {CANCELLED:d}": "cancelled",
}


class ExplainedConnection:
    """A connection that notes what each statement has read: indexes, and numbers of rows."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.plans: list[str] = []

    async def execute(self, sql: str) -> None:
        await self._db.execute(sql)

    async def fetchval(self, sql: str, *values: object) -> Any:
        return await self._db.fetchval(sql, *values)

    async def fetch(self, sql: str, *values: object) -> Any:
        """Explain a statement, and run it."""
        plan = await self._db.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}", *values)
        self.plans.append("\n".join(line[0] for line in plan))
        return await self._db.fetch(sql, *values)


@pytest.fixture(params=["force_generic_plan", "force_custom_plan"])
async def db(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Any]:
    """Results of 20,000 rows that were changed, and a few that were not, never analysed.

    Of 3,000 imports, numbers 100 and 2000 failed, 1500 was cancelled, and 1000 and 2500 are of
    another type; of as many events, one a minute, the same are of another action or another actor.
    """
    connection = await asyncpg.connect(
        **credentials(database_url), server_settings={"plan_cache_mode": request.param}
    )
    await connection.execute(
        """
        SET caseroll.app = '1';
        ALTER TABLE import_rows SET (autovacuum_enabled = off);
        ALTER TABLE imports SET (autovacuum_enabled = off);
        ALTER TABLE audit_events SET (autovacuum_enabled = off);
        INSERT INTO import_rows (id, app_id, status, outcome, cells)
          SELECT (7::bigint << 32) | n, 1,
            CASE n WHEN 9000 THEN 2 WHEN 15000 THEN 3 ELSE 1 END,
            CASE WHEN n IN (9000, 15000) THEN NULL WHEN n IN (4000, 12000) THEN 1
              WHEN n = 19000 THEN 3 WHEN n IN (500, 501) THEN 4 ELSE 2 END,
            '[]'
          FROM generate_series(2, 20000) AS n;
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One');
        INSERT INTO imports (id, app_id, type, name, source, status, file_name, file_size,
            file_sha256)
          SELECT n, 1, CASE WHEN n IN (1000, 2500) THEN 'remove' ELSE 'assign' END, 'May ' || n,
            'test', CASE WHEN n IN (100, 2000) THEN 'FAILED' WHEN n = 1500 THEN 'CANCELLED'
            ELSE 'PROCESSED' END, 'may.csv', 1, 'x'
          FROM generate_series(1, 3000) AS n;
        INSERT INTO audit_events (id, app_id, action, actor, target_id, changed, occurred_at)
          SELECT n, 1, CASE WHEN n IN (100, 2000) THEN 'ROLE_ADDED' WHEN n = 1500 THEN 'APP_CREATED'
            ELSE 'IMPORT_CREATED' END, CASE WHEN n IN (1000, 2500) THEN 'Ann' ELSE 'Bob' END, n,
            '{}', '2026-01-01 00:00Z'::timestamptz + n * interval '1 minute'
          FROM generate_series(1, 3000) AS n;
        """
    )
    yield ExplainedConnection(connection)
    await connection.close()


@pytest.mark.parametrize(
    ("statuses", "outcomes", "window", "numbers"),
    [
        (None, [C], Window(5), [4_000, 12_000]),
        (None, [C], Window(5, after=row_key(7, 4_000)), [12_000]),
        (None, [C], Window(1, is_backward=True), [12_000]),
        (None, [R], Window(5), [19_000]),
        (None, [N, R], Window(5), [500, 501, 19_000]),
        (None, [R, C], Window(2, is_backward=True), [12_000, 19_000]),
        (None, [C, U], Window(2, after=row_key(7, 3_998)), [3_999, 4_000]),
        (None, [C, U, R, N], Window(3, before=row_key(7, 502), is_backward=True), [499, 500, 501]),
        ([PASSED], None, Window(2, after=row_key(7, 8_999)), [9_001, 9_002]),
        ([FAILED, CANCELLED], None, Window(5), [9_000, 15_000]),
        ([CANCELLED, PASSED], [C], Window(5), [4_000, 12_000]),
        ([PASSED, FAILED], None, Window(2, after=row_key(7, 8_998)), [8_999, 9_000]),
        ([FAILED], [C], Window(5), []),
        ([], None, Window(5), []),
        (None, [], Window(5), []),
    ],
)
async def test_rows_by_result(
    db: Any,
    statuses: list[RowStatus] | None,
    outcomes: list[RowOutcome] | None,
    window: Window,
    numbers: list[int],
) -> None:
    """Rows of any kinds come from the indexes of the kinds, and no others are looked at."""
    condition = has_result(statuses, outcomes)

    pages = await fetch_pages(db, 1, IMPORT_ROWS, [7], [condition], window=window)

    assert [row_number(row["id"]) for row in pages[7].rows] == numbers
    [plan] = db.plans
    assert [kind for kind in condition.kinds if f"import_rows_{INDEXES[kind]}" not in plan] == []
    assert "import_rows_pkey" not in plan
    assert "Rows Removed by Filter" not in plan


@pytest.mark.parametrize(
    ("outcomes", "place", "forward", "expected"),
    [
        ([C], 4_001, False, True),
        ([C], 3_999, False, False),
        ([C, R], 12_001, True, True),
        ([C, R], 19_001, True, False),
    ],
)
async def test_rows_beyond_a_place(
    db: Any, outcomes: list[RowOutcome], place: int, forward: bool, expected: bool
) -> None:
    """Whether such rows lie on one side of a place is told by the same indexes."""
    beyond = is_beyond(IMPORT_ROWS, row_key(7, place), forward=forward)

    found = await has_rows(db, 1, IMPORT_ROWS, [7], [has_result(None, outcomes), beyond])

    assert found == {7: expected}
    assert "import_rows_pkey" not in db.plans[0]
    assert "Rows Removed by Filter" not in db.plans[0]


NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
FIVE_PAST = datetime(2026, 1, 1, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("listing", "conditions", "keys", "index"),
    [
        (IMPORTS, [has_import_status([ImportStatus.FAILED])], [2_000, 100], "imports_by_status"),
        (
            IMPORTS,
            [has_import_status([ImportStatus.FAILED, ImportStatus.CANCELLED, ImportStatus.QUEUED])],
            [2_000, 1_500, 100],
            "imports_by_status",
        ),
        (IMPORTS, [has_import_status([])], [], "One-Time Filter: false"),
        (IMPORTS, [has_type(["remove"])], [2_500, 1_000], "imports_by_type"),
        (AUDIT_EVENTS, [did_one_of([Action.ROLE_ADDED])], [2_000, 100], "audit_events_by_action"),
        (
            AUDIT_EVENTS,
            [did_one_of([Action.ROLE_ADDED, Action.APP_CREATED])],
            [2_000, 1_500, 100],
            "audit_events_by_action",
        ),
        (AUDIT_EVENTS, [was_done_by("Ann")], [2_500, 1_000], "audit_events_by_actor"),
        (
            AUDIT_EVENTS,
            happened_between(NOON, FIVE_PAST),
            [724, 723, 722, 721, 720],
            "idx_audit_event",
        ),
        (
            AUDIT_EVENTS,
            [did_one_of([Action.IMPORT_CREATED]), *happened_between(NOON, FIVE_PAST)],
            [724, 723, 722, 721, 720],
            "audit_events_by_action",
        ),
        (ASSIGNMENTS, [has_role("nobody's")], [], "never executed"),
    ],
)
async def test_filters_have_indexes(
    db: Any, listing: Listing, conditions: Sequence[Condition], keys: list[int], index: str
) -> None:
    """What a filter asks for is read by its index in the list's order, and nothing else is."""
    # The settings of the API's sessions.
    await db.execute("SET enable_sort = off; SET enable_seqscan = off; SET jit = off")

    pages = await fetch_pages(db, 1, listing, [1], conditions, window=Window(10))

    assert [row["id"] for row in pages[1].rows] == keys
    assert index in db.plans[0], db.plans[0]
    assert "Rows Removed by Filter" not in db.plans[0]


async def test_search_among_several_states(db: Any) -> None:
    """A search finds no import for its state alone, whether it looks at the next ones or at all."""
    failed = has_import_status([ImportStatus.FAILED, ImportStatus.CANCELLED])

    found = [
        [row["id"] for row in page.rows]
        for word in ("may", "1500", "7")
        for page in (
            await fetch_pages(db, 1, IMPORTS, [1], [matches_search(word), failed], window=Window(2))
        ).values()
    ]

    assert found == [[2_000, 1_500], [1_500], []]


@pytest.mark.parametrize(("word", "statements"), [("may", 1), ("may 7", 2)])
async def test_search_beyond_a_place(db: Any, word: str, statements: int) -> None:
    """A common word is found near the list's end; only a rare one is looked for in all of it."""
    beyond = is_beyond(IMPORTS, 1_000, forward=True)

    assert await has_rows(db, 1, IMPORTS, [1], [matches_search(word), beyond]) == {1: True}
    assert len(db.plans) == statements
