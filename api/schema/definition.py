"""The schema: every field that an operation can begin with, put together."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.tools import create_type
from strawberry.utils.str_converters import to_camel_case

from api.access.context import Context, Info
from api.schema.audit_events import list_audit_events, load_audit_event
from api.schema.cases import CASE, create_case, find_case, list_cases, update_case
from api.schema.entities import ASSIGNMENT_ROW, Assignment, list_roles
from api.schema.entity_kind import load_entity
from api.schema.importing.create_import import create_import
from api.schema.importing.import_types import find_sample, list_import_types
from api.schema.importing.imports import (
    cancel_import,
    find_import,
    list_imports,
    load_import,
    retry_import,
)
from api.schema.importing.plugins import list_validators
from api.schema.importing.upload import UPLOAD, UploadedFile
from api.schema.node import Node, load_node
from api.schema.subscription import Subscription
from api.schema.users import USER, create_user, find_user, list_users, update_user
from api.schema.viewer import App, show_viewer
from importers.sdk.node_id import decode_node_id
from models.listing import CASE_ASSIGNMENTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def _load_app(context: Context, key: int) -> App | None:
    return App.of(context.token) if key == context.token.app_id else None


NODES: dict[str, Callable[[Context, int], Awaitable[Any]]] = {
    "App": _load_app,
    "Assignment": lambda context, key: load_node(context, CASE_ASSIGNMENTS, ASSIGNMENT_ROW, key),
    "AuditEvent": load_audit_event,
    "Case": functools.partial(load_entity, CASE),
    "Import": load_import,
    "User": functools.partial(load_entity, USER),
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
    kind, key = decode_node_id(node_id) or ("", 0)
    load = NODES.get(kind)
    return await load(info.context, key) if load else None


QUERIES = [
    find_node,
    show_viewer,
    list_cases,
    find_case,
    list_users,
    find_user,
    list_roles,
    list_imports,
    find_import,
    list_import_types,
    list_validators,
    list_audit_events,
    find_sample,
]
# `api.execution` keeps viewers out of them.
MUTATIONS = [
    create_import,
    retry_import,
    cancel_import,
    create_case,
    update_case,
    create_user,
    update_user,
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
    types=[Assignment],
    config=StrawberryConfig(name_converter=_Names(), scalar_map={UploadedFile: UPLOAD}),
)
