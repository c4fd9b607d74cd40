"""Clients that take their time, in either direction: waited for, but not for ever."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from api.limits import Patience
from api.settings import Settings
from importers.reading.limits import Limits
from models.app import Permission, create_app, create_token
from tests.api.api_fixture import Server, serve
from tests.api.websocket_client import PROTOCOL

SECONDS = 0.6
PATIENCE = Patience(
    head_seconds=SECONDS, init_seconds=SECONDS, idle_seconds=SECONDS, min_bytes_per_second=1_000
)
# How long a test waits for the server to lose its patience.
LONG = 10 * SECONDS
BODY = b'{"query": "{ viewer { tokenName } }"}'


@pytest.fixture(scope="module")
async def hasty(module_settings: Settings) -> AsyncIterator[Server]:
    """An API with little patience."""
    settings = Settings(
        database_url=module_settings.database_url,
        redis_url=module_settings.redis_url,
        patience=PATIENCE,
        limits=Limits(max_bytes=1_000_000),
    )
    async with serve(settings) as server:
        yield server


@pytest.fixture(scope="module")
async def token(hasty: Server) -> str:
    """A token."""
    return await create_token(await create_app("slow", "Slow"), "slow", Permission.ADMIN)


class Raw:
    """A connection on which bytes are sent by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def trickle(self, data: bytes, pause: float, count: int) -> None:
        """Send the same bytes again and again, until the server has had enough."""
        for _ in range(count):
            if self.reader.at_eof() or self.writer.is_closing():
                return
            try:
                await self.send(data)
            except ConnectionError:
                return
            await asyncio.sleep(pause)

    async def rest(self) -> bytes:
        """Read all until the server closes, which a client that is sending may see as a reset."""
        found = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(LONG):
                while block := await self.reader.read(65_536):
                    found += block
        return found

    async def answer(self) -> bytes:
        """Read one answer that is JSON."""
        return await asyncio.wait_for(self.reader.readuntil(b"}"), LONG)


@asynccontextmanager
async def raw(server: Server) -> AsyncIterator[Raw]:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


def head(length: int, token: str) -> bytes:
    return (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def test_connection_that_says_nothing(hasty: Server) -> None:
    """A connection on which nothing comes is closed in time."""
    async with raw(hasty) as connection:
        assert await connection.rest() == b""


async def test_headers_byte_by_byte(hasty: Server) -> None:
    """Headers have a time to come to their end, however busily they come; then it is told."""
    async with raw(hasty) as connection:
        sending = asyncio.create_task(connection.trickle(b"G", SECONDS / 20, 400))
        answer = await connection.rest()
        await sending

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"send them within 0.6 seconds" in answer


async def test_headers_byte_by_byte_on_a_used_connection(hasty: Server, token: str) -> None:
    """The same holds for every further request of a connection."""
    async with raw(hasty) as connection:
        await connection.send(head(len(BODY), token) + BODY)
        assert b" 200 " in await connection.answer()
        sending = asyncio.create_task(connection.trickle(b"G", SECONDS / 20, 400))
        answer = await connection.rest()
        await sending

    assert b"HTTP/1.1 408 " in answer


async def test_headers_that_come_just_in_time(hasty: Server, token: str) -> None:
    """Headers in several pieces are fine, and so is a pause between requests."""
    async with raw(hasty) as connection:
        for _ in range(2):
            request = head(len(BODY), token) + BODY
            await connection.send(request[:20])
            await asyncio.sleep(SECONDS / 6)
            await connection.send(request[20:])
            assert b" 200 " in await connection.answer()
            await connection.reader.readexactly(2)  # two more brackets
            await asyncio.sleep(SECONDS / 6)


async def test_body_byte_by_byte(hasty: Server, token: str) -> None:
    """A body that never pauses for long, but is slower than the slowest allowed, is refused."""
    async with raw(hasty) as connection:
        await connection.send(head(10_000, token))
        sending = asyncio.create_task(connection.trickle(b"{", SECONDS / 20, 400))
        answer = await connection.rest()
        await sending

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"1,000 bytes a second" in answer


async def test_body_that_is_fast_enough(hasty: Server, token: str) -> None:
    """A body that takes far longer than any pause may be is read when it keeps its pace."""
    body = BODY + b" " * 9_000
    async with raw(hasty) as connection:
        await connection.send(head(len(body), token))
        for start in range(0, len(body), 600):
            await connection.send(body[start : start + 600])
            await asyncio.sleep(SECONDS / 6)
        answer = await connection.answer()

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_unwanted_body_byte_by_byte(hasty: Server) -> None:
    """A body that goes on after its request was answered is not thrown away for ever."""
    async with raw(hasty) as connection:
        await connection.send(head(10_000, "nobody"))
        assert b" 401 " in await connection.answer()
        await connection.trickle(b"{", SECONDS / 20, 400)

        assert connection.reader.at_eof() or connection.reader.exception()


async def test_unwanted_body_without_end(hasty: Server) -> None:
    """Nor is one that is larger than any that is wanted."""
    async with raw(hasty) as connection:
        await connection.send(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert b" 401 " in await connection.answer()
        block = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        await connection.trickle(block, 0, 200)

        assert connection.reader.at_eof() or connection.reader.exception()


@pytest.fixture
def narrow() -> Iterator[socket.socket]:
    """A socket that takes little before it is read."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.setblocking(False)
        yield made


async def is_left(server: Server) -> bool:
    """Tell whether the server has no connection any more, in a while."""
    for _ in range(100):
        if not server.connections:
            return True
        await asyncio.sleep(LONG / 100)
    return False


async def test_answer_that_is_not_taken(hasty: Server, narrow: socket.socket) -> None:
    """A client that does not read its answers is cut off, and their memory is free again."""
    loop = asyncio.get_running_loop()
    host, port = hasty.url.removeprefix("http://").split(":")
    await loop.sock_connect(narrow, (host, int(port)))
    with suppress(ConnectionError):
        for _ in range(2_000):
            request = b"GET /console/sign-in HTTP/1.1\r\nHost: x\r\n\r\n"
            await asyncio.wait_for(loop.sock_sendall(narrow, request), LONG)

    assert await is_left(hasty)


async def open_socket(server: Server, made: socket.socket) -> None:
    """Open a WebSocket by hand."""
    loop = asyncio.get_running_loop()
    host, port = server.url.removeprefix("http://").split(":")
    await loop.sock_connect(made, (host, int(port)))
    upgrade = (
        "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
    )
    await loop.sock_sendall(made, upgrade.encode())
    assert b" 101 " in await loop.sock_recv(made, 1_000)


async def test_message_in_a_thousand_parts(hasty: Server, narrow: socket.socket) -> None:
    """A message whose parts have no end, and no content, ends the connection."""
    loop = asyncio.get_running_loop()
    await open_socket(hasty, narrow)
    begin, more = b"\x01\x80\0\0\0\0", b"\x00\x80\0\0\0\0"
    with suppress(ConnectionError):
        await loop.sock_sendall(narrow, begin + more * 2_000)
        while await asyncio.wait_for(loop.sock_recv(narrow, 1_000), LONG):
            pass

    assert await is_left(hasty)


async def test_pings_of_a_client_that_does_not_read(hasty: Server, narrow: socket.socket) -> None:
    """No pongs pile up for a client that only sends pings, and it is cut off."""
    loop = asyncio.get_running_loop()
    ping, most = b"\x89\xfd\0\0\0\0" + b"x" * 125, 0
    await open_socket(hasty, narrow)
    with suppress(ConnectionError):
        async with asyncio.timeout(LONG):
            while True:
                await loop.sock_sendall(narrow, ping * 1_000)
                buffers = [each.transport.get_write_buffer_size() for each in hasty.connections]
                most = max(most, *buffers, 0)

    assert await is_left(hasty)
    assert 0 < most < 200_000


@asynccontextmanager
async def welcome(server: Server, token: str) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket, and say who is there."""
    url = server.url.replace("http://", "ws://") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol(PROTOCOL)], proxy=None) as peer:
        await peer.send(json.dumps({"type": "connection_init", "payload": {"token": token}}))
        await peer.recv()
        yield peer


