"""Finding the cases or users that a file refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection, Record


async def find_referenced(
    db: Connection,
    app_id: int,
    table: Literal["cases", "users"],
    columns: Sequence[str],
    *,
    tags: Sequence[str],
    ids: Sequence[int],
) -> list[Record]:
    """Read the app's rows that have one of the Tag IDs or one of the primary keys, each once.

    Two look-ups, each by its own index, and the second only where it is needed:

        SELECT id, tag_id FROM cases WHERE app_id = $1 AND tag_id = ANY($2::text[])
        UNION SELECT id, tag_id FROM cases WHERE app_id = $1 AND id = ANY($3::bigint[])
    """
    select = f"SELECT {', '.join(columns)} FROM {table} WHERE app_id = $1"
    by_tag = f"{select} AND tag_id = ANY($2::text[])"
    by_id = f"{select} AND id = ANY($3::bigint[])"
    both = (f"{by_tag} UNION {by_id}", app_id, tags, ids)
    found: list[Record] = await db.fetch(*(both if ids else (by_tag, app_id, tags)))
    return found
