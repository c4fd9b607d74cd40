"""Plans: what an import's rows would change, and how a plan that is carried out moves on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import orjson

from models.import_end import conclude
from models.imports import RETURNING_END, ImportStatus
from models.last_changes import Touched
from models.progress import FINAL_STATUS, TOUCH
from models.row import RowOutcome, RowStatus, packed_changes, row_key, row_number
from models.webhook import WebhookEvent, enqueue_deliveries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Connection

    from models.imports import ImportEnd, Stage
    from models.row import RowResult

Signature: TypeAlias = tuple[Any, ...]
"""What a row comes to: its outcome, and both sides of all that it changes. Two are equal where a
row does in the end just what it would have done."""

_ROWS_AT_ONCE = 5_000
# How many values tell what a row comes to that changes one assignment, or nothing.
_PLAIN = 5
PLANNED_LINE = """
    cells || CASE
      WHEN outcome IS NULL THEN ''
      WHEN edits IS NULL
        THEN E'\\t' || json_build_array(outcome, case_id, user_id, before, after)
      ELSE E'\\t'
        || json_build_array(outcome, case_id, user_id, before, after, edits, edit_count)
      END
"""
"""What a row of `import_rows` says of itself in the payload of a chunk that carries out a plan: its
cells and, unless it has failed, its outcome and what it changes.

Nearly every row changes one assignment, and has no `edits` at the end:

    ["trv-001","jack-001","","staff","0"]→[1, 7, 6, null, 3]
