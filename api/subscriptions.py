"""Subscriptions: what resolvers make of the hub's mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.errors import ApiError
from api.imports import load_import
from api.mailbox import Kind
from api.node import key_of
from api.update import Update
from models.imports import ImportStatus
from models.listing import IMPORTS
from models.page import find_by_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.context import Context


async def import_updated(context: Context, node_id: str) -> AsyncIterator[Update]:
    """Yield an import's state, then each change, until it is finished."""
    key = key_of("Import", node_id)
    if key is None or await load_import(context, key) is None:
        raise ApiError("NOT_FOUND", "There is no such import.")
    async with context.services.hub.mailbox(context.token, Kind.ONE, key) as mailbox:
        # Read after the mailbox is there, so that no change falls between the two.
        rows = await context.scope.read(find_by_id, IMPORTS, [key])
        mailbox.put(Update(rows[0]))
        async for update in mailbox:
            yield update
            if ImportStatus(update.row["status"]).is_final:
                return


async def imports_updated(context: Context) -> AsyncIterator[Update]:
    """Yield every change of every import of the app."""
    async with context.services.hub.mailbox(context.token, Kind.ALL) as mailbox:
        async for update in mailbox:
            yield update


async def import_finished(context: Context) -> AsyncIterator[Update]:
    """Yield each import of the app that is finished from now on."""
    async with context.services.hub.mailbox(context.token, Kind.FINISHED) as mailbox:
        async for update in mailbox:
            yield update
