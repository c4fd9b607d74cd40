"""Measures how soon a wrong header is refused while the client is still sending the file.

Bytes go over a plain socket, so the figure is the server's time and not that of a client library.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.client import CREATE_IMPORT
from bench.figure import median_of
from bench.files import make_file

if TYPE_CHECKING:
    from bench.client import Client
    from bench.figure import Figure
    from bench.options import Options
    from bench.system import System

SCENARIO = "refusing a wrong header, from the upload's first megabyte"
_BAR = 0.2
_ROWS = 1_000_000
_MEGABYTE = 1024 * 1024
_BLOCK = 64 * 1024
_LONG_PAUSE = 3.0
_BOUNDARY = "bench"


async def measure(system: System, options: Options) -> list[Figure]:
    """Upload the file at full speed, and with a pause after its first megabyte."""
    rounds = 20 if options.is_long else 7
    good = make_file("assign", _ROWS, people=_ROWS // 10)
    file = b"customer,what,role,order,note" + good[good.index(b"\r\n") :]
    fast, slow = [], []
    async with system.running(await system.create("refusal"), workers=0) as running:
        body = _multipart_body(file)
        for _ in range(rounds):
            fast.append(await _seconds_to_answer(running.client, body, 0))
            slow.append(await _seconds_to_answer(running.client, body, _LONG_PAUSE))
    return [
        median_of(SCENARIO, f"{_ROWS:,} rows at full speed", fast, "s", bar=_BAR),
        median_of(SCENARIO, f"{_ROWS:,} rows, a pause after 1 MB", slow, "s", bar=_BAR),
    ]


async def _seconds_to_answer(client: Client, body: bytes, pause: float) -> float:
    address = urlsplit(client.url)
    assert address.hostname
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = [
        "POST /graphql HTTP/1.1",
        f"Host: {address.netloc}",
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in client.headers.items()),
    ]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
    await _send_blocks(writer, body[:_MEGABYTE])
    start = time.perf_counter()
    sending = asyncio.create_task(_send_rest(writer, body[_MEGABYTE:], pause))
    try:
        await _read_refusal(reader)
        return time.perf_counter() - start
    finally:
        sending.cancel()
        await asyncio.wait([sending])
        writer.close()


async def _send_rest(writer: asyncio.StreamWriter, rest: bytes, pause: float) -> None:
    await asyncio.sleep(pause)
    await _send_blocks(writer, rest)


async def _send_blocks(writer: asyncio.StreamWriter, data: bytes) -> None:
    for start in range(0, len(data), _BLOCK):
        writer.write(data[start : start + _BLOCK])
        await writer.drain()


async def _read_refusal(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(line for line in head.splitlines() if line.startswith("content-length:"))
    answer = json.loads(await reader.readexactly(int(length.partition(":")[2])))
    codes = {error["code"] for error in answer["data"]["createImport"]["userErrors"]}
    if codes != {"UNKNOWN_COLUMN", "MISSING_COLUMN"}:
        raise SystemExit(f"the API answers: {answer}")


def _multipart_body(file: bytes) -> bytes:
    values = {"type": "assign", "name": "wrong", "file": None}
    operations = json.dumps({"query": CREATE_IMPORT, "variables": {"input": values}})
    parts = [
        _form_part('name="operations"', operations.encode()),
        _form_part('name="map"', b'{"0": ["variables.input.file"]}'),
        _form_part('name="0"; filename="wrong.csv"', file),
    ]
    return b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


def _form_part(disposition: str, content: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"
