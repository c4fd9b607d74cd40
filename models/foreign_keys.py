"""Foreign keys of many new rows, checked at once.

PostgreSQL looks up each reference of each row in a trigger, which takes longer than all else that
it does for an assignment. One query finds what thousands of rows refer to.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from asyncpg import Connection

# For fewer rows, two more statements cost more than the triggers.
_FEWEST_ROWS = 1_000
# The bit of `pg_trigger.tgtype` that says INSERT.
_TRIGGER_ON_INSERT = 4


@asynccontextmanager
async def checked_at_once(
    db: Connection, table: str, rows: int, references: Mapping[str, Collection[int]]
) -> AsyncIterator[None]:
    """Check the references of rows that are inserted in this block of a transaction.

    As PostgreSQL does for each row, this makes sure that what they refer to exists, and locks it
    against deletion until the transaction ends. Then it switches the triggers off that would do so
    again. The triggers stay on when a reference leads nowhere, so that the error is PostgreSQL's
    own; when the rows are few; when the table has any other trigger for new rows; and when the
    database's user has no right to SET `session_replication_role`. Otherwise it sends:

        WITH held AS (
          SELECT FROM unnest($1::bigint[]) AS k(id) JOIN cases t USING (id)
          ORDER BY t.id FOR KEY SHARE OF t)
        SELECT count(*) FROM held;
        SET LOCAL session_replication_role = replica;
        COPY assignments …;
        SET LOCAL session_replication_role TO DEFAULT

    Args:
        rows: how many will be inserted.
        references: for each table that the new rows refer to by a foreign key, the ids.
    """
    if (
        rows < _FEWEST_ROWS
        or not await _can_skip_triggers(db, table, references)
        or not all([await _lock_referenced(db, name, set(ids)) for name, ids in references.items()])
    ):
        yield
        return
    await db.execute("SET LOCAL session_replication_role = replica")
    yield
    # After an error the transaction, or the savepoint, takes the setting back.
    await db.execute("SET LOCAL session_replication_role TO DEFAULT")


async def _can_skip_triggers(db: Connection, table: str, tables: Collection[str]) -> bool:
    """Tell whether new rows trigger nothing but the checks of foreign keys to those tables."""
    sql = """
        SELECT has_parameter_privilege('session_replication_role', 'SET') AND NOT EXISTS (
          SELECT FROM pg_trigger t LEFT JOIN pg_constraint c ON c.oid = t.tgconstraint
          WHERE t.tgrelid = $1::text::regclass AND t.tgtype & $2 > 0
            AND (c.contype = 'f' AND c.confrelid = ANY($3::text[]::regclass[])) IS NOT TRUE)
    """
    return bool(await db.fetchval(sql, table, _TRIGGER_ON_INSERT, list(tables)))


async def _lock_referenced(db: Connection, table: str, ids: Collection[int]) -> bool:
    """Lock these rows against deletion until the transaction ends; False when some are missing.

    In the order of the keys, so that two transactions can't deadlock.
    """
    # KEY SHARE waits for deletions and changes of keys alone, so chunks of the same cases don't
    # wait for each other.
    sql = f"""
        WITH held AS (
          SELECT FROM unnest($1::bigint[]) AS k(id) JOIN {table} t USING (id)
          ORDER BY t.id FOR KEY SHARE OF t)
        SELECT count(*) FROM held
    """
    held = await db.fetchval(sql, list(ids))
    return bool(held == len(ids))


async def refuse_references(db: Connection, app_id: int, table: str, ids: Collection[int]) -> None:
    """Let no other transaction insert what refers to these rows until this one ends.

        SELECT FROM unnest('{1,2}'::bigint[]) AS k(id) JOIN users t USING (id)
        WHERE t.app_id = 1 ORDER BY t.id FOR UPDATE OF t

    Every check of a foreign key locks the row that is referred to FOR KEY SHARE until its
    transaction ends, which FOR UPDATE waits for, and keeps out. In the order of the keys, so that
    two transactions can't deadlock.
    """
    sql = f"""
        SELECT FROM unnest($2::bigint[]) AS k(id) JOIN {table} t USING (id)
        WHERE t.app_id = $1 ORDER BY t.id FOR UPDATE OF t
    """
    await db.execute(sql, app_id, list(ids))
