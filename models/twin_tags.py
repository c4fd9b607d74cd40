"""Tag IDs that differ from new ones only in capitals, punctuation or leading zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncpg import Connection

    from models.write_one import Table


async def find_twin_tags(
    db: Connection, app_id: int, table: Table, tags: Collection[str], *, import_id: int
) -> dict[str, str]:
    """Find, for new Tag IDs, one that is much like each of them.

    Only what was there before the import was uploaded counts, so that the answer does not depend on
    which of a file's chunks runs first.

    Returns:
        new Tag ID → stored one; those without a twin are left out.
    """
    if not tags:
        return {}
    # Without a join and without LIMIT or min(), the one plan is a scan of the index on
    # (app_id, plain_tag) for each new Tag ID, also where a table has no statistics yet.
    sql = f"""
        SELECT new.tag, twins.tags[1] FROM unnest($2::text[]) AS new(tag), LATERAL (
          SELECT array_agg(tag_id ORDER BY tag_id) AS tags FROM {table}
          WHERE app_id = $1 AND plain_tag(tag_id) = plain_tag(new.tag) AND tag_id <> new.tag
            AND created_at < (SELECT created_at FROM imports WHERE id = $3)) twins
        WHERE twins.tags IS NOT NULL
    """
    return {row[0]: row[1] for row in await db.fetch(sql, app_id, list(tags), import_id)}
