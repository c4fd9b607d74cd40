"""Undo: what an import has changed, newest first, and the import that takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.audit import Action, record
from models.imports import ImportStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from datetime import datetime

    from asyncpg import Connection, Record

    from models.audit import Actor
    from models.new_import import NewName
    from models.write_one import Table

_ROWS_AT_ONCE = 5_000
# The cells of a case or a user: the Tag ID, or else the API's `id`.
_NAME = "to_json(coalesce({0}.tag_id, encode(('{1}:' || {0}.id)::bytea, 'base64')))"
# Those of a role and a flag; blank where there is no assignment.
_SIDE = """coalesce(to_json({0}.key) || ',"' || {1}::int || '"', '"",""')"""
INVERSE_ROWS = f"""
    SELECT number, '["assignment",' || {_NAME.format("c", "Case")} || ','
      || {_NAME.format("u", "User")} || ',' || {_SIDE.format("b", "before_notify")} || ','
      || {_SIDE.format("a", "after_notify")} || ',"","","",""]' AS cells
    FROM (
      SELECT *, row_number() OVER (ORDER BY last DESC) + 1 AS number FROM (
        SELECT case_id, user_id, max(id) AS last,
          (array_agg(before_role_id ORDER BY id DESC) FILTER (WHERE begins))[1] AS before_role_id,
          (array_agg(before_notify ORDER BY id DESC) FILTER (WHERE begins))[1] AS before_notify,
          (array_agg(after_role_id ORDER BY id DESC))[1] AS after_role_id,
          (array_agg(after_notify ORDER BY id DESC))[1] AS after_notify
        FROM (
          SELECT *, lead(id) OVER same IS NULL OR (before_role_id, before_notify)
            IS DISTINCT FROM (lead(after_role_id) OVER same, lead(after_notify) OVER same) AS begins
          FROM assignment_history WHERE import_id = {{0}}
          WINDOW same AS (PARTITION BY case_id, user_id ORDER BY id DESC)) steps
        GROUP BY case_id, user_id) both_sides
      WHERE (before_role_id, before_notify) IS DISTINCT FROM (after_role_id, after_notify)) h
    JOIN cases c ON c.id = case_id JOIN users u ON u.id = user_id
    LEFT JOIN roles b ON b.id = before_role_id LEFT JOIN roles a ON a.id = after_role_id
"""
"""A query of the rows that take back an import's changes of assignments, newest change first.

