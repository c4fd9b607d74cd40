"""Fills a database with changes of assignments, and measures pages of their lists.

The statements, the role and the settings are those of the API. PostgreSQL itself times them.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import asyncpg

from api.schema.entities import CHANGE_ROW
from bench.explained import ExplainingConnection
from bench.figure import Figure, median_of
from models.app_pool import open_app_pool
from models.database_url import credentials
from models.db import database
from models.history_lists import (
    ASSIGNMENT_CHANGES,
    CASE_CHANGES,
    IMPORT_CHANGES,
    PAIR_CHANGES,
    USER_CHANGES,
    changed_between,
)
from models.list_query import Window
from models.page import fetch_pages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from asyncpg import Connection

    from bench.options import Options
    from bench.system import System
    from models.list_query import Condition, Listing

SCENARIO = "a page of 100 changes, within PostgreSQL"
_BAR = 10.0
_PAGE = 100
_SEED = 1
_BEGIN = "timestamptz '2026-01-01'"
_PER_CASE, _PER_USER, _PER_IMPORT = 100, 30, 100_000
# Half of the changes put users on cases; each other one changes one of these, or removes it.
_FILL = f"""
SET session_replication_role = replica;
INSERT INTO cases (app_id, about) SELECT 1, '' FROM generate_series(1, {{changes}} / {_PER_CASE});
INSERT INTO users (app_id, email)
  SELECT 1, n || '@example.org' FROM generate_series(1, {{changes}} / {_PER_USER}) AS n;
INSERT INTO imports
    (app_id, token_id, type, name, source, file_name, file_size, file_sha256, status)
  SELECT 1, 1, 'assign', n, 'api', '', 0, '', 'PROCESSED'
  FROM generate_series(0, {{changes}} / {_PER_IMPORT}) AS n;
CREATE TEMP TABLE pairs AS
  SELECT n, 1 + n * 2 / {_PER_CASE} AS case_id,
    1 + n::bigint * 7919 % ({{changes}} / {_PER_USER}) AS user_id, n % 3 = 0 AS is_removed
  FROM generate_series(0, {{changes}} / 2 - 1) AS n;
INSERT INTO assignment_history (app_id, case_id, user_id, import_id, row, before_role_id,
    before_notify, after_role_id, after_notify, changed_at)
  SELECT 1, case_id, user_id, 1 + place / {_PER_IMPORT}, 2 + place % {_PER_IMPORT},
    CASE WHEN is_second THEN 1 END, CASE WHEN is_second THEN false END,
    CASE WHEN NOT (is_second AND is_removed) THEN 1 END,
    CASE WHEN NOT (is_second AND is_removed) THEN is_second END,
    {_BEGIN} + place / 10000 * interval '1 second'
  FROM (SELECT *, false AS is_second, n AS place FROM pairs
    UNION ALL SELECT *, true, n + {{changes}} / 2 FROM pairs) AS steps ORDER BY place;
INSERT INTO assignments (app_id, case_id, user_id, role_id)
  SELECT 1, case_id, user_id, 1 FROM pairs WHERE NOT is_removed ON CONFLICT DO NOTHING;
"""


async def measure_changes(system: System, options: Options) -> list[Figure]:
    """Read first pages and deep ones of every list."""
    changes = 10_000_000 if options.is_long else 1_000_000
    filled = await system.create("changes")
    db = await asyncpg.connect(**credentials(filled.url))
    try:
        await db.execute(_FILL.format(changes=changes), timeout=3_600)
        await db.execute("VACUUM ANALYZE", timeout=3_600)
        middle = await db.fetchval(f"SELECT {_BEGIN} + $1 * interval '1 second'", changes // 20_000)
    finally:
        await db.close()
    figures = []
    async with (
        database(filled.url),
        open_app_pool(filled.url, connections=1) as pool,
        pool.connection(1) as db,
    ):
        for what, (listing, most, conditions) in _lists(changes, middle).items():
            chance = random.Random(_SEED)
            samples = [
                await _milliseconds(db, listing, 1 + chance.randrange(most), conditions)
                for _ in range(10 * options.rounds)
            ]
            figures.append(
                median_of(SCENARIO, f"{what}, {changes:,} in all", samples, "ms", bar=_BAR)
            )
    return figures


def _lists(changes: int, middle: datetime) -> dict[str, tuple[Listing, int, Sequence[Condition]]]:
    """Return lists, the largest key of what they belong to, and conditions."""
    before, after = changed_between(None, middle), changed_between(middle, None)
    return {
        "of the app": (ASSIGNMENT_CHANGES, 1, ()),
        "of the app, before a day in the middle": (ASSIGNMENT_CHANGES, 1, before),
        "of a case": (CASE_CHANGES, changes // _PER_CASE, ()),
        "of a case, since a day in the middle": (CASE_CHANGES, changes // _PER_CASE, after),
        "of a user": (USER_CHANGES, changes // _PER_USER, ()),
        "of an import": (IMPORT_CHANGES, changes // _PER_IMPORT, ()),
        "of an assignment": (PAIR_CHANGES, changes // 3, ()),
    }


async def _milliseconds(
    db: Connection, listing: Listing, parent: int, conditions: Sequence[Condition]
) -> float:
    timed = ExplainingConnection(db)
    pages = await fetch_pages(
        timed, 1, listing, [parent], conditions, window=Window(_PAGE), columns=CHANGE_ROW.columns()
    )
    if not pages[parent].rows and not conditions:
        raise SystemExit(f"{listing.name} of {parent} is empty")
    return timed.milliseconds
