"""How an import moves on: begun, cut into chunks, counted, refused, cancelled, tried again."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from models.row import RowOutcome, RowStatus
from models.upload import ImportStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asyncpg import Connection

    from models.row import RowResult

_SPLIT_LOCK = "caseroll split"
_TOUCH = "version = version + 1, changed_at = clock_timestamp()"


class Work(NamedTuple):
    """An import as a worker needs it."""

    id: int
    app_id: int
    type: str
    header: list[str] | None
    is_dry_run: bool
    is_cancelled: bool
    file_name: str
    declared_encoding: str | None
    retry: dict[str, Any] | None
    is_split: bool


class CancelResult(StrEnum):
    """What came of the wish to cancel."""

    REQUESTED = "REQUESTED"
    NOT_FOUND = "NOT_FOUND"
    FINISHED = "FINISHED"


async def read_work(db: Connection, import_id: int) -> Work | None:
    """Read an import that is not finished; None when there is nothing to do for it."""
    row = await db.fetchrow(
        """
        SELECT id, app_id, type, header, is_dry_run, cancel_requested_at IS NOT NULL,
          file_name, declared_encoding, retry, split_at IS NOT NULL
        FROM imports WHERE id = $1 AND status IN ('QUEUED', 'PROCESSING')
        """,
        import_id,
    )
    if row is None:
        return None
    work = Work(*row)
    return work._replace(retry=json.loads(row["retry"])) if row["retry"] else work


async def lock_split(db: Connection, import_id: int) -> bool:
    """Take the right to cut this import into chunks until the transaction ends.

    An advisory lock: whoever cancels or reads the import meanwhile need not wait.
    """
    return bool(
        await db.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended($1, $2))", _SPLIT_LOCK, import_id
        )
    )


async def begin(db: Connection, import_id: int) -> None:
    """Show that a worker is at the file."""
    await db.execute(
        f"""
        UPDATE imports SET status = 'PROCESSING', {_TOUCH},
          started_at = coalesce(started_at, clock_timestamp())
        WHERE id = $1 AND status = 'QUEUED'
        """,
        import_id,
    )


async def finish_split(
    db: Connection,
    import_id: int,
    *,
    rows: int,
    header: Sequence[str],
    encoding: str | None,
    delimiter: str | None,
) -> None:
    """Record that the file's rows wait in chunks.

    Args:
        rows: how many.
    """
    await db.execute(
        f"""
        UPDATE imports SET split_at = clock_timestamp(), total = $2, pending = $2, header = $3,
          encoding = $4, delimiter = $5, {_TOUCH}
        WHERE id = $1
        """,
        import_id,
        rows,
        header,
        encoding,
        delimiter,
    )


async def finish_retry_split(db: Connection, import_id: int, *, rows: int) -> None:
    """Record that the failed rows wait in chunks."""
    await db.execute(
        f"""
        UPDATE imports SET split_at = clock_timestamp(), pending = $2, retry = NULL, {_TOUCH}
        WHERE id = $1
        """,
        import_id,
        rows,
    )


async def refuse(db: Connection, import_id: int, errors: Iterable[Mapping[str, Any]]) -> None:
    """End an import whose file can't be read, or a retry, whose rows then stay as they are."""
    await db.execute(
        f"""
        UPDATE imports SET errors = $2, total = coalesce(total, 0), retry = NULL, {_TOUCH},
          status = CASE WHEN cancelled > 0 THEN 'CANCELLED'
            WHEN passed > 0 THEN 'PROCESSED' ELSE 'FAILED' END,
          finished_at = clock_timestamp()
        WHERE id = $1 AND split_at IS NULL AND status IN ('QUEUED', 'PROCESSING')
        """,
        import_id,
        json.dumps(list(errors)),
    )


