"""Groups of failed rows: those with the same error at the same cell, counted together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.row import row_key

if TYPE_CHECKING:
    from asyncpg import Connection

MOST_GROUPS = 10_000
"""Groups that are kept of an import, the largest ones."""

EARLY_ROWS = 5_000
"""Rows of a running import that are grouped: the first that have failed."""

_MOST_RANGES = 20
_LOCK = "caseroll groups"
# A row that has failed only as others have.
_NOT_AT_FAULT = "hash_record_extended(ROW('NOT_APPLIED'::text, NULL::text, NULL::text), 0)"
# 64 bits: of a million different errors, two have the same key once in forty million imports.
_KEY = "hash_record_extended(ROW(e ->> 'code', e ->> 'column', e ->> 'value'), 0)"


class ErrorGroup(Model):
    """The failed rows of an import that have the same code at the same column and value.

    The key packs the import and the group's rank, the largest first, as that of `ImportRow` packs
    the row's number. Rows of an atomic import that only say that others have failed come last.
    Groups are made once an import has ended, and hold while `imports.grouped_at` is the
    `finished_at` of that end: no row changes until a retry.

    `error` is that of the group's first row, as it is stored there.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    error: dict[str, Any] = fields.JSONField()
    count = fields.IntField()
    first_row = fields.IntField()
    rows: list[str] = ArrayField(element_type="text")

    class Meta:
        table = "error_groups"


def groups_sql(app_id: int, import_id: int, most_rows: int | None = None) -> str:
    """Return the query for the groups of an import, as `error_groups` has them.

    Its numbers are constants, so that it can stand for a table. It joins nothing: PostgreSQL does
    not know how many groups there are, and would compare each with each. A row's key less its place
    in its group is the same for the rows of a run.

        WITH found AS (SELECT r.id, e.key …),                             -- one a row and error
          placed AS (SELECT key, id, id - row_number() OVER each AS run, …),
          runs AS (SELECT key, min(id) AS first, max(id) AS last, …),     -- one a range
          largest AS (SELECT key, count, array_agg(…) AS rows, …)         -- one a group
        SELECT … FROM largest

    Args:
        most_rows: how many failed rows are grouped, the first ones; None for all.
    """
    start, end = row_key(import_id, 0), row_key(import_id + 1, 0)
    limit = "" if most_rows is None else f"LIMIT {most_rows:d}"
    return f"""
        WITH failed AS (
          SELECT id, errors FROM import_rows
          WHERE id > {start:d} AND id < {end:d} AND app_id = {app_id:d} AND status = 2
          ORDER BY id {limit}),
        found AS (
          SELECT r.id, e.key FROM failed r,
            LATERAL (SELECT DISTINCT {_KEY} AS key FROM jsonb_array_elements(r.errors) e) e),
        placed AS (
          SELECT key, id, id - row_number() OVER each AS run,
            count(*) OVER (PARTITION BY key) AS count
          FROM found WINDOW each AS (PARTITION BY key ORDER BY id)),
        runs AS (
          SELECT key, count, min(id) - {start:d} AS first, max(id) - {start:d} AS last,
            row_number() OVER (PARTITION BY key ORDER BY min(id)) AS place
          FROM placed GROUP BY key, count, run),
        largest AS (
          SELECT key, count, min(first) AS first,
            array_agg(CASE WHEN first < last THEN first || '-' || last
              ELSE first::text END ORDER BY first) AS rows,
            row_number() OVER (
              ORDER BY key = {_NOT_AT_FAULT}, count DESC, min(first), key) AS rank
          FROM runs WHERE place <= {_MOST_RANGES} GROUP BY key, count
          ORDER BY rank LIMIT {MOST_GROUPS})
        SELECT {start:d} + rank AS id, {app_id:d}::bigint AS app_id, (
            SELECT e FROM import_rows r, jsonb_array_elements(r.errors) e
            WHERE r.id = {start:d} + l.first AND {_KEY} = l.key LIMIT 1) AS error,
          count, first AS first_row, rows
        FROM largest l
    """


async def group_errors(db: Connection, app_id: int, import_id: int) -> None:
    """Store the groups of an import that has ended, unless they are stored already.

    The caller opens the transaction.
    """
    # Of two that come at the same moment, the second one waits, and finds them. A million rows take
    # longer than locks may otherwise.
    await db.execute("SET LOCAL lock_timeout = '25s'")
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", _LOCK, import_id)
    ended = await db.fetchval(
        "SELECT finished_at FROM imports WHERE id = $1 AND app_id = $2"
        " AND finished_at IS NOT NULL AND grouped_at IS DISTINCT FROM finished_at",
        import_id,
        app_id,
    )
    if ended is None:
        return
    await db.execute(
        "DELETE FROM error_groups WHERE id > $1 AND id < $2",
        row_key(import_id, 0),
        row_key(import_id + 1, 0),
    )
    columns = "id, app_id, error, count, first_row, rows"
    await db.execute(f"INSERT INTO error_groups ({columns}) {groups_sql(app_id, import_id)}")
    # A retry that was asked for meanwhile has taken `finished_at` away: the groups do not hold.
    await db.execute(
        "UPDATE imports SET grouped_at = $2 WHERE id = $1 AND finished_at = $2", import_id, ended
    )