"""


class StoredPlan(NamedTuple):
    """A dry run as `request_apply` needs it."""

    is_dry_run: bool
    is_atomic: bool
    status: ImportStatus
    passed: int
    failed: int
    purged_at: datetime | None


class HeldImport(NamedTuple):
    """An import as `request_release` needs it.

    Args:
        code: why it is held, if it is.
        is_uploader: whether the token is the one that has uploaded it.
        has_retried: whether the token has let rows of it run again.
    """

    name: str
    code: str | None
    is_uploader: bool
    has_retried: bool


class Hold(NamedTuple):
    """Why an import is held."""

    code: str
    message: str


def signature_of(result: RowResult) -> Signature:
    _, _, _, outcome, _, _, _, edits, others, _ = result
    return _signature(outcome, packed_changes(outcome, edits, others))


def _signature(outcome: int | None, changes: Sequence[Any]) -> Signature:
    """Compare what rows store: nearly all change one assignment, and need no more than numbers.

    Args:
        changes: as `packed_changes` returns them.
    """
    case_id, user_id, before, after, edits, edit_count = changes
    if edits is None:
        return outcome, case_id, user_id, before, after
    sides = orjson.loads(edits)
    if edit_count is None:
        return outcome, *_lasting(case_id, user_id, *sides)
    return outcome, sides["assignments"], [_lasting(*each) for each in sides["others"]]


def _lasting(
    case_id: int | None, user_id: int | None, before: Any, after: Any, record: str | None = None
) -> Signature:
    """Leave out the keys of what is created: it has another one each time, or none yet."""
    if record is not None:
        return case_id, user_id, before, after, record
    return (None, None, before, after) if before is None else (case_id, user_id, before, after)


def touched_by(signature: Signature) -> Touched:
    """Return what a planned row is about first."""
    _, first, second, *rest = signature
    if isinstance(first, list):
        first, second, *rest = next(iter([*first, *second]))
    # Both sides, and behind them what tells a plugin's own record from others.
    return Touched(first, second, rest[2] if len(rest) > 2 else None)


def created_by(signature: Signature | None) -> Mapping[str, Any] | None:
    """Return the fields of the case or user that a planned row creates, if it does just that."""
    match signature:
        case (_, None, None, None, dict() as fields):
            return fields
    return None


def unpack_plans(packed: Iterable[bytes]) -> list[Signature]:
    """Read what `PLANNED_LINE` says of rows behind their cells: what they have to come to."""
    # One array of arrays: a call of orjson for each would take twice as long.
    plans = orjson.loads(b"[%b]" % b",".join(packed))
    return [tuple(plan) if len(plan) == _PLAIN else _signature(plan[0], plan[1:]) for plan in plans]


class StoredPlanRow(NamedTuple):
    """A row of a plan, as it is stored.

    Args:
        number: negative for a row that is only context.
        cells: as JSON.
        line: as `PLANNED_LINE` makes it.
    """

    number: int
    cells: str
    line: str


async def planned_page(
    db: Connection, plan_id: int, *, after: int, most: int, is_own: bool, has_context: bool = False
) -> list[StoredPlanRow]:
    """Read the next rows of a plan; none at the end.

    Args:
        after: number of the last row of the page before, or 0.
        most: bytes of the page's cells, its last row not counted.
        is_own: whether the plan is that of the import itself, of which other rows may have been
            applied before.
        has_context: read the import's other rows too, with negative numbers.
    """
    is_planned = planned_condition(is_own=is_own)
    # As in `failed_page`, the size *before* a row is compared, so that each page has a row.
    sql = f"""
        SELECT id, is_it, cells, {PLANNED_LINE} FROM (
          SELECT *, coalesce({is_planned}, false) AS is_it,
            sum(octet_length(cells::text)) OVER before AS size_before
          FROM import_rows
          WHERE id > $1 AND id < $2 {"" if has_context else f"AND {is_planned}"}
          WINDOW before AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
          ORDER BY id LIMIT $3) page
        WHERE size_before IS NULL OR size_before < $4
        ORDER BY id
    """
    first, end = row_key(plan_id, after), row_key(plan_id + 1, 0)
    rows = await db.fetch(sql, first, end, _ROWS_AT_ONCE, most)
    return [
        StoredPlanRow(row_number(key) if is_it else -row_number(key), cells, line)
        for key, is_it, cells, line in rows
    ]


async def has_changes(db: Connection, plan_id: int, *, is_own: bool) -> bool:
    """Tell whether a plan would change anything."""
    sql = f"""
        SELECT EXISTS (SELECT 1 FROM import_rows
          WHERE id > $1 AND id < $2 AND outcome <> 4 AND {planned_condition(is_own=is_own)})
    """
    return bool(await db.fetchval(sql, row_key(plan_id, 0), row_key(plan_id + 1, 0)))


def planned_condition(*, is_own: bool) -> str:
    return "status = 1 AND is_planned" if is_own else "status = 1"


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


async def finish_plan_split(
    db: Connection, import_id: int, *, rows: int, stage: Stage | None
) -> ImportEnd | None:
    """Record that the rows of a plan wait in chunks; without any, end the import.

    Args:
        stage: what is to be done with them; None where the plan is another import.
    """
    await _uncount_planned(db, import_id)
    sql = f"""
        UPDATE imports SET split_at = clock_timestamp(), split_attempts = 0, pending = $2,
          total = coalesce(total, $2), stage = $3, retry = CASE WHEN $2 > 0 THEN retry END,
          status = CASE WHEN $2 > 0 THEN status ELSE {FINAL_STATUS} END,
          finished_at = CASE WHEN $2 > 0 THEN NULL ELSE clock_timestamp() END, {TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    return await conclude(db, await db.fetchrow(sql, import_id, rows, stage))


async def end_planned(
    db: Connection, import_id: int, status: RowStatus, error: Mapping[str, Any] | None = None
) -> ImportEnd | None:
    """End an import whose plan is not carried out: its planned rows are cancelled, or have failed.

    Args:
        error: why they have failed.
    """
    await _uncount_planned(db, import_id)
    return await end_whole(db, import_id, status, error)


async def end_whole(
    db: Connection,
    import_id: int,
    status: RowStatus,
    error: Mapping[str, Any] | None = None,
    *,
    others: int = 0,
) -> ImportEnd | None:
    """End an import of which nothing is applied, and whose planned rows are not counted any more.

    Args:
        error: why they have failed.
        others: how many more rows come to the same; their results are written.
    """
    rows = await _end_planned_rows(db, import_id, status, error)
    column = "failed" if status is RowStatus.FAILED else "cancelled"
    return await _end(db, import_id, f"{column} = {column} + $2", rows + others)


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
          stage = NULL, retry = NULL, status = {FINAL_STATUS}, finished_at = clock_timestamp(),
          {TOUCH}
        WHERE id = $1 {RETURNING_END}
    """
    return await conclude(db, await db.fetchrow(sql, import_id))


async def _uncount_planned(db: Connection, import_id: int) -> None:
    """Take the rows that are only planned off the import's counters."""
    sql = """
        SELECT outcome, count(*) AS rows,
          coalesce(sum((edits::json ->> 'removals')::int) FILTER (WHERE edit_count > 1), 0) AS more
        FROM import_rows WHERE id > $1 AND id < $2 AND is_planned GROUP BY outcome
    """
    found = await db.fetch(sql, row_key(import_id, 0), row_key(import_id + 1, 0))
    rows = {each["outcome"]: each["rows"] for each in found}
    counts = [rows.get(outcome, 0) for outcome in RowOutcome]
    await db.execute(
        """
        UPDATE imports SET passed = passed - $2, created = created - $3, updated = updated - $4,
          removed = removed - $5, unchanged = unchanged - $6, group_removals = group_removals - $7
        WHERE id = $1
        """,
        import_id,
        sum(counts),
        *counts,
        sum(each["more"] for each in found),
    )


async def lock_plan(db: Connection, app_id: int, import_id: int) -> StoredPlan | None:
    """Lock an import until the transaction ends."""
    row = await db.fetchrow(
        "SELECT is_dry_run, is_atomic, status, passed, failed, purged_at FROM imports"
        " WHERE app_id = $1 AND id = $2 FOR UPDATE",
        app_id,
        import_id,
    )
    return StoredPlan(**{**row, "status": ImportStatus(row["status"])}) if row else None


async def lock_held(
    db: Connection, app_id: int, import_id: int, token_id: int | None
) -> HeldImport | None:
    """Lock an import until the transaction ends.

    Args:
        token_id: the token that is to release it.
    """
    # A token that corrects rows decides about them like the one that uploads them.
    sql = """
        SELECT name, CASE WHEN status = 'HELD' THEN hold ->> 'code' END,
          token_id IS NOT DISTINCT FROM $3, EXISTS (
            SELECT 1 FROM audit_events e
            WHERE e.app_id = $1 AND e.target_id = $2
              AND e.action = 'IMPORT_RETRIED' AND e.token_id IS NOT DISTINCT FROM $3)
        FROM imports WHERE app_id = $1 AND id = $2 FOR UPDATE
    """
    row = await db.fetchrow(sql, app_id, import_id, token_id)
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


async def hold(db: Connection, import_id: int, why: Hold) -> bool:
    """Hold an import until it is released or cancelled, and tell webhooks of it.

    Returns:
        False if it has been cancelled already.
    """
    sql = f"""
        UPDATE imports SET status = 'HELD', split_attempts = 0, {TOUCH},
          hold = jsonb_build_object('code', $2::text, 'message', $3::text, 'since', now())
        WHERE id = $1 AND cancel_requested_at IS NULL
    """
    if await db.execute(sql, import_id, *why) == "UPDATE 0":
        return False
    await enqueue_deliveries(db, import_id, WebhookEvent.IMPORT_HELD)
    return True
