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

        SELECT t.id, t.tag_id FROM unnest($2::text[]) AS k(key)
        JOIN cases t ON t.app_id = $1 AND t.tag_id = k.key
        UNION
        SELECT t.id, t.tag_id FROM unnest($3::bigint[]) AS k(key)
        JOIN cases t ON t.app_id = $1 AND t.id = k.key
    """
    # Joins, as everywhere that thousands of keys are looked up: `= ANY($2)` compares each row with
    # each key when PostgreSQL plans for any array, and knows too little of a new table to choose
    # the index.
    select = f"SELECT {', '.join(f't.{column}' for column in columns)} FROM unnest"
    by_tag = f"{select}($2::text[]) AS k(key) JOIN {table} t ON t.app_id = $1 AND t.tag_id = k.key"
    by_id = f"{select}($3::bigint[]) AS k(key) JOIN {table} t ON t.app_id = $1 AND t.id = k.key"
    # Sorted, as neighbours stand on the same pages of an index.
    tags = sorted(tags)
    both = (f"{by_tag} UNION {by_id}", app_id, tags, ids)
    found: list[Record] = await db.fetch(*(both if ids else (by_tag, app_id, tags)))
    return found