async def count(
    db: Connection, import_id: int, results: Sequence[RowResult], *, done: int, tried_before: int
) -> bool:
    """Add a chunk's results to the import, and end it with the last of its rows.

    Args:
        done: how many rows the chunk had.
        tried_before: how many of the results replace failed ones.

    Returns:
        Whether this was the end.
    """
    by_status = dict.fromkeys(RowStatus, 0)
    by_outcome = dict.fromkeys(RowOutcome, 0)
    for result in results:
        by_status[result.status] += 1
        if result.outcome:
            by_outcome[result.outcome] += 1
    return bool(
        await db.fetchval(
            f"""
            UPDATE imports SET pending = pending - $2, failed = failed - $3 + $5,
              passed = passed + $4, cancelled = cancelled + $6, created = created + $7,
              updated = updated + $8, removed = removed + $9, unchanged = unchanged + $10,
              status = CASE WHEN pending > $2 THEN status
                WHEN cancelled + $6 > 0 THEN 'CANCELLED'
                WHEN passed + $4 = 0 THEN 'FAILED' ELSE 'PROCESSED' END,
              finished_at = CASE WHEN pending > $2 THEN NULL ELSE clock_timestamp() END, {_TOUCH}
            WHERE id = $1 RETURNING finished_at IS NOT NULL
            """,
            import_id,
            done,
            tried_before,
            *by_status.values(),
            *by_outcome.values(),
        )
    )


async def request_cancel(db: Connection, app_id: int, import_id: int) -> CancelResult:
    """Ask that no more rows of the import are run; those that wait end as cancelled."""
    status = await db.execute(
        f"""
        UPDATE imports SET cancel_requested_at = coalesce(cancel_requested_at, now()), {_TOUCH}
        WHERE app_id = $1 AND id = $2 AND status IN ('QUEUED', 'PROCESSING')
        """,
        app_id,
        import_id,
    )
    if status != "UPDATE 0":
        return CancelResult.REQUESTED
    exists = await db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM imports WHERE app_id = $1 AND id = $2)", app_id, import_id
    )
    return CancelResult.FINISHED if exists else CancelResult.NOT_FOUND


async def lock_for_retry(
    db: Connection, app_id: int, import_id: int
) -> tuple[ImportStatus, list[str], int] | None:
    """Hold an import until the transaction ends; return its status, header and failed rows."""
    row = await db.fetchrow(
        "SELECT status, header, failed FROM imports WHERE app_id = $1 AND id = $2 FOR UPDATE",
        app_id,
        import_id,
    )
    return row and (ImportStatus(row["status"]), row["header"] or [], row["failed"])


async def reopen(db: Connection, import_id: int, retry: Mapping[str, Any]) -> bool:
    """Let workers run failed rows again; False when another running import has the name now.

    Args:
        retry: see `Import`.
    """
    try:
        await db.execute(
            f"""
            UPDATE imports SET status = 'PROCESSING', split_at = NULL, finished_at = NULL,
              cancel_requested_at = NULL, retry = $2, errors = '[]', rung_at = now(), {_TOUCH}
            WHERE id = $1
            """,
            import_id,
            json.dumps(retry),
        )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def waiting_imports(db: Connection, *, silent_for: float) -> tuple[list[int], list[int]]:
    """Find imports that nobody works on although there is something to do, and note that they
    were found.

    Args:
        silent_for: seconds since anybody was told of them or tried one of their chunks.

    Returns:
        Imports to be cut into chunks, and imports with chunks to be run.
    """
    rows = await db.fetch(
        """
        UPDATE imports SET rung_at = clock_timestamp() WHERE id IN (
          SELECT id FROM imports i WHERE status IN ('QUEUED', 'PROCESSING')
            AND greatest(rung_at, split_at) < clock_timestamp() - $1::float * interval '1 second'
            AND NOT EXISTS (
              SELECT 1 FROM import_chunks c WHERE c.import_id = i.id
                AND c.attempted_at > clock_timestamp() - $1::float * interval '1 second')
          ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)
        RETURNING id, split_at IS NULL
        """,
        silent_for,
    )
    return [row[0] for row in rows if row[1]], [row[0] for row in rows if not row[1]]
