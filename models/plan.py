"""Plans: what an import's rows would change, and how a plan that is carried out moves on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from models.import_end import conclude
from models.imports import RETURNING_END, ImportStatus
from models.progress import FINAL_STATUS, TOUCH
from models.row import RowOutcome, RowResult, RowStatus, changes_of, row_key, row_number
from models.webhook import WebhookEvent, enqueue_deliveries

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from asyncpg import Connection

    from models.imports import ImportEnd

Signature: TypeAlias = tuple[Any, ...]
"""What a row comes to: its outcome, and both sides of all that it changes. Two are equal where a
row does in the end just what it would have done."""

_ROWS_AT_ONCE = 5_000


class StoredPlan(NamedTuple):
    """A dry run as `request_apply` needs it."""

    is_dry_run: bool
    status: ImportStatus
    passed: int
    purged_at: datetime | None


class HeldImport(NamedTuple):
    """An import as `request_release` needs it; `code` says why it is held, if it is."""

    name: str
    token_id: int | None
    code: str | None


class Hold(NamedTuple):
    """Why an import is held."""

    code: str
    message: str


def signature_of(result: RowResult) -> Signature:
    # What is created has another key each time, or none yet.
    others = [
        (None, None, edit.before, edit.after) if edit.before is None else edit[1:]
        for edit in result.entity_edits
    ]
    return result.outcome, [edit._replace(row=0) for edit in result.edits], others


async def read_plan(
    db: Connection, import_id: int, numbers: Collection[int]
) -> dict[int, Signature]:
    """Read what rows have come to when they were planned, by their numbers."""
    sql = """
        SELECT id, outcome, case_id, user_id, before, after, edits
        FROM unnest($1::bigint[]) AS k(id) JOIN import_rows USING (id) WHERE status = 1
    """
    rows = await db.fetch(sql, [row_key(import_id, number) for number in numbers])
    return {row_number(row["id"]): signature_of(_planned(row)) for row in rows}


def _planned(row: Mapping[str, Any]) -> RowResult:
    edits, others = changes_of(row)
    outcome = RowOutcome(row["outcome"])
    return RowResult(0, b"", RowStatus.PASSED, outcome, edits=edits, entity_edits=others)


async def planned_page(
    db: Connection, plan_id: int, *, after: int, most: int, is_own: bool
) -> list[tuple[int, list[str]]]:
    """Read the next rows of a plan: their numbers and cells; none at the end.

    Args:
        after: number of the last row of the page before, or 0.
        most: bytes of the page's cells, its last row not counted.
        is_own: whether the plan is that of the import itself, of which other rows may have been
            applied before.
    """
    # As in `failed_page`, the size *before* a row is compared, so that each page has a row.
    sql = f"""
        SELECT id, cells FROM (
          SELECT id, cells, sum(octet_length(cells::text)) OVER before AS size_before
          FROM import_rows
          WHERE id > $1 AND id < $2 AND status = 1 {_planned_condition(is_own)}
          WINDOW before AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
          ORDER BY id LIMIT $3) page
        WHERE size_before IS NULL OR size_before < $4
        ORDER BY id
    """
    first, end = row_key(plan_id, after), row_key(plan_id + 1, 0)
    rows = await db.fetch(sql, first, end, _ROWS_AT_ONCE, most)
    return [(row_number(row["id"]), json.loads(row["cells"])) for row in rows]


def _planned_condition(is_own: bool) -> str:
    return "AND is_planned" if is_own else ""


async def find_untold_row(db: Connection, import_id: int) -> int | None:
    """Return the number of a row that does not say what it would change."""
    # Rows of dry runs that ended before rows said so have nothing at all.
    sql = """
        SELECT id FROM import_rows
        WHERE id > $1 AND id < $2 AND outcome <> 4 AND case_id IS NULL
          AND (edits IS NULL OR edits = '[null,null]' OR edit_count IS NOT NULL
            AND edits::jsonb @? '$.others[*] ? (@[2] == null && @[3] == null)')
        ORDER BY id LIMIT 1
    """
    key = await db.fetchval(sql, row_key(import_id, 0), row_key(import_id + 1, 0))
    return key and row_number(key)


async def finish_plan_split(db: Connection, import_id: int, *, rows: int) -> ImportEnd | None:
    """Record that the rows of a plan wait in chunks to be applied; without any, end the import."""
    await _uncount_planned(db, import_id)
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, pending = $2,
          total = coalesce(total, $2), stage = CASE WHEN stage IS NULL THEN NULL ELSE 'APPLY' END,
          status = CASE WHEN $2 > 0 THEN status ELSE {FINAL_STATUS} END,
          finished_at = CASE WHEN $2 > 0 THEN NULL ELSE clock_timestamp() END, {TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    return await conclude(db, await db.fetchrow(sql, import_id, rows))


async def end_planned(
    db: Connection, import_id: int, status: RowStatus, error: Mapping[str, Any] | None = None
) -> ImportEnd | None:
    """End an import whose plan is not carried out: its planned rows are cancelled, or have failed.

    Args:
        error: why they have failed.
    """
    await _uncount_planned(db, import_id)
    rows = await _end_planned_rows(db, import_id, status, error)
    column = "failed" if status is RowStatus.FAILED else "cancelled"
    return await _end(db, import_id, f"{column} = {column} + $2", rows)


async def fail_whole(
    db: Connection, import_id: int, failed: int, error: Mapping[str, Any]
) -> ImportEnd | None:
    """End an import of which nothing is applied because some rows have failed.

    Args:
        failed: how many; their results are written.
        error: why all others have failed.
    """
    rows = await _end_planned_rows(db, import_id, RowStatus.FAILED, error)
    return await _end(db, import_id, "failed = failed + $2", rows + failed)


async def _end_planned_rows(
    db: Connection, import_id: int, status: RowStatus, error: Mapping[str, Any] | None
) -> int:
    sql = """
        UPDATE import_rows SET status = $3, outcome = NULL, message = NULL, errors = $4,
          case_id = NULL, user_id = NULL, before = NULL, after = NULL, edits = NULL,
          edit_count = NULL, is_planned = NULL
        WHERE id > $1 AND id < $2 AND is_planned
    """
    errors = json.dumps([error]) if error else None
    done = await db.execute(sql, row_key(import_id, 0), row_key(import_id + 1, 0), status, errors)
    return int(done.rpartition(" ")[2])


async def _end(db: Connection, import_id: int, counted: str, rows: int) -> ImportEnd | None:
    """End an import.

    Args:
        counted: SQL that adds the rows, `$2`, to a counter.
    """
    # The right sides of an UPDATE see the row as it was, so the final status takes another one.
    await db.execute(f"UPDATE imports SET {counted} WHERE id = $1", import_id, rows)
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, pending = 0,
          stage = NULL, status = {FINAL_STATUS}, finished_at = clock_timestamp(), {TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    return await conclude(db, await db.fetchrow(sql, import_id))


async def _uncount_planned(db: Connection, import_id: int) -> None:
    """Take the rows that are only planned off the import's counters."""
    sql = """
        SELECT outcome, count(*) FROM import_rows
        WHERE id > $1 AND id < $2 AND is_planned GROUP BY outcome
    """
    found = dict(await db.fetch(sql, row_key(import_id, 0), row_key(import_id + 1, 0)))
    counts = [found.get(outcome, 0) for outcome in RowOutcome]
    await db.execute(
        """
        UPDATE imports SET passed = passed - $2, created = created - $3, updated = updated - $4,
          removed = removed - $5, unchanged = unchanged - $6 WHERE id = $1
        """,
        import_id,
        sum(counts),
        *counts,
    )


