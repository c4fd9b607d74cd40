"""Tag IDs that are similar to an unknown one: candidates for "did you mean"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from models.advice import fetch_in_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

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
    sql = _SIMILAR_TAGS.format(table=table)
    rows = await fetch_in_time(db, sql, app_id, unknown, each_way)
    return {row[0]: row[1] for row in rows}
