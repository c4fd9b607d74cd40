"""A subscriber: keeps a WebSocket open, as an admin's page does, and records when imports end."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from bench.client import Client

_PROTOCOL = "graphql-transport-ws"
_FINISHED = "subscription { importFinished { id status failed } }"
_PATIENCE_SECONDS = 60


class Ends:
    """The ends of imports that a subscription has received.

    An end may arrive before the client has read its import's ID from the upload's answer.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._received: dict[str, tuple[float, dict[str, Any]]] = {}

    async def of(self, import_id: str) -> tuple[float, dict[str, Any]]:
        """Wait for the end of an import.

        Returns:
            When it arrived, by `time.perf_counter`, and the import.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while import_id not in self._received:
                message = await self._socket.receive_json()
                if message["type"] != "next":
                    raise SystemExit(f"the subscription says: {message}")
                found = message["payload"]["data"]["importFinished"]
                self._received[found["id"]] = time.perf_counter(), found
        return self._received.pop(import_id)


async def time_of(client: Client, ends: Ends, type_: str, name: str, file: bytes) -> float:
    """Upload a file without a wrong row; return the milliseconds until its end arrives."""
    start = time.perf_counter()
    key = await client.start(type_, name, file)
    received, found = await ends.of(key)
    if (found["status"], found["failed"]) != ("PROCESSED", 0):
        raise SystemExit(f"the import went wrong: {found}")
    return (received - start) * 1_000


@asynccontextmanager
async def subscribed(client: Client) -> AsyncIterator[Ends]:
    """Subscribe to the ends of all imports."""
    url = f"{client.url}/graphql"
    async with client.http.ws_connect(url, protocols=[_PROTOCOL]) as socket:
        credentials = {"Authorization": client.headers["Authorization"]}
        await socket.send_json({"type": "connection_init", "payload": credentials})
        await socket.receive_json()
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": _FINISHED}})
        await asyncio.sleep(0.5)  # the API sends no message when a subscription begins
        yield Ends(socket)