`cells` are those of a row of `UndoImport`, as JSON; numbers begin below a header, as in a file. An
assignment that the import has changed several times, as a retry may, comes once: as it was before
the first change, and as it was after the last. What others have changed in between stays: then it
comes as it was before the first change after theirs.
"""


class ImportToUndo(NamedTuple):
    """An import that may be undone.

    Args:
        has_history: whether it has changed anything, as far as is known.
        is_reversible: whether any of that can be taken back.
    """

    name: str
    status: ImportStatus
    is_dry_run: bool
    finished_at: datetime | None
    is_too_old: bool
    has_history: bool
    is_reversible: bool
    undone_by: str | None


async def read_to_undo(
    db: Connection, app_id: int, import_id: int, *, within_days: int, lock: bool = False
) -> ImportToUndo | None:
    """Read an import that may be undone.

    Args:
        lock: lock it until the transaction ends.
        within_days: how long after its end an import can be undone; 0: for ever.
    """
    if lock:
        # A statement of its own: one that waits for a lock sees other rows as they were before.
        lock_it = "SELECT 1 FROM imports WHERE app_id = $1 AND id = $2 FOR UPDATE"
        await db.execute(lock_it, app_id, import_id)
    # An undo does not take back what a retry has changed after it.
    sql = """
        SELECT name, status, is_dry_run, finished_at,
          $3::int > 0 AND coalesce(finished_at < now() - $3::int * interval '1 day', false),
          has_assignments OR EXISTS (SELECT 1 FROM entity_history WHERE import_id = $2),
          has_assignments OR EXISTS (SELECT 1 FROM entity_history
            WHERE import_id = $2 AND (before IS NOT NULL OR after IS NOT NULL)
              AND (record IS NULL OR kind IS NOT NULL)),
          (SELECT u.name FROM imports u WHERE u.undo_of_id = $2 AND NOT u.is_dry_run
             AND u.status NOT IN ('FAILED', 'CANCELLED') AND u.created_at > imports.finished_at
             ORDER BY u.id LIMIT 1)
        FROM imports, LATERAL (
          SELECT EXISTS (SELECT 1 FROM assignment_history WHERE import_id = $2)) h(has_assignments)
        WHERE app_id = $1 AND id = $2
    """
    row = await db.fetchrow(sql, app_id, import_id, within_days)
    return ImportToUndo(*row)._replace(status=ImportStatus(row["status"])) if row else None


async def is_undone(db: Connection, import_id: int) -> bool:
    """Tell whether an import was ever undone, perhaps in part."""
    sql = """
        SELECT EXISTS (SELECT 1 FROM imports
          WHERE undo_of_id = $1 AND NOT is_dry_run AND status <> 'FAILED')
    """
    return bool(await db.fetchval(sql, import_id))


async def insert_undo(
    db: Connection, app_id: int, import_id: int, new: NewName, *, is_dry_run: bool, by: Actor
) -> int | None:
    """Create the import that undoes another one; to be run in a transaction.

    Returns None when a running import has the name, or any has the idempotency key.
    """
    sql = """
        INSERT INTO imports (app_id, token_id, type, name, source, is_dry_run, idempotency_key,
          file_name, file_size, file_sha256, undo_of_id)
        SELECT app_id, $3, 'undo', coalesce($4, left(name, 180) || ' ' || coalesce($6, '(undone)')),
          source, $7, $5, file_name, 0, '', id
        FROM imports WHERE app_id = $1 AND id = $2
        ON CONFLICT DO NOTHING RETURNING id, name
    """
    row = await db.fetchrow(sql, app_id, import_id, by.token_id, *new, is_dry_run)
    if row is None:
        return None
    await record(db, app_id, by, Action.IMPORT_UNDONE, row["id"], name=row["name"])
    return int(row["id"])


class RequestedUndo(NamedTuple):
    """An import that undoes another one."""

    id: int
    undo_of_id: int
    is_dry_run: bool

    def repeats(self, import_id: int, *, is_dry_run: bool) -> bool:
        """Tell whether a request asks for this undo once more."""
        return (self.undo_of_id, self.is_dry_run) == (import_id, is_dry_run)


async def find_undo(db: Connection, app_id: int, idempotency_key: str) -> RequestedUndo | None:
    """Find the undo that has an idempotency key."""
    sql = """
        SELECT id, undo_of_id, is_dry_run FROM imports
        WHERE app_id = $1 AND idempotency_key = $2 AND undo_of_id IS NOT NULL
    """
    row = await db.fetchrow(sql, app_id, idempotency_key)
    return RequestedUndo(*row) if row else None


async def read_inverse_cells(db: Connection, import_id: int) -> AsyncIterator[list[str]]:
    """Read the rows that take back an import's changes of assignments, each as JSON."""
    sql = f"{INVERSE_ROWS.format('$1')} ORDER BY number"
    async for rows in _pages(db, sql, import_id):
        yield [cells for _, cells in rows]


async def read_changed_entities(db: Connection, import_id: int) -> AsyncIterator[list[Record]]:
    """Read which cases, users and records of plugins an import has changed, newest first.

    Each comes once, with all its changes.
    """
    sql = """
        SELECT h.case_id, h.user_id, c.tag_id AS case_tag, u.tag_id AS user_tag, befores, afters,
          record, kind
        FROM (
          SELECT case_id, user_id, record, kind, max(id) AS last,
            array_agg(before ORDER BY id) AS befores, array_agg(after ORDER BY id) AS afters
          FROM entity_history WHERE import_id = $1
          GROUP BY case_id, user_id, record, kind,
            CASE WHEN coalesce(case_id, user_id) IS NULL AND record IS NULL THEN id END) h
        LEFT JOIN cases c ON c.id = h.case_id LEFT JOIN users u ON u.id = h.user_id
        ORDER BY h.last DESC
    """
    async for rows in _pages(db, sql, import_id):
        yield rows


async def _pages(db: Connection, sql: str, import_id: int) -> AsyncIterator[list[Record]]:
    """Read the rows of a statement some thousand at a time, within a transaction."""
    cursor = await db.cursor(sql, import_id)
    while rows := await cursor.fetch(_ROWS_AT_ONCE):
        yield rows


class Use(NamedTuple):
    """An assignment of a case or a user: which row of which import has created it, if one has."""

    import_name: str | None
    row: int | None


async def find_used(db: Connection, table: Table, ids: Collection[int]) -> dict[int, Use]:
    """Return those of some cases, or users, that have assignments, each with one of them."""
    column = f"{table[:-1]}_id"
    sql = f"""
        SELECT k.id, i.name, a.created_row FROM unnest($1::bigint[]) AS k(id)
        CROSS JOIN LATERAL (
          SELECT created_import_id, created_row FROM assignments
          WHERE {column} = k.id LIMIT 1) a
        LEFT JOIN imports i ON i.id = a.created_import_id
    """
    return {row["id"]: Use(*row[1:]) for row in await db.fetch(sql, list(ids))}
