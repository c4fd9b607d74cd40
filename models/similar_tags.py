"""Tag IDs that are similar to an unknown one: candidates for "did you mean"."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

logger = logging.getLogger(__name__)

# Five short index scans per unknown Tag ID. Two run up and down in the order of the text, which
# finds a slip near its end; two in the order of the reversed text, which finds one near its
# beginning; the last finds what differs in case, separators or leading zeros alone.
_SIMILAR_TAGS = """
SELECT unknown, array_agg(DISTINCT tag_id) FROM unnest($2::text[]) AS u(unknown), LATERAL (
  (SELECT tag_id FROM {table} WHERE app_id = $1 AND tag_id COLLATE "C" >= unknown
   ORDER BY tag_id COLLATE "C" LIMIT $3)
  UNION ALL
  (SELECT tag_id FROM {table} WHERE app_id = $1 AND tag_id COLLATE "C" < unknown
   ORDER BY tag_id COLLATE "C" DESC LIMIT $3)
  UNION ALL
  (SELECT tag_id FROM {table} WHERE app_id = $1 AND reverse(tag_id) COLLATE "C" >= reverse(unknown)
   ORDER BY reverse(tag_id) COLLATE "C" LIMIT $3)
  UNION ALL
  (SELECT tag_id FROM {table} WHERE app_id = $1 AND reverse(tag_id) COLLATE "C" < reverse(unknown)
   ORDER BY reverse(tag_id) COLLATE "C" DESC LIMIT $3)
  UNION ALL
  (SELECT tag_id FROM (
     SELECT tag_id FROM {table} WHERE app_id = $1 AND plain_tag(tag_id) >= plain_tag(unknown)
     ORDER BY plain_tag(tag_id) LIMIT $3) AS onwards
   WHERE plain_tag(tag_id) = plain_tag(unknown))
) AS near GROUP BY unknown
"""
# Of a table without statistics, PostgreSQL expects a handful of rows for an app, and would rather
# sort them than walk an index in its order: all rows of the app, for each unknown Tag ID. Without
# sorts, bitmaps and scans of the table, only the walk is left.
_LIMITS = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('enable_seqscan', 'off', true), set_config('statement_timeout', '500ms', true)
"""


async def find_similar_tags(
    db: Connection,
    app_id: int,
    table: Literal["cases", "users"],
    unknown: Sequence[str],
    *,
    each_way: int = 12,
) -> dict[str, list[str]]:
    """Find the Tag IDs next to each unknown one in text order, from both ends, and those that
    differ only in case, separators or leading zeros; none where that takes too long.

    Args:
        each_way: how many to take in each direction, which bounds the cost.
    """
    # Rolled back in any event: this takes the settings back, and ends a time-out's damage here.
    savepoint = db.transaction()
    await savepoint.start()
    try:
        await db.execute(_LIMITS)
        rows = await db.fetch(_SIMILAR_TAGS.format(table=table), app_id, unknown, each_way)
    except asyncpg.QueryCanceledError:
        logger.warning("no suggestions for unknown Tag IDs: to find some took too long")
        return {}
    finally:
        await savepoint.rollback()
    return {row[0]: row[1] for row in rows}
