"""Reading bodies: no more memory than the body itself takes."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

from starlette.requests import Request

from api.http.body import read_body
from api.limits import Patience


class TinyBlocks(Request):
    """A request whose body arrives three bytes at a time."""

    async def stream(self) -> AsyncIterator[bytes]:  # type: ignore[override]
        for number in range(20_000):
            await asyncio.sleep(0)
            yield b"%03d" % (number % 1_000)


async def test_many_tiny_blocks() -> None:
    """Blocks are not kept as objects until the body is whole."""
    request = TinyBlocks({"type": "http", "headers": []})
    tracemalloc.start()
    try:
        body = await read_body(request, 100_000, Patience())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(body) == 60_000
    assert peak < 5 * len(body)
