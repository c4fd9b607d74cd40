"""The audit trail: who did what to what, and when; only ever added to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Self

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import SqlDefault
from tortoise.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncpg import Connection


class Action(StrEnum):
    """What was done: the name, the kind of object that it was done to, and the API's description.

    `target` is the kind in the object's ID (`importers.sdk.node_id`). It and `description` have
    defaults so that mypy accepts look-ups by value; a test names actions that lack one.
    """

    target: str
    description: str

    APP_CREATED = "APP_CREATED", "App", "The app was created."
    APP_UPDATED = "APP_UPDATED", "App", "`updateApp`."
    CASE_CREATED = "CASE_CREATED", "Case", "`createCase`."
    CASE_UPDATED = "CASE_UPDATED", "Case", "`updateCase`."
    IMPORT_APPLIED = "IMPORT_APPLIED", "Import", "`applyImport`: the import that does it."
    IMPORT_CANCELLED = "IMPORT_CANCELLED", "Import", "`cancelImport`."
    IMPORT_CREATED = "IMPORT_CREATED", "Import", "`createImport`."
    IMPORT_RELEASED = "IMPORT_RELEASED", "Import", "`releaseImport`."
    IMPORT_RETRIED = "IMPORT_RETRIED", "Import", "`retryImport`."
    IMPORT_UNDONE = "IMPORT_UNDONE", "Import", "`undoImport`: the import that does it."
    ROLE_ADDED = "ROLE_ADDED", "Role", "A role was added to the app."
    TOKEN_CREATED = "TOKEN_CREATED", "Token", "A token was created."
    TOKEN_REVOKED = "TOKEN_REVOKED", "Token", "A token was revoked."
    USER_CREATED = "USER_CREATED", "User", "`createUser`."
    USER_UPDATED = "USER_UPDATED", "User", "`updateUser`."
    WEBHOOK_CREATED = "WEBHOOK_CREATED", "Webhook", "`createWebhook`."
    WEBHOOK_ENABLED = "WEBHOOK_ENABLED", "Webhook", "`enableWebhook`."
    WEBHOOK_DELETED = "WEBHOOK_DELETED", "Webhook", "`deleteWebhook`."

    def __new__(cls, value: str, target: str = "", description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.target = target
        member.description = description
        return member


class Actor(NamedTuple):
    """Who did it: a token, by the name that it had then, or the command line."""

    name: str
    token_id: int | None = None


COMMAND_LINE = Actor("command line")


class AuditEvent(Model):
    """One deed. What changed is told by the names of fields, never by what stands in them.

    There are no foreign keys: an event outlives the token and the object that it names.
    `target_id` is the primary key of the action's target, `target_name` what people call it, if it
    has a name.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    # Without a description Tortoise would list the actions, and each new one need a migration.
    action = fields.CharEnumField(Action, description="What was done.", max_length=20)
    actor = fields.CharField(max_length=200)
    token_id = fields.BigIntField(null=True)
    target_id = fields.BigIntField()
    target_name = fields.CharField(max_length=200, null=True)
    changed: list[str] = ArrayField(element_type="text")
    occurred_at = fields.DatetimeField(db_default=SqlDefault("clock_timestamp()"))

    class Meta:
        table = "audit_events"
        indexes = (("app_id", "occurred_at", "id"), ("app_id", "target_id", "occurred_at", "id"))


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
    """Write an event, in the transaction that does what it records.

    Args:
        target_id: the primary key of the action's target.
        name: what people call the target.
        changed: columns that were set.
    """
    sql = """
        INSERT INTO audit_events (app_id, action, actor, token_id, target_id, target_name, changed)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text[])
    """
    await db.execute(sql, app_id, action.value, *by, target_id, name, sorted(changed))
