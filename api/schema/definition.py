"""The schema: every field that an operation can begin with, put together."""

from __future__ import annotations

import asyncio
import functools
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.tools import create_type
from strawberry.utils.str_converters import to_camel_case

from api.access.context import Context, Info
from api.schema.assignments import find_assignment, list_assignments
from api.schema.cases import create_case, find_case, find_cases_by_tag, list_cases, update_case
from api.schema.changes.consequences import Consequence
from api.schema.changes.import_changes import ImportChange
from api.schema.changes.plans import apply_import, release_import, undo_import
from api.schema.changes.retry_import import retry_import
from api.schema.entities import (
    ASSIGNMENT_ROW,
    CHANGE_ROW,
    ENTITY_CHANGE_ROW,
    Assignment,
    list_roles,
)
from api.schema.files.create_download import create_download
from api.schema.history.assignment_changes import list_assignment_changes
from api.schema.history.audit_events import TARGETS, list_audit_events, load_audit_event
from api.schema.importing.import_payload import cancel_import
from api.schema.importing.import_types import find_sample, list_import_types
from api.schema.importing.imports import (
    find_import,
    list_imports,
)
from api.schema.importing.plugins import list_readers, list_validators
from api.schema.node import MOST_NAMED, Node, check_named, load_together
from api.schema.notify.webhooks import (
    create_webhook,
    delete_webhook,
    enable_webhook,
    list_webhooks,
)
from api.schema.scalars import DATE, DATE_TIME
from api.schema.subscription import Subscription
from api.schema.tokens.tokens import create_token, list_tokens, load_token, revoke_token
from api.schema.uploads.create_import import create_import
from api.schema.uploads.preview_file import preview_file
from api.schema.uploads.upload import UPLOAD, UploadedFile
from api.schema.users import create_user, find_user, find_users_by_tag, list_users, update_user
from api.schema.viewer import show_viewer, update_app
from importers.sdk.node_id import decode_node_id
from models.history_lists import ASSIGNMENT_CHANGES, ENTITY_CHANGES
from models.listing import ASSIGNMENTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from graphql import GraphQLObjectType, GraphQLType


NODES: dict[str, Callable[[Context, int], Awaitable[Any]]] = {
    **TARGETS,
    "Assignment": functools.partial(load_together, ASSIGNMENTS, ASSIGNMENT_ROW),
    "AssignmentChange": functools.partial(load_together, ASSIGNMENT_CHANGES, CHANGE_ROW),
    "AuditEvent": load_audit_event,
    "Token": load_token,
    "EntityChange": functools.partial(load_together, ENTITY_CHANGES, ENTITY_CHANGE_ROW),
}


@strawberry.field(
    name="node", description="Any object by its `id`; null when the app has no such object."
)
async def find_node(
    info: Info,
    node_id: Annotated[
        strawberry.ID, strawberry.argument(name="id", description="The object's `id`.")
    ],
) -> Node | None:
    return await _load_any(info.context, node_id)


@strawberry.field(
    name="nodes",
    description="Objects by their `id`s, in the same order; null where the app has no such object.",
)
async def find_nodes(
    info: Info,
    ids: Annotated[
        list[strawberry.ID], strawberry.argument(description=f"At most {MOST_NAMED:,}.")
    ],
) -> list[Node | None]:
    check_named("ids", ids)
    found = [_load_any(info.context, node_id) for node_id in ids]
    # An exception in the list is the error of its place alone.
    return cast("list[Node | None]", await asyncio.gather(*found, return_exceptions=True))


async def _load_any(context: Context, node_id: str) -> Node | None:
    kind, key = decode_node_id(node_id) or ("", 0)
    load = NODES.get(kind)
    found: Node | None = await load(context, key) if load else None
    return found


QUERIES = [
    find_node,
    find_nodes,
    show_viewer,
    list_cases,
    find_case,
    find_cases_by_tag,
    list_users,
    find_user,
    find_users_by_tag,
    list_roles,
    list_assignments,
    find_assignment,
    list_assignment_changes,
    list_imports,
    find_import,
    list_import_types,
    list_readers,
    list_validators,
    list_audit_events,
    find_sample,
    list_webhooks,
    list_tokens,
]
# `api.execution.prepare` keeps viewers out of them, but for those that it lists.
MUTATIONS = [
    preview_file,
    create_import,
    retry_import,
    cancel_import,
    apply_import,
    undo_import,
    release_import,
    update_app,
    create_case,
    update_case,
    create_user,
    update_user,
    create_webhook,
    enable_webhook,
    delete_webhook,
    create_token,
    revoke_token,
    create_download,
]


class _Names(NameConverter):
    """Remembers the API's names: Strawberry asks for those of all arguments at each call."""

    apply_naming_config = staticmethod(functools.cache(to_camel_case))


schema = strawberry.Schema(
    query=create_type("Query", QUERIES, description="Everything that can be read."),
    mutation=create_type(
        "Mutation", MUTATIONS, description="Everything that can be changed, by tokens that may."
    ),
    subscription=Subscription,
    # Fields of imports are added where these are defined.
    types=[Assignment, Consequence, ImportChange],
    config=StrawberryConfig(
        name_converter=_Names(), scalar_map={UploadedFile: UPLOAD, date: DATE, datetime: DATE_TIME}
    ),
)


def mend_introspection() -> None:
    """Resolve `__Type.isOneOf`, which all schemas of a process share.

    Strawberry's resolver, which each new schema sets, fails at lists and non-null types.
    """
    introspection = cast("GraphQLObjectType", schema._schema.type_map["__Type"])
    introspection.fields["isOneOf"].resolve = _is_one_of


def _is_one_of(kind: GraphQLType, _: object) -> bool | None:
    if not isinstance(kind, GraphQLInputObjectType):
        return None
    return bool(kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of)


mend_introspection()
