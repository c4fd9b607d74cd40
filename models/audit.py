"""The audit trail: who did what to what, and when; only ever added to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncpg import Connection


class Action(StrEnum):
    """What was done."""

    APP_CREATED = "APP_CREATED"
    CASE_CREATED = "CASE_CREATED"
    CASE_UPDATED = "CASE_UPDATED"
    IMPORT_CANCELLED = "IMPORT_CANCELLED"
    IMPORT_CREATED = "IMPORT_CREATED"
    IMPORT_RETRIED = "IMPORT_RETRIED"
    ROLE_ADDED = "ROLE_ADDED"
    TOKEN_CREATED = "TOKEN_CREATED"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - likewise
    USER_CREATED = "USER_CREATED"
    USER_UPDATED = "USER_UPDATED"


class Actor(NamedTuple):
    """Who did it: a token, by the name that it had, or nobody's token."""

    name: str
    token_id: int | None = None


COMMAND_LINE = Actor("command line")


class AuditEvent(Model):
    """One deed. What changed is told by the names of fields, never by what stands in them.

    It refers to nothing by a foreign key: it outlives what it tells of. `target_id` is of the
    table that the action is about, and `target_name` what people call it, if it has such a name.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    action = fields.CharEnumField(Action, max_length=20)
    actor = fields.CharField(max_length=200)
    token_id = fields.BigIntField(null=True)
    target_id = fields.BigIntField()
    target_name = fields.CharField(max_length=200, null=True)
    changed: list[str] = ArrayField(element_type="text")
    occurred_at = fields.DatetimeField(db_default=Now())

    class Meta:
        table = "audit_events"
        indexes = (("app_id", "id"),)


async def record(
    db: Connection,
    app_id: int,
    by: Actor,
    action: Action,
    target_id: int,
    *,
    name: str | None = None,
    changed: Iterable[str] = (),
) -> None:
    """Write a deed down, in the transaction that does it.

    Args:
        name: what people call the target.
        changed: names of fields.
    """
    await db.execute(
        """
        INSERT INTO audit_events (app_id, action, actor, token_id, target_id, target_name, changed)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text[])
        """,
        app_id,
        action.value,
        *by,
        target_id,
        name,
        sorted(changed),
    )
