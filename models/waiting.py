"""Imports that wait for a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asyncpg import Connection

# Enough for a fair choice; an app with ten thousand imports in the queue must not slow it down.
_MOST_OF_AN_APP = 20


class WaitingImport(NamedTuple):
    """An import with something to do, as far as can be seen without locking anything.

    Args:
        is_split: whether its rows wait in chunks, and not in its file.
    """

    id: int
    app_id: int
    is_split: bool


async def find_waiting(
    db: Connection, *, most_bytes: int | None = None, most_rows: int | None = None
) -> list[WaitingImport]:
    """Find imports that wait to be cut or have chunks, the oldest of each app.

    Imports that a worker is cutting are left out; those whose last chunks are running are not.

    Args:
        most_bytes: only files up to this size, of imports that are not cut yet.
        most_rows: only imports with at most this many rows left, of those that are cut.
    """
    # An import that is PROCESSING and not split is being cut by a worker, unless it is a retry or
    # has been planned, which was PROCESSING from the start.
    sql = """
        SELECT id, app_id, is_split FROM (
          SELECT id, app_id, split_at IS NOT NULL AS is_split,
            row_number() OVER (PARTITION BY app_id ORDER BY id) AS place
          FROM imports
          WHERE status IN ('QUEUED', 'PROCESSING')
            AND (split_at IS NOT NULL OR status = 'QUEUED' OR retry IS NOT NULL
              OR stage = 'PLANNED')
            AND CASE WHEN split_at IS NOT NULL THEN pending <= coalesce($2, pending)
              WHEN stage = 'PLANNED' THEN passed <= coalesce($2, passed)
              WHEN retry IS NOT NULL THEN failed <= coalesce($2, failed)
              ELSE file_size <= coalesce($1, file_size) END) waiting
        WHERE place <= $3
    """
    rows = await db.fetch(sql, most_bytes, most_rows, _MOST_OF_AN_APP)
    return [WaitingImport(*row) for row in rows]


async def silent_imports(db: Connection, *, silent_for: float) -> tuple[list[int], list[int]]:
    """Find imports that no worker works on although there is something to do, and note that
    workers are notified of them now.

    Args:
        silent_for: seconds since the last notification, and since a worker tried one of the chunks.

    Returns:
        Imports to be cut into chunks, and imports with chunks to be run.
    """
    # `greatest` ignores NULL: before the cut there is no `split_at`. SKIP LOCKED lets the sweepers
    # of several workers share the imports instead of sending each message several times.
    sql = """
        UPDATE imports SET notified_at = clock_timestamp() WHERE id IN (
          SELECT id FROM imports i WHERE status IN ('QUEUED', 'PROCESSING')
            AND greatest(notified_at, split_at)
              < clock_timestamp() - $1::float * interval '1 second'
            AND NOT EXISTS (
              SELECT 1 FROM import_chunks c WHERE c.import_id = i.id
                AND c.attempted_at > clock_timestamp() - $1::float * interval '1 second')
          ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)
        RETURNING id, split_at IS NULL
    """
    rows = await db.fetch(sql, silent_for)
    return [row[0] for row in rows if row[1]], [row[0] for row in rows if not row[1]]
