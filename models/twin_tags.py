"""Tag IDs that differ from new ones only in capitals, punctuation or leading zeros."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncpg import Connection

    from models.write_one import Table

logger = logging.getLogger(__name__)

# With both bounds in place of `=`, the order is more than a constant to PostgreSQL, and only the
# index on (app_id, plain_tag) has it.
_TWIN_TAGS = """
SELECT new.tag, twins.tags
FROM (SELECT tag, plain_tag(tag) AS plain FROM unnest($2::text[]) AS u(tag) OFFSET 0) new, LATERAL (
  SELECT array_agg(tag_id) AS tags FROM (
    SELECT tag_id FROM {table}
    WHERE app_id = $1 AND plain_tag(tag_id) >= new.plain AND plain_tag(tag_id) <= new.plain
      AND tag_id <> new.tag
      AND created_at < (SELECT created_at FROM imports WHERE id = $3)
    ORDER BY plain_tag(tag_id) LIMIT 12) same) twins
WHERE twins.tags IS NOT NULL
"""
# A plan that is made while the table is small would scan all of it for each Tag ID, and is kept
# while the table grows. Without such scans and without sorts, that index is left.
_LIMITS = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_bitmapscan', 'off', true), set_config('statement_timeout', '2s', true)
"""


async def find_twin_tags(
    db: Connection, app_id: int, table: Table, tags: Collection[str], *, import_id: int
) -> dict[str, list[str]]:
    """Find, for new Tag IDs, those that are much like each of them; none where that takes too long.

    Only what was there before the import was uploaded counts, so that the answer does not depend on
    which of a file's chunks runs first.

    Returns:
        new Tag ID → stored ones, twelve at most; those without a twin are left out.
    """
    if not tags:
        return {}
    # Rolled back in any event, which takes the settings back and ends a time-out's damage here.
    savepoint = db.transaction()
    await savepoint.start()
    try:
        await db.execute(_LIMITS)
        rows = await db.fetch(_TWIN_TAGS.format(table=table), app_id, list(tags), import_id)
    except asyncpg.QueryCanceledError:
        logger.warning("no warnings of similar Tag IDs: to find some took too long")
        return {}
    finally:
        await savepoint.rollback()
    return {row[0]: row[1] for row in rows}