async def test_some_pings(hasty: Server, token: str) -> None:
    """A client may see now and then whether the server is still there."""
    async with welcome(hasty, token) as peer:
        answered = [await asyncio.wait_for(await peer.ping(), LONG) for _ in range(100)]
        await peer.send('{"type": "ping"}')

        assert len(answered) == 100
        assert await peer.recv() == '{"type":"pong"}'


UNFINISHED = {
    "part": b"\x01\x80\0\0\0\0",
    "frame": b"\x81\xfe\x10\0\0\0\0\0abc",
    "head": b"\x81",
}


@pytest.mark.parametrize("data", UNFINISHED.values(), ids=UNFINISHED)
async def test_message_without_end(hasty: Server, token: str, data: bytes) -> None:
    """A message that has begun has to come to its end; nothing has to begin."""
    async with welcome(hasty, token) as peer:
        await asyncio.sleep(2 * SECONDS)
        await peer.send('{"type": "ping"}')
        assert await peer.recv() == '{"type":"pong"}'
        peer.transport.write(data)
        await asyncio.wait_for(peer.wait_closed(), LONG)

    assert peer.close_code == 1006


async def test_message_that_is_fast_enough(hasty: Server, token: str) -> None:
    """A message that takes longer than any pause is read when it keeps its pace."""
    async with welcome(hasty, token) as peer:

        async def parts() -> AsyncIterator[str]:
            yield '{"type": "ping"'
            for _ in range(20):
                await asyncio.sleep(SECONDS / 6)
                yield " " * 300
            yield "}"

        await peer.send(parts())
        assert await peer.recv() == '{"type":"pong"}'


async def test_others_are_answered_meanwhile(hasty: Server, token: str) -> None:
    """A hundred connections that trickle keep nobody waiting."""
    async with aiohttp.ClientSession() as http:
        opened = [raw(hasty) for _ in range(100)]
        slow = [await each.__aenter__() for each in opened]
        for each in slow:
            await each.send(head(10_000, token) + b"{")
        # Of this process, which is the server's too: other processes keep nothing waiting here.
        started = time.process_time()
        async with http.get(f"{hasty.url}/health") as response:
            assert response.status == 200
        took = time.process_time() - started
        for each in opened:
            await each.__aexit__(None, None, None)

    assert took < SECONDS
