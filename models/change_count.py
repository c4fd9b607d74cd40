"""How much has changed in an app lately, or by an import, as its history says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import timedelta

    from asyncpg import Connection

_APP_LOCK = "caseroll app"


async def lock_changes(db: Connection, app_id: int) -> None:
    """Wait until no other transaction that counts the app's changes is under way; be the next."""
    sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))"
    await db.execute(sql, _APP_LOCK, app_id)


async def count_recent_changes(
    db: Connection, app_id: int, within: timedelta
) -> dict[tuple[str, str], int]:
    """Count by what was changed, such as `assignment`, and outcome.

    A change has the time at which its transaction has begun.
    """
    return await _count(db, "changed_at > clock_timestamp() - $2::interval", app_id, within)


async def count_changes_of_import(
    db: Connection, app_id: int, import_id: int
) -> dict[tuple[str, str], int]:
    """Count by what was changed, and outcome."""
    return await _count(db, "import_id = $2", app_id, import_id)


async def _count(
    db: Connection, condition: str, app_id: int, value: object
) -> dict[tuple[str, str], int]:
    """Count changes of the app that meet a condition.

    For the condition `import_id = $2`:

        SELECT 'assignment', CASE WHEN before_role_id IS NULL THEN 'CREATED' … END, count(*)
        FROM assignment_history WHERE app_id = $1 AND import_id = $2 GROUP BY 1, 2
        UNION ALL …
    """
    sql = f"""
        SELECT 'assignment', {_outcome("before_role_id", "after_role_id")}, count(*)
        FROM assignment_history WHERE app_id = $1 AND {condition} GROUP BY 1, 2
        UNION ALL
        SELECT CASE WHEN case_id IS NOT NULL THEN 'case' WHEN user_id IS NOT NULL THEN 'user'
          ELSE 'other' END, {_outcome("before", "after")}, count(*)
        FROM entity_history WHERE app_id = $1 AND {condition}
          AND (before IS NOT NULL OR after IS NOT NULL) GROUP BY 1, 2
    """
    rows = await db.fetch(sql, app_id, value)
    return {(row[0], row[1]): row[2] for row in rows}


def _outcome(before: str, after: str) -> str:
    return (
        f"CASE WHEN {before} IS NULL THEN 'CREATED' WHEN {after} IS NULL THEN 'REMOVED'"
        " ELSE 'UPDATED' END"
    )


class NamedImport(NamedTuple):
    """An import as validators know it."""

    id: int
    name: str
    type: str
    rows: int


async def read_named_import(db: Connection, import_id: int) -> NamedImport:
    sql = "SELECT id, name, type, coalesce(total, 0) FROM imports WHERE id = $1"
    return NamedImport(*await db.fetchrow(sql, import_id))
