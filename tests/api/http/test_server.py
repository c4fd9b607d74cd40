"""Bytes that are no request, or an odd one: answered or cut off, and never an error of ours."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.api.api_fixture import Api

RAW = {
    "nul": b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    "whole URL": b"GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "old": b"GET /health HTTP/1.0\r\n\r\n",
    "very old": b"GET /health\r\n\r\n",
    "binary": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "long path": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5_000 + b"\r\n",
    "folded": b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "bad length": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "odd length": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nabcde",
    "two lengths": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\nabcdef",
    "odd encoding": b"POST /graphql HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST /graphql HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
    "bad chunk for nobody": b"GET /health HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    "upgrade": b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "bad socket": b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
    "other socket": b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
}


UPGRADE = b" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
NO_HANDSHAKES = {
    "body": b"GET /graphql" + UPGRADE + b"Content-Length: 10\r\n\r\n",
    "long path": b"GET /" + b"a" * 9_000 + UPGRADE + b"\r\n",
    "long header": b"GET /graphql" + UPGRADE + b"a: " + b"b" * 9_000 + b"\r\n\r\n",
    "many headers": b"GET /graphql" + UPGRADE + b"a: b\r\n" * 130 + b"\r\n",
}


@pytest.mark.parametrize("data", NO_HANDSHAKES.values(), ids=NO_HANDSHAKES)
async def test_no_handshake(api: Api, data: bytes) -> None:
    """A request that can't be read as a WebSocket's is answered, and its connection ends."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"BAD_REQUEST" in answer


async def send_raw(api: Api, data: bytes) -> bytes:
    """Send bytes, and read until there is silence."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    answer = b""
    try:
        async with asyncio.timeout(0.5):
            while block := await reader.read(65_536):
                answer += block
    except (TimeoutError, ConnectionError):
        pass
    writer.transport.abort()
    return answer


@pytest.mark.parametrize("data", RAW.values(), ids=RAW)
async def test_odd_requests(api: Api, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever bytes come, the answer is no 500, no error is logged, and the next one is served."""
    answer = await send_raw(api, data)

    assert b"HTTP/1.1 5" not in answer
    assert b"Traceback" not in answer
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert (await api.get("/health", None))[0] == 200


@pytest.mark.parametrize(
    "data", [b"nonsense\r\n\r\n", b"GET /graphql?query=" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_request(api: Api, data: bytes) -> None:
    """What is not HTTP, or too long, gets an error in the shape of all others."""
    head, _, body = (await send_raw(api, data)).partition(b"\r\n\r\n")

    [error] = json.loads(body)["errors"]
    assert head.startswith(b"HTTP/1.1 400 ")
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "64 KiB" in error["message"]


async def test_body_that_breaks_after_its_answer(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that turns out to be no HTTP when its request was answered ends the connection."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"}]}"), 5)
    writer.write(b"nonsense\r\n")
    try:
        rest = await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        rest = b""
    writer.transport.abort()

    assert rest == b""
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_smuggled_request(api: Api) -> None:
    """A request inside the body of another is a body, also where two lengths contradict."""
    inner = b"GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await send_raw(
        api,
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(inner) + inner + b"\r\n0\r\n\r\n",
    )

    assert answer.count(b"HTTP/1.1 ") == 1
    assert b" 404 " not in answer
