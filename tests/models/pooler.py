"""Stands for PgBouncer: ignores what connections begin with, and lends them servers."""

from __future__ import annotations

import asyncio
import secrets
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from models.database_url import credentials

_TLS_REQUEST, _CANCEL_REQUEST, _PROTOCOL = 80877103, 80877102, 196608
_LOGGED_IN = b"R" + struct.pack("!ii", 8, 0)
_READY = b"Z" + struct.pack("!i", 5) + b"I"


class Server(NamedTuple):
    """A session of PostgreSQL, and what it has told of itself when it began."""

    reader: StreamReader
    writer: StreamWriter
    parameters: bytes


class Pooler:
    """Gives a server to a connection for its life, or, if `is_shared`, for one transaction."""

    def __init__(self, url: str, *, is_shared: bool) -> None:
        self._target = credentials(url)
        self._is_shared = is_shared
        self._idle: list[Server] = []
        self._writers: list[StreamWriter] = []

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection to its end."""
        self._writers.append(writer)
        try:
            await self._log_in(reader, writer)
            if not self._is_shared:
                server = self._idle.pop() if self._idle else await self._open()
                await asyncio.gather(_copy(reader, server.writer), _copy(server.reader, writer))
                return
            messages: asyncio.Queue[bytes] = asyncio.Queue()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_receive(reader, messages))
                while True:
                    first = await messages.get()
                    server = self._idle.pop() if self._idle else await self._open()
                    server.writer.write(first)
                    await _transaction(messages, writer, server)
                    self._idle.append(server)
        except* (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        """End everything."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(
            *[each.wait_closed() for each in self._writers], return_exceptions=True
        )

    async def _log_in(self, reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            size, code = struct.unpack("!ii", await reader.readexactly(8))
            await reader.readexactly(size - 8)
            if code == _PROTOCOL:
                break
            if code == _CANCEL_REQUEST:
                raise ConnectionError
            writer.write(b"N")
        server = await self._open()
        # As a pooler that must route cancel requests, it makes the key up.
        key = b"K" + struct.pack("!i", 12) + secrets.token_bytes(8)
        writer.write(_LOGGED_IN + server.parameters + key + _READY)
        self._idle.append(server)

    async def _open(self) -> Server:
        reader, writer = await asyncio.open_unix_connection(
            f"{self._target['host']}/.s.PGSQL.{self._target['port']}"
        )
        self._writers.append(writer)
        named = {"user": self._target["user"], "database": self._target["database"]}
        text = b"".join(f"{name}\0{value}\0".encode() for name, value in named.items()) + b"\0"
        writer.write(struct.pack("!ii", len(text) + 8, _PROTOCOL) + text)
        parameters = b""
        while (message := await _message(reader))[:1] != b"Z":
            parameters += message if message[:1] == b"S" else b""
        return Server(reader, writer, parameters)


async def _message(reader: StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _receive(reader: StreamReader, messages: asyncio.Queue[bytes]) -> None:
    while (message := await _message(reader))[:1] != b"X":
        messages.put_nowait(message)
    raise ConnectionError


async def _send(messages: asyncio.Queue[bytes], writer: StreamWriter) -> None:
    while True:
        writer.write(await messages.get())


async def _transaction(
    messages: asyncio.Queue[bytes], writer: StreamWriter, server: Server
) -> None:
    """Pass messages on, in both directions, until a transaction has ended."""
    sending = asyncio.create_task(_send(messages, server.writer))
    try:
        while (message := await _message(server.reader)) != _READY:
            writer.write(message)
        writer.write(message)
    finally:
        sending.cancel()


@asynccontextmanager
async def pooler(url: str, *, is_shared: bool) -> AsyncIterator[str]:
    """Stand between; gives the URL of the pooler."""
    between = Pooler(url, is_shared=is_shared)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        target = credentials(url)
        yield f"postgresql://{target['user']}@127.0.0.1:{port}/{target['database']}"
    finally:
        server.close()
        await between.close()
