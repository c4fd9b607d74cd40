"""Many subscribers in one process, each with its own WebSocket.

Started as `python -m bench.many_subscribers URL TOKEN COUNT`. It prints `ready` when each
subscriber has received an import's end. Then it records messages until its input ends, and prints
them as JSON: each text with the times at which it arrived. It does as little as possible with a
message, because it shares the machine with the server that is measured.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import sys
import time
from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

SUBSCRIPTION = "subscription { importsUpdated { id status total passed failed progress } }"
_HANDSHAKE = """GET /graphql HTTP/1.1\r
Host: {host}\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: {key}\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Protocol: graphql-transport-ws\r
\r
"""
_TEXT, _PING, _PONG = 0x81, 0x89, 0x8A
_END = b'"PROCESSED"'


class _Subscriber(asyncio.Protocol):
    def __init__(self, host: str, token: str, received: defaultdict[bytes, list[float]]) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._host = host
        self._token = token
        self._received_at = received
        self._received = bytearray()
        self._is_open = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(_HANDSHAKE.format(host=self._host, key=key).encode())

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._received += data
        if not self._is_open:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._is_open, self._received = True, rest
            self._send_message({"type": "connection_init", "payload": {"token": self._token}})
            self._send_message({"id": "1", "type": "subscribe", "payload": {"query": SUBSCRIPTION}})
        while (text := self._next_frame()) is not None:
            if b'"next"' in text:
                self._received_at[text].append(now)
                if _END in text and not self.ended.done():
                    self.ended.set_result(None)

    def _next_frame(self) -> bytes | None:
        """Return the next whole frame's content, or None; answer it if it is a ping.

        A server does not mask its frames.
        """
        received = self._received
        if len(received) < 4:
            return None
        begin, length = 2, received[1]
        if length == 126:
            begin, length = 4, int.from_bytes(received[2:4])
        if len(received) < begin + length:
            return None
        opcode, content = received[0], bytes(received[begin : begin + length])
        del received[: begin + length]
        if opcode == _PING:
            self._send_frame(_PONG, content)
        return content

    def _send_message(self, message: dict[str, Any]) -> None:
        self._send_frame(_TEXT, json.dumps(message).encode())

    def _send_frame(self, opcode: int, content: bytes) -> None:
        """Send a frame, masked with zeros: a client must mask, and zeros leave the bytes as is."""
        head = struct.pack("!BB", opcode, 0x80 | len(content))
        if len(content) > 125:
            head = struct.pack("!BBH", opcode, 0x80 | 126, len(content))
        assert self._transport is not None
        self._transport.write(head + bytes(4) + content)


async def watch(url: str, token: str, count: int) -> None:
    """Subscribe, print `ready` when all have begun, then print the messages with their times."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    received: defaultdict[bytes, list[float]] = defaultdict(list)
    subscribers = []
    for _ in range(count):
        _, subscriber = await loop.create_connection(
            lambda: _Subscriber(parts.netloc, token, received), parts.hostname, parts.port
        )
        subscribers.append(subscriber)
    await asyncio.gather(*(subscriber.ended for subscriber in subscribers))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps([[json.loads(text)["payload"]["data"], at] for text, at in received.items()]))


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))
