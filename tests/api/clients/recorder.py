"""What a client sends, as a file that can be read and sent again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.server import SocketConnection
from tests.api.api_fixture import Server

# Of the other headers, each client and each run has its own.
_HEADERS = re.compile(r"accept|authorization|content-type|.*preflight|apollo.*|x-.*")
_FOLLOWS = re.compile(r"\bimport(Updated)?\(id: \$id\)")
_RANDOM_IDS = re.compile(r'(?<="id":")[0-9a-f]{8}-[0-9a-f-]{27}(?=")')
_BOUNDARIES = re.compile(r"boundary=([^\s;]+)")


class Recorder:
    """Wraps an application, and notes the requests and WebSockets that clients send.

    It breaks the first WebSocket as soon as an event has come for it.

    Attributes:
        follows: how often a client has begun to follow an import.
    """

    def __init__(self, server: Server) -> None:
        self.follows = 0
        self._server = server
        self._app: ASGIApp = server.app.middleware_stack  # type: ignore[assignment]
        self._requests: list[dict[str, Any]] = []
        self._sockets: list[list[Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._app(scope, self._note_request(scope, receive), send)
        else:
            messages: list[Any] = []
            self._sockets.append(messages)
            is_first = len(self._sockets) == 1
            await self._app(
                scope,
                self._note_messages(receive, messages),
                self._break_after_event(send) if is_first else send,
            )

    def text(self, **names: str) -> str:
        """Write the recording; what differs from run to run is replaced by its name."""
        text = json.dumps(
            {"requests": self._requests, "sockets": self._sockets}, indent=1, ensure_ascii=False
        )
        for name, value in names.items():
            text = text.replace(value, f"{{{name}}}")
        for boundary in set(_BOUNDARIES.findall(text)):
            text = text.replace(boundary.rstrip('",'), "boundary")
        return text + "\n"

    def _note_request(self, scope: Scope, receive: Receive) -> Receive:
        query = scope["query_string"].decode()
        request = {
            "method": scope["method"],
            "path": scope["path"] + ("?" + query if query else ""),
            "headers": {
                name.decode(): value.decode()
                for name, value in sorted(scope["headers"])
                if _HEADERS.fullmatch(name.decode())
            },
            "body": "",
        }
        self._requests.append(request)
        self.follows += bool(_FOLLOWS.search(unquote_plus(query)))

        async def note() -> Message:
            message = await receive()
            request["body"] += message.get("body", b"").decode()
            return message

        return note

    def _note_messages(self, receive: Receive, messages: list[Any]) -> Receive:
        async def note() -> Message:
            message = await receive()
            if text := message.get("text"):
                self.follows += bool(_FOLLOWS.search(text))
                messages.append(json.loads(_RANDOM_IDS.sub("1", text)))
            return message

        return note

    def _break_after_event(self, send: Send) -> Send:
        async def send_and_break(message: Message) -> None:
            await send(message)
            if '"type":"next"' in message.get("text", ""):
                for each in self._server.connections:
                    if isinstance(each, SocketConnection):
                        each.transport.close()

        return send_and_break


@contextmanager
def recording(server: Server) -> Iterator[Recorder]:
    """Note what clients send to a server."""
    app, stack = server.app, server.app.middleware_stack
    recorder = Recorder(server)
    app.middleware_stack = recorder
    try:
        yield recorder
    finally:
        app.middleware_stack = stack
