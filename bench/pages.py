"""Measures pages of a large import's rows, of failed ones and by outcome, and pages of changes.

The statements are those that the API sends. PostgreSQL itself times them, in a database in which
other imports have rows too.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from bench.changes import measure_changes
from bench.explained import ExplainingConnection
from bench.figure import Figure, median_of
from models.database_url import credentials
from models.list_query import Condition, Window
from models.listing import IMPORT_ROWS, has_result
from models.page import fetch_pages
from models.row import RowOutcome, RowStatus, row_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

    from bench.options import Options
    from bench.system import System

SCENARIO = "a page of 100 failed rows, within PostgreSQL"
OUTCOMES = "a page of rows by outcome, within PostgreSQL"
_BAR = 10.0
_PAGE = 100
_SHARE_FAILED = 100
# Few enough to be anywhere, and none of them a failed one.
_UPDATED = 10
_IMPORT, _OTHERS = 2, (1, 3)
_SEED = 1
_FILL = """
INSERT INTO import_rows (id, app_id, status, outcome, errors, cells)
SELECT ($1::bigint << 32) | (number + 1), 1,
  CASE WHEN number % $3 = 0 THEN 2 ELSE 1 END,
  CASE WHEN number % $3 = 0 THEN NULL WHEN number % ($2 / $4) = 7 THEN 2 ELSE 1 END,
  CASE WHEN number % $3 = 0 THEN jsonb_build_array(jsonb_build_object('code', 'NOT_FOUND',
    'message', 'There is no case with this Tag ID.', 'column', 'case_id', 'value', 'trv-xx')) END,
  jsonb_build_array('trv-' || number, 'jack-' || number, '', 'staff', '0')
FROM generate_series(1, $2::bigint) AS number
"""


class _Asked(NamedTuple):
    """Which rows are asked for, and how many of them a page has."""

    condition: Condition
    count: int = _PAGE


_FAILED = _Asked(has_result([RowStatus.FAILED]))
_BY_OUTCOME = {
    "a few updated": _Asked(has_result(None, [RowOutcome.UPDATED]), _UPDATED),
    "the many created": _Asked(has_result(None, [RowOutcome.CREATED])),
    "both": _Asked(has_result(None, [RowOutcome.CREATED, RowOutcome.UPDATED])),
}


async def measure(system: System, options: Options) -> list[Figure]:
    """Read pages of rows, and pages of changes."""
    return [*await _measure_rows(system, options), *await measure_changes(system, options)]


async def _measure_rows(system: System, options: Options) -> list[Figure]:
    """Read the first page, a page in the middle, the last page, and random pages."""
    rows = 10_000_000 if options.is_long else 1_000_000
    database = await system.create("pages")
    db = await asyncpg.connect(**credentials(database.url))
    try:
        for key, count in [(_IMPORT, rows), *((key, rows // 10) for key in _OTHERS)]:
            await db.execute(_FILL, key, count, _SHARE_FAILED, _UPDATED, timeout=3_600)
        await db.execute("VACUUM ANALYZE import_rows", timeout=3_600)
        return [
            *[
                _figure(SCENARIO, f"{what} of {rows:,} rows", await _times(db, _FAILED, windows))
                for what, windows in _windows(rows, options.rounds).items()
            ],
            *[
                _figure(OUTCOMES, f"{what} of {rows:,} rows", await _times(db, asked, windows))
                for what, asked in _BY_OUTCOME.items()
                for windows in [[Window(_PAGE), Window(_PAGE, is_backward=True)] * options.rounds]
            ],
        ]
    finally:
        await db.close()


def _windows(rows: int, rounds: int) -> dict[str, Sequence[Window]]:
    chance = random.Random(_SEED)
    anywhere = [
        Window(_PAGE, after=row_key(_IMPORT, chance.randrange(rows))) for _ in range(10 * rounds)
    ]
    return {
        "first page": [Window(_PAGE)] * rounds,
        "a page in the middle": [Window(_PAGE, after=row_key(_IMPORT, rows // 2))] * rounds,
        "last page": [Window(_PAGE, is_backward=True)] * rounds,
        "pages at random": anywhere,
    }


def _figure(scenario: str, what: str, milliseconds: list[float]) -> Figure:
    return median_of(scenario, what, milliseconds, "ms", bar=_BAR)


async def _times(db: Connection, asked: _Asked, windows: Sequence[Window]) -> list[float]:
    return [await _milliseconds(db, *asked, window) for window in windows]


async def _milliseconds(db: Connection, condition: Condition, count: int, window: Window) -> float:
    """Read a page as the API does; return PostgreSQL's time to plan and run the statement."""
    timed = ExplainingConnection(db)
    pages = await fetch_pages(timed, 1, IMPORT_ROWS, [_IMPORT], [condition], window=window)
    found = pages[_IMPORT].rows
    if len(found) != count:
        raise SystemExit(f"the page has {len(found)} rows")
    return timed.milliseconds
