"""The audit trail: who did what, and when, for those who may know."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from api.errors import ApiError
from api.schema.connection import Connection, PageArguments, connect
from api.schema.node import Node
from importers.sdk.node_id import encode_node_id
from models.app import Permission
from models.audit import Action
from models.listing import AUDIT_EVENTS, did_one_of, happened_between, was_done_by
from models.page import find_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from api.access.context import Context
    from models.page import Condition

# Columns that the API calls otherwise.
_FIELDS = {"is_active": "status"}


@strawberry.enum(description="What was done.")
class AuditAction(Enum):
    """The API's names of `models.audit.Action`."""

    APP_CREATED = strawberry.enum_value("APP_CREATED", description="The app was created.")
    CASE_CREATED = strawberry.enum_value("CASE_CREATED", description="`createCase`.")
    CASE_UPDATED = strawberry.enum_value("CASE_UPDATED", description="`updateCase`.")
    IMPORT_CANCELLED = strawberry.enum_value("IMPORT_CANCELLED", description="`cancelImport`.")
    IMPORT_CREATED = strawberry.enum_value("IMPORT_CREATED", description="`createImport`.")
    IMPORT_RETRIED = strawberry.enum_value("IMPORT_RETRIED", description="`retryImport`.")
    ROLE_ADDED = strawberry.enum_value("ROLE_ADDED", description="A role was added to the app.")
    TOKEN_CREATED = strawberry.enum_value("TOKEN_CREATED", description="A token was created.")
    TOKEN_REVOKED = strawberry.enum_value("TOKEN_REVOKED", description="A token was revoked.")
    USER_CREATED = strawberry.enum_value("USER_CREATED", description="`createUser`.")
    USER_UPDATED = strawberry.enum_value("USER_UPDATED", description="`updateUser`.")


@strawberry.type(description="Who did something: a token, or who sits at the server.")
class AuditActor:
    """A token, or the command line."""

    name: str = strawberry.field(
        description="The token's name; `command line` for what was done at the server itself."
    )
    id: strawberry.ID | None = strawberry.field(
        description="Tells tokens of the same name apart; null for the command line."
    )


@strawberry.type(description="What something was done to.")
class AuditTarget:
    """An app, case, import, role, token or user."""

    id: strawberry.ID = strawberry.field(
        description="Its ID; for `node`, unless it is a role or token."
    )
    name: str | None = strawberry.field(
        description="An app's, import's or token's name at that time, or a role's key; null for "
        "cases and users."
    )


@strawberry.type(description="Something that was done, by a token or at the server itself.")
class AuditEvent(Node):
    """One deed. What the rows of an import have done is in their results."""

    action: AuditAction = strawberry.field(description="What was done.")
    actor: AuditActor = strawberry.field(description="Who did it.")
    target: AuditTarget = strawberry.field(description="To what.")
    changed_fields: list[str] = strawberry.field(
        description="Which fields of a case or user were set; never what to."
    )
    occurred_at: datetime = strawberry.field(description="When it was done.")

    @classmethod
    def from_row(cls, row: Record) -> AuditEvent:
        """Make it of its row."""
        token, kind = row["token_id"], row["action"].partition("_")[0].title()
        return cls(
            id=_id("AuditEvent", row["id"]),
            action=AuditAction[row["action"]],
            actor=AuditActor(name=row["actor"], id=None if token is None else _id("Token", token)),
            target=AuditTarget(id=_id(kind, row["target_id"]), name=row["target_name"]),
            changed_fields=[_FIELDS.get(name, to_camel_case(name)) for name in row["changed"]],
            occurred_at=row["occurred_at"],
        )


AuditEventConnection = Connection[AuditEvent]


async def list_audit_events(
    context: Context,
    arguments: PageArguments,
    *,
    actions: Sequence[AuditAction] | None,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Connection[Any]:
    """Page through the app's audit trail, newest first."""
    _admit(context)
    conditions: list[Condition] = []
    if actions is not None:
        conditions.append(did_one_of([Action[each.name] for each in actions]))
    if actor is not None:
        conditions.append(was_done_by(actor))
    conditions += happened_between(since, until)
    return await connect(context, AUDIT_EVENTS, _events, arguments, conditions)


async def load_audit_event(context: Context, key: int) -> AuditEvent | None:
    """Read an event by its primary key."""
    _admit(context)
    rows = await context.scope.read(find_by_id, AUDIT_EVENTS, [key])
    return AuditEvent.from_row(rows[0]) if rows else None


def _admit(context: Context) -> None:
    if context.token.permission is not Permission.ADMIN:
        raise ApiError("FORBIDDEN", "Only ADMIN tokens may read the audit trail.")


def _events(rows: Sequence[Record]) -> list[AuditEvent]:
    return [AuditEvent.from_row(row) for row in rows]


def _id(kind: str, key: int) -> strawberry.ID:
    return strawberry.ID(encode_node_id(kind, key))
