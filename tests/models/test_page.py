"""Pages of lists: which rows they have, and what they read to find them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from models.database_url import credentials
from models.listing import IMPORT_ROWS, has_result, is_beyond
from models.page import Window, fetch_pages, has_rows
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

    async def fetch(self, sql: str, *values: object) -> Any:
        """Explain a statement, and run it."""
        plan = await self._db.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}", *values)
        self.plans.append("\n".join(line[0] for line in plan))
        return await self._db.fetch(sql, *values)


@pytest.fixture(params=["force_generic_plan", "force_custom_plan"])
async def db(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Any]:
    """Results of 20,000 rows that were changed, and a few that were not, never analysed."""
    connection = await asyncpg.connect(
        **credentials(database_url), server_settings={"plan_cache_mode": request.param}
    )
    await connection.execute(
        """
        ALTER TABLE import_rows SET (autovacuum_enabled = off);
        INSERT INTO import_rows (id, app_id, status, outcome, cells)
          SELECT (7::bigint << 32) | n, 1,
            CASE n WHEN 9000 THEN 2 WHEN 15000 THEN 3 ELSE 1 END,
            CASE WHEN n IN (9000, 15000) THEN NULL WHEN n IN (4000, 12000) THEN 1
              WHEN n = 19000 THEN 3 WHEN n IN (500, 501) THEN 4 ELSE 2 END,
            '[]'
          FROM generate_series(2, 20000) AS n;
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
