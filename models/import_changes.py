"""Which imports have changed lately, for the hub of an API process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncpg import Connection, Record


async def read_imports(db: Connection, import_ids: Collection[int]) -> list[Record]:
    """Read imports of any app; the caller shows each to its `app_id` alone."""
    rows: list[Record] = await db.fetch(
        "SELECT * FROM imports WHERE id = ANY($1::bigint[])", list(import_ids)
    )
    return rows


async def recent_changes(db: Connection, app_ids: Collection[int], seconds: float) -> list[Record]:
    """Read `app_id`, `key`, `version` and `ended_at` of imports that changed lately.

    Args:
        seconds: how far to look back. A change can be seen only when its transaction commits, so
            this must be more than a transaction takes.
    """
    sql = """
        SELECT app_id, id AS key, version, finished_at AS ended_at FROM imports
        WHERE app_id = ANY($1::bigint[])
          AND changed_at > clock_timestamp() - $2::float * interval '1 second'
    """
    rows: list[Record] = await db.fetch(sql, list(app_ids), seconds)
    return rows
