"""Subscriptions: every field that one can begin with, fed by the hub's mailboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from api.access.context import Info
from api.errors import ApiError
from api.events.import_state import Update
from api.events.subscriber_queue import Kind
from api.schema.importing.imports import Import, load_import
from api.schema.node import key_of
from models.imports import ImportStatus
from models.listing import IMPORTS, has_id
from models.page import find_rows


@strawberry.type(description="What can be watched, over graphql-transport-ws.")
class Subscription:
    """Root fields that go on; `api.execution.execute` makes an import of each update."""

    @strawberry.subscription(
        graphql_type=Import,
        description="An import's state now, then each change; ends when the import is finished.",
    )
    async def import_updated(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The import's `id`.")
        ],
    ) -> AsyncIterator[Update]:
        """Watch one import."""
        context = info.context
        key = key_of("Import", node_id)
        if key is None or await load_import(context, key) is None:
            raise ApiError("NOT_FOUND", "There is no such import.")
        async with context.services.hub.mailbox(context.token.app_id, Kind.ONE, key) as mailbox:
            # Read after the mailbox is there, so that no change falls between the two.
            [row] = await context.scope.read(find_rows, IMPORTS, has_id([key]))
            mailbox.put(Update(row))
            async for update in mailbox:
                yield update
                if ImportStatus(update.row["status"]).is_final:
                    return

    @strawberry.subscription(
        graphql_type=Import, description="Every change of every import of the app, from now on."
    )
    async def imports_updated(self, info: Info) -> AsyncIterator[Update]:
        """Watch all imports."""
        context = info.context
        async with context.services.hub.mailbox(context.token.app_id, Kind.ALL) as mailbox:
            async for update in mailbox:
                yield update

    @strawberry.subscription(
        graphql_type=Import, description="Each import of the app that is finished, from now on."
    )
    async def import_finished(self, info: Info) -> AsyncIterator[Update]:
        """Watch for ends."""
        context = info.context
        async with context.services.hub.mailbox(context.token.app_id, Kind.FINISHED) as mailbox:
            async for update in mailbox:
                yield update
