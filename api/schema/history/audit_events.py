"""The audit trail: who did what, and when, for those who may know."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import argument, field
from strawberry.utils.str_converters import to_camel_case

from api.access.context import Context, Info
from api.batch.row_type import RowColumn, RowType, node_id
from api.schema.actor import AuditActor
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.entities import CASE_ROW, USER_ROW
from api.schema.importing.imports import IMPORT_ROW
from api.schema.node import Node, load_together
from api.schema.notify.webhooks import load_webhook
from api.schema.shown_enum import show_enum
from api.schema.viewer import load_app
from importers.sdk.node_id import decode_node_id, encode_node_id
from models.audit import Action
from models.listing import (
    AUDIT_EVENTS,
    CASES,
    IMPORTS,
    USERS,
    did_one_of,
    happened_between,
    was_done_by,
    was_done_to,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

# The fields of cases and users, by column.
_FIELDS = {
    row_type.kind.__name__: {
        column: to_camel_case(name)
        for name in row_type.sources
        for column in row_type.columns(selected={name: {}})
    }
    for row_type in (CASE_ROW, USER_ROW)
}

# What loads the objects that actions are done to, by the kind in their IDs; roles and tokens are no
# nodes.
TARGETS: dict[str, Callable[[Context, int], Awaitable[Any]]] = {
    "App": load_app,
    "Case": partial(load_together, CASES, CASE_ROW),
    "Import": partial(load_together, IMPORTS, IMPORT_ROW),
    "User": partial(load_together, USERS, USER_ROW),
    "Webhook": load_webhook,
}

show_enum(Action, name="AuditAction", description="What was done.")


@strawberry.type(description="What something was done to.")
class AuditTarget:
    """An object of one of the kinds in `models.audit.Action`."""

    kind: strawberry.Private[str]
    key: strawberry.Private[int]
    object_id: strawberry.ID = field(
        description="Tells objects of the same name apart; the `id` of `node`, if there is one."
    )
    name: str | None = field(
        description="An app's, import's or token's name at that time, a role's key, or a webhook's "
        "URL; null for cases and users."
    )

    @strawberry.field(description="The object as it is now; null for a role or a token.")
    async def node(self, info: Info) -> Node | None:
        load = TARGETS.get(self.kind)
        found: Node | None = await load(info.context, self.key) if load else None
        return found

    @classmethod
    def of(cls, action: str, key: int, name: str | None) -> AuditTarget:
        kind = Action(action).target
        object_id = strawberry.ID(encode_node_id(kind, key))
        return cls(kind=kind, key=key, object_id=object_id, name=name)


@strawberry.type(description="Something that was done, by a token or at the server itself.")
class AuditEvent(Node):
    """One action. What the rows of an import have done is in their results."""

    action: Action = field(description="What was done.")
    actor: AuditActor = field(description="Who did it.")
    target: AuditTarget = field(description="To what.")
    changed_fields: list[str] = field(
        description="Which fields of a case or user were set; never what to."
    )
    occurred_at: datetime = field(description="When it was done.")


def _changed_fields(action: str, columns: Sequence[str]) -> list[str]:
    names = _FIELDS.get(Action(action).target, {})
    return [names.get(column) or to_camel_case(column) for column in columns]


EVENT_ROW = RowType(
    AuditEvent,
    id=node_id("AuditEvent"),
    action=RowColumn(("action",), Action),
    actor=RowColumn(("actor", "token_id"), AuditActor.of),
    target=RowColumn(("action", "target_id", "target_name"), AuditTarget.of),
    changed_fields=RowColumn(("action", "changed"), _changed_fields),
)


@strawberry.field(
    name="auditEvents",
    description="Who did what in the app, newest first; for ADMIN tokens. What the rows of "
    "imports have done is in their results.",
)
async def list_audit_events(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    action: Annotated[list[Action] | None, argument(description="Only these actions.")] = None,
    actor: Annotated[
        str | None, argument(description="Only what an actor of exactly this name did.")
    ] = None,
    target: Annotated[
        strawberry.ID | None,
        argument(description="Only what was done to the object with this `objectId`."),
    ] = None,
    since: Annotated[datetime | None, argument(description="Only from this time on.")] = None,
    until: Annotated[datetime | None, argument(description="Only before this time.")] = None,
) -> Connection[AuditEvent]:
    info.context.require_admin("read the audit trail")
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    conditions = happened_between(since, until)
    if action is not None:
        conditions.append(did_one_of(action))
    if actor is not None:
        conditions.append(was_done_by(actor))
    if target is not None:
        conditions.extend(was_done_to(*(decode_node_id(target) or ("", 0))))
    return await connect(info.context, AUDIT_EVENTS, EVENT_ROW, arguments, conditions)


async def load_audit_event(context: Context, key: int) -> AuditEvent | None:
    context.require_admin("read the audit trail")
    return await load_together(AUDIT_EVENTS, EVENT_ROW, context, key)
