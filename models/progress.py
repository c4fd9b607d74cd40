"""How an import moves on: begun, cut into chunks, counted, refused, cancelled, retried."""

from __future__ import annotations

import json
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from models.audit import Action, record
from models.import_end import conclude
from models.imports import RETURNING_END, ImportStatus, Stage
from models.row import row_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Connection

    from models.audit import Actor
    from models.imports import ImportEnd
    from models.tally import Tally

_SPLIT_LOCK = "caseroll split"
# `now()` is when the transaction began, for a cut perhaps half an hour ago; `recent_changes` looks
# back from the present.
TOUCH = "version = version + 1, changed_at = clock_timestamp()"
# The speed over a chunk and some seconds before it, in which it was as noted so far: the chunks of
# several workers end at any moment, so that none alone says how fast the import is.
_SPEED_SECONDS = 5
_SPEED = f"""
    (coalesce(rows_per_second * {_SPEED_SECONDS}, 0) + $2) / greatest(0.001,
      CASE WHEN rows_per_second IS NULL THEN 0 ELSE {_SPEED_SECONDS} END
      + extract(epoch FROM clock_timestamp() - changed_at))
"""
# The final status of an import of which no row waits any more.
FINAL_STATUS = """
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
    applied_from_id: int | None = None
    stage: Stage | None = None
    is_atomic: bool = False
    undo_of_id: int | None = None
    header_mapping: Mapping[str, Any] | None = None

    @property
    def plan_id(self) -> int | None:
        """The import whose rows are the plan that this one carries out: another, or itself."""
        if self.stage in (Stage.PLANNED, Stage.APPLY):
            return self.id
        return self.applied_from_id if self.retry is None else None

    @property
    def is_whole(self) -> bool:
        """Whether all of its chunks are to be one transaction."""
        return self.is_atomic and self.is_split and self.stage is Stage.APPLY

    @property
    def replaces_results(self) -> bool:
        """Whether its rows have results already, which those of its chunks replace."""
        return self.retry is not None or self.plan_id == self.id


class ImportToRetry(NamedTuple):
    """An import as `request_retry` needs it, locked."""

    name: str
    status: ImportStatus
    header: list[str]
    failed: int
    purged_at: datetime | None
    is_atomic: bool
    is_undo: bool
    header_mapping: Mapping[str, Any] | None


class CancelResult(StrEnum):
    REQUESTED = "REQUESTED"
    NOT_FOUND = "NOT_FOUND"
    FINISHED = "FINISHED"


async def read_work(db: Connection, import_id: int) -> ImportWork | None:
    """Read an import that is not finished; None when it is, or does not exist."""
    sql = """
        SELECT id, app_id, type, header, is_dry_run OR stage IS NOT DISTINCT FROM 'PLAN',
          cancel_requested_at IS NOT NULL, file_name, declared_encoding, date_order, observed,
          retry, split_at IS NOT NULL, applied_from_id, stage, is_atomic, undo_of_id,
          header_mapping
        FROM imports WHERE id = $1 AND status IN ('QUEUED', 'PROCESSING')
    """
    row = await db.fetchrow(sql, import_id)
    if row is None:
        return None
    retry = json.loads(row["retry"]) if row["retry"] else None
    stage = Stage(row["stage"]) if row["stage"] else None
    observed = json.loads(row["observed"])
    mapping = json.loads(row["header_mapping"] or "null")
    return ImportWork(*row)._replace(
        retry=retry, observed=observed, stage=stage, header_mapping=mapping
    )


async def is_cancelled(db: Connection, import_id: int) -> bool:
    """Tell whether a client has asked to cancel an import."""
    sql = "SELECT cancel_requested_at IS NOT NULL FROM imports WHERE id = $1"
    return bool(await db.fetchval(sql, import_id))


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
    header: Sequence[str],
    told: int = 0,
    encoding: str | None = None,
    delimiter: str | None = None,
    warnings: Sequence[Mapping[str, Any]] = (),
    observed: Mapping[str, Sequence[str]] = MappingProxyType({}),
    stage: Stage | None,
) -> ImportEnd | None:
    """Record that the file's rows wait in chunks; without any, end the import.

    Args:
        rows: how many rows wait.
        told: how many more rows have their results already.
        warnings: remarks on the file as a whole.
        observed: what its columns have shown, by name.
        stage: `PLAN` if the rows are to be planned first.
    """
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, total = $2,
          pending = $3, header = $4, encoding = $5, delimiter = $6, warnings = $7, observed = $8,
          stage = $9, {_end_without("$3")}, {TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    notes = json.dumps(list(warnings)), json.dumps(dict(observed))
    row = await db.fetchrow(
        sql, import_id, rows + told, rows, header, encoding, delimiter, *notes, stage
    )
    return await conclude(db, row)


async def finish_retry_split(
    db: Connection, import_id: int, *, rows: int, stage: Stage | None
) -> ImportEnd | None:
    """Record that the failed rows wait in chunks; without any, end the import again.

    Args:
        stage: as `finish_split` takes it.
    """
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, pending = $2,
          retry = CASE WHEN $3::text IS NULL THEN NULL ELSE retry END, stage = $3,
          {_end_without("$2")}, {TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    return await conclude(db, await db.fetchrow(sql, import_id, rows, stage))


def _end_without(rows: str) -> str:
    """End the import if no row waits; otherwise the last chunk ends it.

    `_end_without("$3")` is `status = CASE WHEN $3 > 0 THEN status ELSE … END, finished_at = …`.
    """
    return (
        f"status = CASE WHEN {rows} > 0 THEN status ELSE {FINAL_STATUS} END,"
        f" finished_at = CASE WHEN {rows} > 0 THEN NULL ELSE clock_timestamp() END"
    )


async def keep_header(db: Connection, import_id: int, header: Sequence[str]) -> None:
    """Keep the names of a file's columns, with which the API shows results of its rows."""
    await db.execute("UPDATE imports SET header = $2 WHERE id = $1", import_id, header)


