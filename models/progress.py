"""How an import moves on: begun, cut into chunks, counted, refused, cancelled, retried."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from models.audit import Action, record
from models.imports import RETURNING_END, ImportStatus, to_import_end
from models.row import RowOutcome, RowStatus, row_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Connection

    from models.audit import Actor
    from models.imports import ImportEnd
    from models.row import RowResult

_SPLIT_LOCK = "caseroll split"
# `now()` is when the transaction began, for a cut perhaps half an hour ago; `recent_changes` looks
# back from the present.
_TOUCH = "version = version + 1, changed_at = clock_timestamp()"
# The speed over a chunk and some seconds before it, in which it was as noted so far: the chunks of
# several workers end at any moment, so that none alone says how fast the import is.
_SPEED_SECONDS = 5
_SPEED = f"""
    (coalesce(rows_per_second * {_SPEED_SECONDS}, 0) + $2) / greatest(0.001,
      CASE WHEN rows_per_second IS NULL THEN 0 ELSE {_SPEED_SECONDS} END
      + extract(epoch FROM clock_timestamp() - changed_at))
"""
# The final status of an import of which no row waits any more.
_FINAL_STATUS = """
    CASE WHEN cancelled > 0 THEN 'CANCELLED' WHEN passed > 0 THEN 'PROCESSED' ELSE 'FAILED' END
"""


class ImportWork(NamedTuple):
    """An import as a worker needs it."""

    id: int
    app_id: int
    type: str
    header: list[str] | None
    is_dry_run: bool
    is_cancelled: bool
    file_name: str
    declared_encoding: str | None
    date_order: str | None
    observed: Mapping[str, Sequence[str]]
    retry: dict[str, Any] | None
    is_split: bool


class ImportToRetry(NamedTuple):
    """An import as `request_retry` needs it, locked."""

    name: str
    status: ImportStatus
    header: list[str]
    failed: int
    purged_at: datetime | None


class CancelResult(StrEnum):
    REQUESTED = "REQUESTED"
    NOT_FOUND = "NOT_FOUND"
    FINISHED = "FINISHED"


async def read_work(db: Connection, import_id: int) -> ImportWork | None:
    """Read an import that is not finished; None when it is, or does not exist."""
    sql = """
        SELECT id, app_id, type, header, is_dry_run, cancel_requested_at IS NOT NULL,
          file_name, declared_encoding, date_order, observed, retry, split_at IS NOT NULL
        FROM imports WHERE id = $1 AND status IN ('QUEUED', 'PROCESSING')
    """
    row = await db.fetchrow(sql, import_id)
    if row is None:
        return None
    retry = json.loads(row["retry"]) if row["retry"] else None
    return ImportWork(*row)._replace(retry=retry, observed=json.loads(row["observed"]))


async def lock_split(db: Connection, import_id: int) -> bool:
    """Try to take the right to cut this import into chunks until the transaction ends.

    It is an advisory lock, not one of the import's row: requests to cancel the import need not wait
    for the cut, which may take half an hour.
    """
    # Without waiting: a worker that waited would be lost to other imports for as long.
    return bool(
        await db.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended($1, $2))", _SPLIT_LOCK, import_id
        )
    )


async def begin(db: Connection, import_id: int) -> int:
    """Record that a worker begins with the file; return how many have begun with it by now."""
    # Only the first begin changes what a client sees, so later ones leave the version alone.
    sql = """
        UPDATE imports SET status = 'PROCESSING', split_attempts = split_attempts + 1,
          started_at = coalesce(started_at, clock_timestamp()),
          version = version + CASE status WHEN 'QUEUED' THEN 1 ELSE 0 END,
          changed_at = CASE status WHEN 'QUEUED' THEN clock_timestamp() ELSE changed_at END
        WHERE id = $1 AND status IN ('QUEUED', 'PROCESSING') RETURNING split_attempts
    """
    attempts = await db.fetchval(sql, import_id)
    return attempts or 0


async def take_back_begin(db: Connection, import_id: int) -> None:
    """Uncount an attempt to cut the file that failed for no fault of the file."""
    await db.execute(
        "UPDATE imports SET split_attempts = greatest(split_attempts - 1, 0) WHERE id = $1",
        import_id,
    )


async def finish_split(
    db: Connection,
    import_id: int,
    *,
    rows: int,
    told: int,
    header: Sequence[str],
    encoding: str | None,
    delimiter: str | None,
    warnings: Sequence[Mapping[str, Any]],
    observed: Mapping[str, Sequence[str]],
) -> ImportEnd | None:
    """Record that the file's rows wait in chunks; without any, end the import.

    Args:
        rows: how many rows wait.
        told: how many more rows have their results already.
        warnings: remarks on the file as a whole.
        observed: what its columns have shown, by name.
    """
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, total = $2,
          pending = $3, header = $4, encoding = $5, delimiter = $6, warnings = $7, observed = $8,
          {_end_without("$3")}, {_TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    notes = json.dumps(warnings), json.dumps(observed)
    row = await db.fetchrow(sql, import_id, rows + told, rows, header, encoding, delimiter, *notes)
    return to_import_end(row)


async def finish_retry_split(db: Connection, import_id: int, *, rows: int) -> ImportEnd | None:
    """Record that the failed rows wait in chunks; without any, end the import again."""
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, pending = $2,
          retry = NULL, {_end_without("$2")}, {_TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    return to_import_end(await db.fetchrow(sql, import_id, rows))


def _end_without(rows: str) -> str:
    """End the import if no row waits; otherwise the last chunk ends it.

    `_end_without("$3")` is `status = CASE WHEN $3 > 0 THEN status ELSE … END, finished_at = …`.
    """
    return (
        f"status = CASE WHEN {rows} > 0 THEN status ELSE {_FINAL_STATUS} END,"
        f" finished_at = CASE WHEN {rows} > 0 THEN NULL ELSE clock_timestamp() END"
    )


async def keep_header(db: Connection, import_id: int, header: Sequence[str]) -> None:
    """Keep the names of a file's columns, with which the API shows results of its rows."""
    await db.execute("UPDATE imports SET header = $2 WHERE id = $1", import_id, header)


