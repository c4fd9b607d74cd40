"""Users, and how references in a file find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tortoise import fields
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

from models.advice import fetch_in_time
from models.app import App
from models.entity import find_referenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection


class User(Model):
    """A person who can be assigned to cases."""

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, on_delete=fields.RESTRICT
    )
    app_id: int
    tag_id = fields.CharField(max_length=64, null=True)
    email = fields.CharField(max_length=254)
    given_name = fields.CharField(max_length=200, db_default="")
    family_name = fields.CharField(max_length=200, db_default="")
    locale = fields.CharField(max_length=35, null=True)
    zoneinfo = fields.CharField(max_length=64, null=True)
    is_active = fields.BooleanField(db_default=True)
    created_at = fields.DatetimeField(db_default=Now())
    updated_at = fields.DatetimeField(db_default=Now())

    class Meta:
        table = "users"
        unique_together = (("app", "tag_id"),)


class UserRecord(NamedTuple):
    """What an import needs to know of a user; the fields are columns."""

    id: int
    tag_id: str | None
    email: str
    is_active: bool


async def find_users(
    db: Connection, app_id: int, *, tags: Sequence[str], ids: Sequence[int]
) -> list[UserRecord]:
    """Find the app's users that have one of the Tag IDs or one of the primary keys."""
    columns = UserRecord._fields
    rows = await find_referenced(db, app_id, "users", columns, tags=tags, ids=ids)
    return [UserRecord(*row) for row in rows]


async def find_users_by_email(
    db: Connection, app_id: int, emails: Sequence[str]
) -> list[UserRecord]:
    """Find the app's users by e-mail address, in any case."""
    sql = f"""
        SELECT {", ".join(f"u.{column}" for column in UserRecord._fields)}
        FROM unnest($2::text[]) AS k(email)
        JOIN users u ON u.app_id = $1 AND lower(u.email) = k.email
    """
    rows = await db.fetch(sql, app_id, list({email.lower() for email in emails}))
    return [UserRecord(*row) for row in rows]


async def find_users_by_name(
    db: Connection, app_id: int, names: Sequence[str]
) -> dict[str, list[UserRecord]]:
    """Find the app's users by given and family name, both in lower case.

    It reads all users of the app, so it is for messages about unknown IDs alone, and finds none
    where that takes too long.
    """
    sql = f"""
        SELECT name, {", ".join(UserRecord._fields)} FROM users
        JOIN unnest($2::text[]) AS names (name)
          ON lower(given_name || ' ' || family_name) = name
        WHERE app_id = $1 ORDER BY name, id
    """
    rows = await fetch_in_time(db, sql, app_id, names)
    found: dict[str, list[UserRecord]] = {}
    for name, *record in rows:
        found.setdefault(name, []).append(UserRecord(*record))
    return found