async def count_first(db: Connection, import_id: int, failed: int) -> None:
    """Count rows that have failed before the file was cut."""
    await db.execute(
        f"UPDATE imports SET failed = failed + $2, {TOUCH} WHERE id = $1", import_id, failed
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
            AND stage IS NULL AND status IN ('QUEUED', 'PROCESSING'))
    """
    await db.execute(delete_rows, import_id, row_key(import_id, 0), row_key(import_id + 1, 0))
    end = f"""
        UPDATE imports SET errors = $2, total = coalesce(total, 0), retry = NULL,
          split_attempts = 0, {TOUCH},
          failed = CASE WHEN retry IS NULL THEN 0 ELSE failed END,
          status = {FINAL_STATUS}, finished_at = clock_timestamp()
        WHERE id = $1 AND split_at IS NULL AND status IN ('QUEUED', 'PROCESSING') {RETURNING_END}
    """
    return await conclude(db, await db.fetchrow(end, import_id, json.dumps(list(errors))))


class Counted(NamedTuple):
    """What the results of a chunk have brought an import to.

    Args:
        end: its end, if no row waits any more.
        is_planned: whether no row waits any more to be planned.
    """

    end: ImportEnd | None
    is_planned: bool


async def count(db: Connection, import_id: int, tally: Tally, *, done: int) -> Counted:
    """Add a chunk's results to the import, and end it with the last of its rows.

    The update locks the import's row, so of two last chunks exactly one brings `pending` to zero.
    The last row of a plan ends the plan alone: the import waits to be cut, as before its first row.

    Args:
        tally: those of a retry less what they replace.
        done: how many rows the chunk had.
    """
    # Passed, failed, cancelled are $3 to $5, then come the outcomes.
    # The right sides see the row as it was: `pending > $2` means that rows are left.
    is_planned = "pending <= $2 AND stage IS NOT DISTINCT FROM 'PLAN'"
    sql = f"""
        UPDATE imports SET pending = pending - $2, passed = passed + $3, failed = failed + $4,
          cancelled = cancelled + $5, created = created + $6, updated = updated + $7,
          removed = removed + $8, unchanged = unchanged + $9,
          group_removals = group_removals + $10,
          stage = CASE WHEN {is_planned} THEN 'PLANNED' ELSE stage END,
          split_at = CASE WHEN {is_planned} THEN NULL ELSE split_at END,
          retry = CASE WHEN pending > $2 OR {is_planned} THEN retry END,
          notified_at = CASE WHEN {is_planned} THEN clock_timestamp() ELSE notified_at END,
          status = CASE WHEN pending > $2 OR {is_planned} THEN status
            WHEN cancelled + $5 > 0 THEN 'CANCELLED'
            WHEN passed + $3 = 0 THEN 'FAILED' ELSE 'PROCESSED' END,
          finished_at = CASE WHEN pending > $2 OR {is_planned} THEN NULL
            ELSE clock_timestamp() END, rows_per_second = {_SPEED}, {TOUCH}
        WHERE id = $1 {RETURNING_END}, stage
    """
    counts = [*tally.statuses, *tally.outcomes, *tally.removals]
    row = await db.fetchrow(sql, import_id, done, *counts)
    return Counted(await conclude(db, row), row["stage"] == Stage.PLANNED)


async def request_cancel(db: Connection, app_id: int, import_id: int, *, by: Actor) -> CancelResult:
    """Ask that no more rows of the import are run; those that wait end as cancelled.

    The caller opens the transaction. Workers end the import when they come to its waiting chunks.
    """
    sql = f"""
        UPDATE imports SET cancel_requested_at = coalesce(cancel_requested_at, now()),
          status = CASE status WHEN 'HELD' THEN 'PROCESSING' ELSE status END, hold = NULL, {TOUCH}
        WHERE app_id = $1 AND id = $2 AND status IN ('QUEUED', 'PROCESSING', 'HELD')
        RETURNING name
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
        "SELECT name, status, coalesce(header, '{}') AS header, failed, purged_at, is_atomic,"
        " undo_of_id IS NOT NULL AS is_undo, header_mapping FROM imports"
        " WHERE app_id = $1 AND id = $2 FOR UPDATE",
        app_id,
        import_id,
    )
    if row is None:
        return None
    mapping = json.loads(row["header_mapping"] or "null")
    converted = {"status": ImportStatus(row["status"]), "header_mapping": mapping}
    return ImportToRetry(**{**row, **converted})


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
              stage = NULL, released_at = NULL,
              cancel_requested_at = NULL, retry = $2, errors = '[]', notified_at = now(), {TOUCH}
            WHERE id = $1
        """
        await db.execute(sql, import_id, json.dumps(retry))
    except asyncpg.UniqueViolationError:
        return False
    return True
