"""Cases and users, created and changed one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from asyncpg import UniqueViolationError

from models.audit import Action, record
from models.entity_history import write_entity_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg import Connection

    from models.audit import Actor

Table = Literal["cases", "users"]
Side = Literal["case_id", "user_id"]
SIDES: Mapping[Table, Side] = {"cases": "case_id", "users": "user_id"}
"""The columns of other tables that hold their primary keys."""

_CREATED = {"cases": Action.CASE_CREATED, "users": Action.USER_CREATED}
_UPDATED = {"cases": Action.CASE_UPDATED, "users": Action.USER_UPDATED}


class ChangedFields(NamedTuple):
    """The columns that differ, before a change and after it; none where nothing was to change."""

    before: Mapping[str, object]
    after: Mapping[str, object]


class TagTakenError(Exception):
    """Another case or user of the app has this Tag ID."""


class EmailTakenError(Exception):
    """Another user of the app has this e-mail address."""


class TagPermanentError(Exception):
    """A Tag ID that is set stays as it is.

    Args:
        tag_id: what is set.
    """

    def __init__(self, tag_id: str) -> None:
        self.tag_id = tag_id
        super().__init__(tag_id)


async def insert_one(
    db: Connection, app_id: int, table: Table, values: Mapping[str, object], *, by: Actor
) -> int:
    """Insert a row and return its primary key. To be run in a transaction.

        INSERT INTO cases (app_id, about, tag_id) VALUES ($1, $2, $3) RETURNING id

    Args:
        values: by column; the names become SQL, so they are never a client's text.

    Raises:
        TagTakenError, EmailTakenError: nothing was inserted.
    """
    places = ", ".join(f"${number}" for number in range(2, len(values) + 2))
    try:
        key = await db.fetchval(
            f"INSERT INTO {table} (app_id, {', '.join(values)}) VALUES ($1, {places}) RETURNING id",
            app_id,
            *values.values(),
        )
    except UniqueViolationError as error:
        raise _taken_error(error) from error
    await record(db, app_id, by, _CREATED[table], key)
    after = {name: value for name, value in values.items() if value not in (None, "")}
    await write_entity_change(db, app_id, by, **{SIDES[table]: key}, before=None, after=after)
    return int(key)


async def update_one(
    db: Connection, app_id: int, table: Table, key: int, values: Mapping[str, object], *, by: Actor
) -> ChangedFields | None:
    """Change a row; None when the app has none with this key. To be run in a transaction.

        UPDATE cases SET about = $3, updated_at = clock_timestamp()
        WHERE app_id = $1 AND id = $2

    Raises:
        TagTakenError, TagPermanentError: nothing was changed.
    """
    # Locked before it is compared: of two requests that set a Tag ID at once, the second must see
    # that of the first.
    row = await db.fetchrow(
        f"SELECT * FROM {table} WHERE app_id = $1 AND id = $2 FOR UPDATE", app_id, key
    )
    if row is None:
        return None
    if "tag_id" in values and row["tag_id"] not in (None, values["tag_id"]):
        raise TagPermanentError(row["tag_id"])
    if not values:
        return ChangedFields({}, {})
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 3))
    try:
        await db.execute(
            f"UPDATE {table} SET {changes}, updated_at = clock_timestamp()"
            " WHERE app_id = $1 AND id = $2",
            app_id,
            key,
            *values.values(),
        )
    except UniqueViolationError as error:
        raise _taken_error(error) from error
    await record(db, app_id, by, _UPDATED[table], key, changed=values)
    after = {name: value for name, value in values.items() if value != row[name]}
    before = {name: row[name] for name in after}
    if after:
        await write_entity_change(db, app_id, by, **{SIDES[table]: key}, before=before, after=after)
    return ChangedFields(before, after)


def _taken_error(error: UniqueViolationError) -> TagTakenError | EmailTakenError:
    return EmailTakenError() if error.constraint_name == "users_email" else TagTakenError()
