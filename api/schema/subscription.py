"""Subscriptions: every field that one can begin with, fed by the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import strawberry

from api.access.context import Info
from api.errors import ApiError
from api.events.event import Payload
from api.events.import_state import IMPORTS, import_state
from api.schema.importing.imports import IMPORT_ROW, Import, ImportId, load_import
from api.schema.node import key_of
from models.imports import ImportStatus
from models.list_facts import find_rows
from models.listing import IMPORTS as IMPORT_LISTING
from models.listing import has_id


@strawberry.type(description="What can be watched, over graphql-transport-ws.")
class Subscription:
    """Root fields that go on: each yields events with the objects that they are shown as."""

    @strawberry.subscription(
        graphql_type=Import,
        description="An import's state now, then each change; ends when the import is finished.",
    )
    async def import_updated(self, info: Info, node_id: ImportId) -> AsyncIterator[Payload]:
        context = info.context
        key = key_of("Import", node_id)
        if key is None or await load_import(context, key) is None:
            raise ApiError("NOT_FOUND", "There is no such import.")
        async with context.services.hub.subscribe(IMPORTS, context.token.app_id, key=key) as queue:
            # Read once the queue is open, so that no change falls between the two.
            [row] = await context.scope.read(find_rows, IMPORT_LISTING, has_id([key]))
            queue.add(import_state(row))
            async for state in queue:
                yield Payload(state, IMPORT_ROW.object)
                if ImportStatus(state.row["status"]).is_final:
                    return

    @strawberry.subscription(
        graphql_type=Import, description="Every change of every import of the app, from now on."
    )
    async def imports_updated(self, info: Info) -> AsyncIterator[Payload]:
        hub, app_id = info.context.services.hub, info.context.token.app_id
        async with hub.subscribe(IMPORTS, app_id) as queue:
            async for state in queue:
                yield Payload(state, IMPORT_ROW.object)

    @strawberry.subscription(
        graphql_type=Import, description="Each import of the app that is finished, from now on."
    )
    async def import_finished(self, info: Info) -> AsyncIterator[Payload]:
        hub, app_id = info.context.services.hub, info.context.token.app_id
        async with hub.subscribe(IMPORTS, app_id, only_ends=True) as queue:
            async for state in queue:
                yield Payload(state, IMPORT_ROW.object)
