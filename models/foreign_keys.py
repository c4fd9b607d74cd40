"""Foreign keys of many new rows, checked at once.

PostgreSQL looks up what each row refers to by itself, in a trigger, which takes it longer than all
else that it does for an assignment. What thousands of rows refer to is found by one query.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from asyncpg import Connection

_WORTHWHILE = 1_000
_TRIGGER_ON_INSERT = 4


@asynccontextmanager
async def checked_at_once(
    db: Connection, table: str, rows: int, references: Mapping[str, Collection[int]]
) -> AsyncIterator[None]:
    """Check what rows will refer to that are inserted in this block of a transaction.

    It does as PostgreSQL does for each row: what they refer to has to be there, and can't go until
    the transaction ends. Then the triggers that would do so once more are left out. PostgreSQL
    goes on by itself, row by row, when anything is not there, so that the error is its own; when
    the rows are few; when the table has any other trigger for new rows; and when the database's
    user has no right to SET `session_replication_role`.

    Args:
        rows: how many will be inserted.
        references: for each table that the new rows refer to by a foreign key, the ids.
    """
    if (
        rows < _WORTHWHILE
        or not await _may_leave_out(db, table, references)
        or not all([await _hold(db, name, set(ids)) for name, ids in references.items()])
    ):
        yield
        return
    await db.execute("SET LOCAL session_replication_role = replica")
    yield
    # After an error the transaction, or the savepoint, takes the setting back.
    await db.execute("SET LOCAL session_replication_role TO DEFAULT")


async def _may_leave_out(db: Connection, table: str, tables: Collection[str]) -> bool:
    """Tell whether all that new rows trigger is foreign keys to those tables."""
    return bool(
        await db.fetchval(
            """
            SELECT has_parameter_privilege('session_replication_role', 'SET') AND NOT EXISTS (
              SELECT FROM pg_trigger t LEFT JOIN pg_constraint c ON c.oid = t.tgconstraint
              WHERE t.tgrelid = $1::text::regclass AND t.tgtype & $2 > 0
                AND (c.contype = 'f' AND c.confrelid = ANY($3::text[]::regclass[])) IS NOT TRUE)
            """,
            table,
            _TRIGGER_ON_INSERT,
            list(tables),
        )
    )


async def _hold(db: Connection, table: str, ids: Collection[int]) -> bool:
    """Let nobody delete these rows until the transaction ends; False when some are not there."""
    held = await db.fetchval(
        f"""
        WITH held AS (SELECT FROM {table} WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE)
        SELECT count(*) FROM held
        """,
        list(ids),
    )
    return bool(held == len(ids))
