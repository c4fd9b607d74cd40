"""Loads a server with one request over a few connections, with as little work as possible.

A full HTTP client would use more CPU than the server and leave it idle between requests.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Load(NamedTuple):
    """How many requests were answered, in how many seconds."""

    requests: int
    seconds: float


async def load_server(
    url: str, headers: dict[str, str], body: bytes | None, *, connections: int, seconds: float
) -> Load:
    """Send the same request repeatedly; each connection sends the next after the last answer.

    Args:
        body: JSON, that is posted; None to get the address.
    """
    parts = urlsplit(url)
    about = [f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
    if body is None:
        lines = [f"GET {parts.path} HTTP/1.1", *about]
    else:
        length = f"Content-Length: {len(body)}"
        lines = [f"POST {parts.path} HTTP/1.1", "Content-Type: application/json", length, *about]
    request = "\r\n".join(lines).encode() + _HEAD_END + (body or b"")
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = []
    for _ in range(connections):
        _, connection = await loop.create_connection(
            lambda: _LoadConnection(request, started + seconds), parts.hostname, parts.port
        )
        opened.append(connection)
    counts = await asyncio.gather(*(connection.done for connection in opened))
    return Load(sum(counts), time.perf_counter() - started)


class _LoadConnection(asyncio.Protocol):
    """One connection to a server that keeps it open and sends `Content-Length`."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._request = request
        self._deadline = deadline
        self._count = 0
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(_HEAD_END)
        if not end:
            return
        begin = head.lower().find(_LENGTH) + len(_LENGTH)
        if len(body) < int(head[begin:].split(b"\r\n", 1)[0]):
            return
        if not head.startswith(b"HTTP/1.1 200") or body.startswith(b'{"errors":'):
            self.done.set_exception(RuntimeError(bytes(self._received[:2_000])))
        self._received.clear()
        self._count += 1
        assert self._transport is not None
        if time.perf_counter() < self._deadline:
            self._transport.write(self._request)
        elif not self.done.done():
            self._transport.close()
            self.done.set_result(self._count)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server has hung up"))
