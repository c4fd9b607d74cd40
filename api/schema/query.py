"""Queries: every field that one can begin with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from api.access.context import Context, Info
from api.schema.audit_events import AuditEventConnection, list_audit_events, load_audit_event
from api.schema.cases import CaseBy, CaseConnection, find_case, list_cases, load_case
from api.schema.connection import After, Before, First, Last, PageArguments
from api.schema.entities import Case, CaseStatus, User, UserStatus, load_assignment
from api.schema.importing.import_types import (
    ImportType,
    SampleTemplate,
    find_sample,
    list_import_types,
)
from api.schema.importing.imports import (
    Import,
    ImportConnection,
    find_import,
    list_imports,
    load_import,
)
from api.schema.importing.plugin_state import PluginState
from api.schema.importing.validators import Validator, list_validators
from api.schema.node import Node
from api.schema.roles import Role, list_roles
from api.schema.users import UserBy, UserConnection, find_user, list_users, load_user
from api.schema.viewer import App, Viewer
from importers.sdk.node_id import decode_node_id
from models.audit import Action
from models.imports import ImportStatus

_Search = Annotated[
    str | None,
    strawberry.argument(description="Only those in which every word of this begins a word."),
]

_ON = [PluginState.ON]


async def _load_app(context: Context, key: int) -> App | None:
    return App.of(context.token) if key == context.token.app_id else None


_NODES = {
    "App": _load_app,
    "Assignment": load_assignment,
    "AuditEvent": load_audit_event,
    "Case": load_case,
    "Import": load_import,
    "User": load_user,
}


@strawberry.type(description="Everything that can be read.")
class Query:
    """Root fields that change nothing."""

    @strawberry.field(description="Any object by its `id`; null when the app has no such object.")
    async def node(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The object's `id`.")
        ],
    ) -> Node | None:
        """Find an object of any type."""
        kind, key = decode_node_id(node_id) or ("", 0)
        load = _NODES.get(kind)
        return await load(info.context, key) if load else None

    @strawberry.field(description="Who is asking.")
    def viewer(self, info: Info) -> Viewer:
        """Describe the token."""
        return Viewer.of(info.context.token)

    @strawberry.field(description="The app's cases, in the order in which they came.")
    async def cases(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: _Search = None,
        status: Annotated[
            CaseStatus | None, strawberry.argument(description="Only cases in this state.")
        ] = None,
    ) -> CaseConnection:
        """Page through cases."""
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await list_cases(info.context, arguments, search, status)

    @strawberry.field(description="One case; null when the app has no such case.")
    async def case(
        self,
        info: Info,
        by: Annotated[CaseBy, strawberry.argument(description="Which one.")],
    ) -> Case | None:
        """Find a case."""
        return await find_case(info.context, by)

    @strawberry.field(description="The app's users, in the order in which they came.")
    async def users(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: _Search = None,
        status: Annotated[
            UserStatus | None, strawberry.argument(description="Only users in this state.")
        ] = None,
    ) -> UserConnection:
        """Page through users."""
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await list_users(info.context, arguments, search, status)

    @strawberry.field(description="One user; null when the app has no such user.")
    async def user(
        self,
        info: Info,
        by: Annotated[UserBy, strawberry.argument(description="Which one.")],
    ) -> User | None:
        """Find a user."""
        return await find_user(info.context, by)

    @strawberry.field(description="The app's roles.")
    async def roles(self, info: Info) -> list[Role]:
        """List the roles."""
        return await list_roles(info.context)

    @strawberry.field(description="The app's imports, newest first.")
    async def imports(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: _Search = None,
        status: Annotated[
            list[ImportStatus] | None,
            strawberry.argument(description="Only imports in these states."),
        ] = None,
        types: Annotated[
            list[str] | None,
            strawberry.argument(
                name="type", description="Only imports of the types with these keys."
            ),
        ] = None,
    ) -> ImportConnection:
        """Page through imports."""
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await list_imports(info.context, arguments, search, status, types)

    @strawberry.field(name="import", description="One import; null when the app has none such.")
    async def import_(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The import's `id`.")
        ],
    ) -> Import | None:
        """Find an import."""
        return await find_import(info.context, node_id)

    @strawberry.field(description="What can be imported, sorted by label.")
    def import_types(
        self,
        info: Info,
        states: Annotated[
            list[PluginState] | None,
            strawberry.argument(name="state", description="Only types in these states."),
        ] = _ON,
    ) -> list[ImportType]:
        """List the types that are on, or those in other states."""
        return list_import_types(info.context, _ON if states is None else states)

    @strawberry.field(
        description="The validators: those that are switched on, in the order in which each row "
        "has to pass them, then the others."
    )
    def validators(self, info: Info) -> list[Validator]:
        """List the validators."""
        return list_validators(info.context)

    @strawberry.field(
        description="Who did what in the app, newest first; for ADMIN tokens. What the rows of "
        "imports have done is in their results."
    )
    async def audit_events(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        action: Annotated[
            list[Action] | None, strawberry.argument(description="Only these actions.")
        ] = None,
        actor: Annotated[
            str | None,
            strawberry.argument(description="Only what an actor of exactly this name did."),
        ] = None,
        since: Annotated[
            datetime | None, strawberry.argument(description="Only from this time on.")
        ] = None,
        until: Annotated[
            datetime | None, strawberry.argument(description="Only before this time.")
        ] = None,
    ) -> AuditEventConnection:
        """Page through the audit trail."""
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await list_audit_events(
            info.context, arguments, actions=action, actor=actor, since=since, until=until
        )

    @strawberry.field(description="A type's sample file; null when there is no such type.")
    async def sample_template(
        self,
        info: Info,
        key: Annotated[str, strawberry.argument(name="type", description="The type's key.")],
    ) -> SampleTemplate | None:
        """Find a sample file."""
        return await find_sample(info.context, key)
