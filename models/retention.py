"""Retention: files and row results are deleted when their time is over; the rest stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.row import row_key

if TYPE_CHECKING:
    from asyncpg import Connection

# A step keeps the import's row locked until it commits: few enough rows and mebibytes for that to
# be soon.
_ROWS_AT_ONCE = 5_000
_PARTS_AT_ONCE = 8
_IMPORTS_AT_ONCE = 100
_DELIVERIES_AT_ONCE = 1_000


async def expire_imports(db: Connection, *, kept_for: float) -> None:
    """Mark imports whose time is over: their files and row results count as gone.

    From then on the API hides them and runs none of their rows again, so that `purge_step` can
    delete them some thousand rows at a time. A plan stays as long as the import that has applied
    it: its failed rows are looked at when rows of that import run again.

    Args:
        kept_for: seconds from an import's end.
    """
    sql = """
        UPDATE imports SET purged_at = clock_timestamp(), is_purging = true WHERE id IN (
          SELECT id FROM imports
          WHERE finished_at < now() - $1::float * interval '1 second'
            AND finished_at IS NOT NULL AND purged_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM imports applied
              WHERE applied.applied_from_id = imports.id AND applied.purged_at IS NULL)
          ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    """
    await db.execute(sql, kept_for, _IMPORTS_AT_ONCE)


async def delete_deliveries(db: Connection, *, kept_for: float) -> None:
    """Delete some of the messages to webhooks that arrived, or were given up, long enough ago.

    Args:
        kept_for: seconds from the event that a message tells of.
    """
    # Of the oldest alone: no message waits for longer than a day, and so none hides others.
    sql = """
        DELETE FROM webhook_deliveries WHERE id IN (
          SELECT id FROM (SELECT * FROM webhook_deliveries ORDER BY id LIMIT $2) oldest
          WHERE created_at < now() - $1::float * interval '1 second' AND status <> 'PENDING')
    """
    await db.execute(sql, kept_for, _DELIVERIES_AT_ONCE)


async def next_to_purge(db: Connection) -> int | None:
    """Lock an import that is still to be purged until the transaction ends; None when there is
    none that no other worker has locked."""
    key: int | None = await db.fetchval(
        "SELECT id FROM imports WHERE is_purging ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    return key


async def purge_step(db: Connection, import_id: int, after: int) -> int | None:
    """Delete some of an import's row results, or else of its file, or else note that all is gone.

    Args:
        import_id: as `next_to_purge` returned it in this transaction.
        after: the number of the last row that is known to be gone, or 0. The index still has
            entries of what was deleted just now, which a search from here skips.

    Returns:
        The number of the last row deleted; None when nothing is left.
    """
    find_last = """
        SELECT max(id) FROM (
          SELECT id FROM import_rows WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3) page
    """
    first, end = row_key(import_id, after), row_key(import_id + 1, 0)
    last = await db.fetchval(find_last, first, end, _ROWS_AT_ONCE)
    if last is not None:
        await db.execute("DELETE FROM import_rows WHERE id > $1 AND id <= $2", first, last)
        # Ten thousand at most: they go with the first rows.
        await db.execute("DELETE FROM error_groups WHERE id > $1 AND id < $2", first, end)
        return int(last) - row_key(import_id, 0)
    delete_parts = """
        DELETE FROM import_file_parts WHERE import_id = $1 AND number IN (
          SELECT number FROM import_file_parts WHERE import_id = $1 ORDER BY number LIMIT $2)
    """
    if await db.execute(delete_parts, import_id, _PARTS_AT_ONCE) != "DELETE 0":
        return after
    await db.execute("UPDATE imports SET is_purging = false WHERE id = $1", import_id)
    return None
