"""What `api/http/server.py` overrides and reads of uvicorn, none of which uvicorn documents.

Both lists are read from the source, so they can't be incomplete. A failing test names the member
that an upgrade has moved.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]
from operator import attrgetter
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from api.http import server
from api.http.server import HttpConnection, SocketConnection

PARENTS: dict[type, type] = {
    HttpConnection: H11Protocol,
    SocketConnection: WebSocketsSansIOProtocol,
}
REQUESTS = {
    HttpConnection: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    SocketConnection: b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
}


class StubTransport(asyncio.Transport):
    """A transport of which nothing is read, and to which nothing is sent."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: object) -> None:
        pass

    def pause_reading(self) -> None:
        pass


def overridden() -> list[Any]:
    """List the methods that our protocols override, but for the callbacks of asyncio."""
    return [
        pytest.param(ours, name, id=f"{parent.__name__}.{name}")
        for ours, parent in PARENTS.items()
        for name, member in vars(ours).items()
        if inspect.isfunction(member)
        and not name.startswith("_")
        and not hasattr(asyncio.Protocol, name)
    ]


def path_of(node: ast.expr) -> str | None:
    """Return `conn.reader` of the expression `self.conn.reader`; None of any other expression."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join(reversed(names)) if isinstance(node, ast.Name) and node.id == "self" else None


def read() -> list[Any]:
    """List the attributes that our protocols read and do not set themselves."""
    found = []
    for node in ast.parse(inspect.getsource(server)).body:
        parent = PARENTS.get(getattr(server, getattr(node, "name", ""), object))
        if parent is None:
            continue
        paths = {path_of(each) for each in ast.walk(node) if isinstance(each, ast.Attribute)}
        found += [
            pytest.param(getattr(server, node.name), path, id=f"{parent.__name__}.{path}")
            for path in sorted(path for path in paths if path)
            if not path.startswith(("_", "config."))
        ]
    return found


@pytest.mark.parametrize(("ours", "name"), overridden())
def test_overridden_method(ours: type, name: str) -> None:
    """Each method that we override is still there, with the same arguments, and is used."""
    theirs = getattr(PARENTS[ours], name)

    assert list(inspect.signature(theirs).parameters) == list(
        inspect.signature(getattr(ours, name)).parameters
    )
    source = inspect.getsource(PARENTS[ours]) + inspect.getsource(uvicorn.Server)
    assert re.search(rf"\.{name}\b", source)


@pytest.mark.parametrize(("ours", "path"), read())
async def test_attribute(ours: type, path: str) -> None:
    """Each attribute that we read is still there once a request has come."""

    async def application(_scope: object, _receive: object, _send: object) -> None:
        await asyncio.sleep(60)

    config = uvicorn.Config(application, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    protocol = PARENTS[ours](config=config, server_state=state, app_state={})
    try:
        protocol.connection_made(StubTransport())
        protocol.data_received(REQUESTS[ours])
        attrgetter(path)(protocol)
    finally:
        for task in state.tasks:
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)


def test_bytes_a_read() -> None:
    """How much a transport of asyncio reads at a time is an attribute of it."""
    assert isinstance(_SelectorSocketTransport.max_size, int)
