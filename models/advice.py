"""Reading what is only advice: it is there in time, or it is not given."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from asyncpg import Connection, Record

logger = logging.getLogger(__name__)

# Of a table without statistics, PostgreSQL expects a handful of rows for an app, and would rather
# sort them than walk an index in its order: all rows of the app, for each unknown Tag ID. Without
# sorts, bitmaps and scans of the table, only the walk is left.
_LIMITS = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('enable_seqscan', 'off', true), set_config('statement_timeout', '500ms', true)
"""


async def fetch_in_time(db: Connection, sql: str, *values: object) -> list[Record]:
    """Read rows in the order of indexes, for half a second at most; none if that is not enough."""
    # Rolled back in any event: this takes the settings back, and a time-out ends no more than this.
    savepoint = db.transaction()
    await savepoint.start()
    try:
        await db.execute(_LIMITS)
        rows: list[Record] = await db.fetch(sql, *values)
    except asyncpg.QueryCanceledError:
        logger.warning("no advice on unknown IDs: to find some took too long")
        return []
    finally:
        await savepoint.rollback()
    return rows