async def count_first(db: Connection, import_id: int, failed: int) -> None:
    """Count rows that have failed before the file was cut."""
    await db.execute(
        f"UPDATE imports SET failed = failed + $2, {_TOUCH} WHERE id = $1", import_id, failed
    )


async def refuse(
    db: Connection, import_id: int, errors: Iterable[Mapping[str, Any]]
) -> ImportEnd | None:
    """End an import whose file can't be read, or a retry, whose rows then stay as they are.

    The first rows of a file may have failed before the file turned out to be unreadable; their
    results are deleted, since such a file has no rows.
    """
    # A retry that is being cut has no `split_at` either, and the results of its other rows stay.
    delete_rows = """
        DELETE FROM import_rows WHERE id > $2 AND id < $3 AND EXISTS (
          SELECT 1 FROM imports WHERE id = $1 AND split_at IS NULL AND retry IS NULL
            AND status IN ('QUEUED', 'PROCESSING'))
    """
    await db.execute(delete_rows, import_id, row_key(import_id, 0), row_key(import_id + 1, 0))
    end = f"""
        UPDATE imports SET errors = $2, total = coalesce(total, 0), retry = NULL,
          split_attempts = 0, {_TOUCH},
          failed = CASE WHEN retry IS NULL THEN 0 ELSE failed END,
          status = {_FINAL_STATUS}, finished_at = clock_timestamp()
        WHERE id = $1 AND split_at IS NULL AND status IN ('QUEUED', 'PROCESSING') {RETURNING_END}
    """
    return to_import_end(await db.fetchrow(end, import_id, json.dumps(list(errors))))


async def count(
    db: Connection, import_id: int, results: Sequence[RowResult], *, done: int, tried_before: int
) -> ImportEnd | None:
    """Add a chunk's results to the import, and end it with the last of its rows.

    The update locks the import's row, so of two last chunks exactly one brings `pending` to zero.

    Args:
        done: how many rows the chunk had.
        tried_before: how many of the results replace failed ones.
    """
    # The enums' order is that of the parameters: passed, failed, cancelled are $4 to $6, then come
    # the outcomes.
    by_status = dict.fromkeys(RowStatus, 0)
    by_outcome = dict.fromkeys(RowOutcome, 0)
    for result in results:
        by_status[result.status] += 1
        if result.outcome:
            by_outcome[result.outcome] += 1
    # The right sides see the row as it was: `pending > $2` means that rows are left.
    sql = f"""
        UPDATE imports SET pending = pending - $2, failed = failed - $3 + $5,
          passed = passed + $4, cancelled = cancelled + $6, created = created + $7,
          updated = updated + $8, removed = removed + $9, unchanged = unchanged + $10,
          status = CASE WHEN pending > $2 THEN status
            WHEN cancelled + $6 > 0 THEN 'CANCELLED'
            WHEN passed + $4 = 0 THEN 'FAILED' ELSE 'PROCESSED' END,
          finished_at = CASE WHEN pending > $2 THEN NULL ELSE clock_timestamp() END,
          rows_per_second = {_SPEED}, {_TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    row = await db.fetchrow(
        sql, import_id, done, tried_before, *by_status.values(), *by_outcome.values()
    )
    return to_import_end(row)


async def request_cancel(db: Connection, app_id: int, import_id: int, *, by: Actor) -> CancelResult:
    """Ask that no more rows of the import are run; those that wait end as cancelled.

    The caller opens the transaction. Workers end the import when they come to its waiting chunks.
    """
    sql = f"""
        UPDATE imports SET cancel_requested_at = coalesce(cancel_requested_at, now()), {_TOUCH}
        WHERE app_id = $1 AND id = $2 AND status IN ('QUEUED', 'PROCESSING') RETURNING name
    """
    name = await db.fetchval(sql, app_id, import_id)
    # A request that comes too late leaves no event.
    if name is not None:
        await record(db, app_id, by, Action.IMPORT_CANCELLED, import_id, name=name)
        return CancelResult.REQUESTED
    exists = await db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM imports WHERE app_id = $1 AND id = $2)", app_id, import_id
    )
    return CancelResult.FINISHED if exists else CancelResult.NOT_FOUND


async def lock_for_retry(db: Connection, app_id: int, import_id: int) -> ImportToRetry | None:
    """Lock an import until the transaction ends."""
    row = await db.fetchrow(
        "SELECT name, status, coalesce(header, '{}') AS header, failed, purged_at FROM imports"
        " WHERE app_id = $1 AND id = $2 FOR UPDATE",
        app_id,
        import_id,
    )
    if row is None:
        return None
    return ImportToRetry(**{**row, "status": ImportStatus(row["status"])})


async def reopen(db: Connection, import_id: int, retry: Mapping[str, Any]) -> bool:
    """Make an import wait for workers again; False when another running import has its name now.

    Args:
        retry: see `Import`.
    """
    # `notified_at` gives the message that follows the commit its time before the sweeper sends
    # another.
    try:
        sql = f"""
            UPDATE imports SET status = 'PROCESSING', split_at = NULL, finished_at = NULL,
              cancel_requested_at = NULL, retry = $2, errors = '[]', notified_at = now(), {_TOUCH}
            WHERE id = $1
        """
        await db.execute(sql, import_id, json.dumps(retry))
    except asyncpg.UniqueViolationError:
        return False
    return True
