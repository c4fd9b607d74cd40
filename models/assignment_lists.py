"""Assignments chosen by what they belong to, and by the states of their cases and users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from models.list_query import Condition
from models.listing import (
    ASSIGNMENTS,
    CASE_ASSIGNMENTS,
    IMPORT_ASSIGNMENTS,
    USER_ASSIGNMENTS,
    has_id,
    has_user,
    was_written_by,
)

if TYPE_CHECKING:
    from asyncpg import Connection

    from models.list_query import Listing

# So many rows are read and sorted in a few milliseconds.
_FEW = 1_000


def assignments_of(
    *, case: int | None = None, user: int | None = None, import_key: int | None = None
) -> tuple[Listing, int | None, list[Condition]]:
    """Return the shortest list that has what is wanted, whose it is, and other conditions.

    For the list of the app, that is None.
    """
    conditions = []
    if case is not None and user is not None:
        conditions.append(has_user(user))
    if import_key is not None and not (case is None is user):
        conditions.append(was_written_by(import_key))
    if case is not None:
        return CASE_ASSIGNMENTS, case, conditions
    if user is not None:
        return USER_ASSIGNMENTS, user, conditions
    return (ASSIGNMENTS if import_key is None else IMPORT_ASSIGNMENTS), import_key, conditions


async def has_state(
    db: Connection, app_id: int, noun: Literal["case", "user"], *, is_active: bool
) -> Condition:
    """Ask for the assignments of open or closed cases, or of enabled or disabled users.

    Few cases are closed, so that the list would be walked for long until a page of them is found.
    Where they have few assignments, these are looked up here:

        SELECT a.id FROM cases e, LATERAL (
          SELECT id FROM assignments WHERE app_id = $1 AND case_id = e.id LIMIT $2) a
        WHERE e.app_id = $1 AND NOT e.is_active LIMIT $2
    """
    known = f"EXISTS (SELECT FROM {noun}s e WHERE e.id = t.{noun}_id AND NOT e.is_active)"
    if is_active:
        return Condition(f"NOT {known}")
    few = f"""
        SELECT a.id FROM {noun}s e, LATERAL (
          SELECT id FROM assignments WHERE app_id = $1 AND {noun}_id = e.id LIMIT $2) a
        WHERE e.app_id = $1 AND NOT e.is_active LIMIT $2
    """
    rows = await db.fetch(few, app_id, _FEW + 1)
    return has_id([row[0] for row in rows]) if len(rows) <= _FEW else Condition(known)


async def is_in_role(db: Connection, app_id: int, key: str) -> Condition:
    """Ask for the assignments in a role of the app.

    Where few have it, these are looked up here, so that the list need not be walked for them.
    """
    role = await db.fetchval("SELECT id FROM roles WHERE app_id = $1 AND key = $2", app_id, key)
    if role is None:
        return Condition("false")
    # A constant, not a parameter: PostgreSQL sees when planning whether most have it. Only then
    # does it not use the index of roles, which tells no more than where to look.
    few = f"SELECT id FROM assignments WHERE app_id = $1 AND role_id = {role}::bigint LIMIT $2"
    rows = await db.fetch(few, app_id, _FEW + 1)
    if len(rows) <= _FEW:
        return has_id([row[0] for row in rows])
    return Condition("t.role_id = {}", role)