async def lock_plan(db: Connection, app_id: int, import_id: int) -> StoredPlan | None:
    """Lock an import until the transaction ends."""
    row = await db.fetchrow(
        "SELECT is_dry_run, status, passed, purged_at FROM imports"
        " WHERE app_id = $1 AND id = $2 FOR UPDATE",
        app_id,
        import_id,
    )
    return StoredPlan(**{**row, "status": ImportStatus(row["status"])}) if row else None


async def lock_held(db: Connection, app_id: int, import_id: int) -> HeldImport | None:
    """Lock an import until the transaction ends."""
    sql = """
        SELECT name, token_id, CASE WHEN status = 'HELD' THEN hold ->> 'code' END AS code
        FROM imports WHERE app_id = $1 AND id = $2 FOR UPDATE
    """
    row = await db.fetchrow(sql, app_id, import_id)
    return HeldImport(*row) if row else None


async def release(db: Connection, import_id: int) -> None:
    """Make a held import wait for workers."""
    sql = f"""
        UPDATE imports SET status = 'PROCESSING', hold = NULL, released_at = now(),
          notified_at = now(), {TOUCH}
        WHERE id = $1
    """
    await db.execute(sql, import_id)


async def read_standing(db: Connection, import_id: int) -> tuple[int, bool]:
    """Return how many rows of an import have failed, and whether it was released."""
    row = await db.fetchrow("SELECT failed, released_at FROM imports WHERE id = $1", import_id)
    return row["failed"], row["released_at"] is not None


async def hold(db: Connection, import_id: int, why: Hold) -> None:
    """Hold an import until it is released or cancelled, and tell webhooks of it."""
    sql = f"""
        UPDATE imports SET status = 'HELD', split_attempts = 0, {TOUCH},
          hold = jsonb_build_object('code', $2::text, 'message', $3::text, 'since', now())
        WHERE id = $1
    """
    await db.execute(sql, import_id, *why)
    await enqueue_deliveries(db, import_id, WebhookEvent.IMPORT_HELD)
