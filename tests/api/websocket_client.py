"""A client of graphql-transport-ws that sends and receives single messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.api.api_fixture import Api

PROTOCOL = "graphql-transport-ws"


class Subscriber:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, message: object) -> None:
        """Send a message; bytes and text as they are."""
        raw = isinstance(message, str | bytes)
        await self.socket.send(message if raw else json.dumps(message))  # type: ignore[arg-type]

    async def receive(self, seconds: float = 5) -> dict[str, Any]:
        """Receive a message."""
        text = await asyncio.wait_for(self.socket.recv(), seconds)
        assert isinstance(text, str)
        message: dict[str, Any] = json.loads(text)
        return message

    async def begin(self, token: str) -> None:
        """Say who is there."""
        payload = {"Authorization": f"Bearer {token}"}
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(
        self, query: str, variables: dict[str, Any] | None = None, name: str = "1"
    ) -> None:
        """Begin an operation."""
        payload = {"query": query, "variables": variables}
        await self.send({"id": name, "type": "subscribe", "payload": payload})

    async def next(self, seconds: float = 5) -> Any:
        """Receive the data of the next event."""
        message = await self.receive(seconds)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def silence(self, seconds: float = 0.3) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            await asyncio.wait_for(self.socket.recv(), seconds)
        except TimeoutError:
            return True
        return False

    async def closed(self) -> tuple[int, str]:
        """Wait for the end of the connection; return code and reason."""
        with suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(self.socket.recv(), 5)
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def subscriber(
    api: Api, *, token: str | None = None, protocol: str | None = PROTOCOL
) -> AsyncIterator[Subscriber]:
    """Connect; with a token, also say who is there."""
    url = api.url.replace("http://", "ws://") + "/graphql"
    protocols = [Subprotocol(protocol)] if protocol else None
    async with connect(url, subprotocols=protocols, proxy=None, close_timeout=1) as socket:
        found = Subscriber(socket)
        if token:
            await found.begin(token)
        yield found
