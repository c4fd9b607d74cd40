"""Reading a request's body, no larger and no slower than allowed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from api.errors import HttpError, bad_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from api.limits import Patience


async def read_body(request: Request, limit: int, patience: Patience) -> bytes:
    """Read a whole body, as `read_blocks` does."""
    # One buffer, not a list of blocks: if a client sends a few bytes at a time, the list takes over
    # twenty times the memory that is counted for the token.
    body = bytearray()
    async for block in read_blocks(request, limit, patience):
        body += block
    return bytes(body)


async def read_blocks(
    request: Request, limit: int, patience: Patience
) -> AsyncGenerator[bytes, None]:
    """Yield a body's blocks; the time between one block and the request for the next is free.

    Raises:
        HttpError: the body has more than `limit` bytes, or arrives too slowly.
    """
    # Refused before the first byte is read; a chunked body has no length, and is counted below.
    declared_length(request, limit)
    size, waited = 0, 0.0
    now = asyncio.get_running_loop().time
    blocks = request.stream()
    while True:
        # The clock runs only while this waits for the client. While an upload is stored, or waits
        # for the database, the client can't be to blame.
        started = now()
        try:
            async with asyncio.timeout(patience.seconds_left(size, waited)):
                block = await anext(blocks, None)
        except TimeoutError as error:
            message = (
                f"The request comes too slowly: send {patience.min_bytes_per_second:,} bytes a "
                f"second or more, and pause for no more than {patience.idle_seconds:g} seconds."
            )
            raise HttpError(408, "TIMEOUT", message, {"Connection": "close"}) from error
        if block is None:
            return
        waited += now() - started
        size += len(block)
        if size > limit:
            raise _too_large(limit)
        yield block


def declared_length(request: Request, limit: int) -> int:
    """Return the length that a request's header states, or 0.

    Raises:
        HttpError: it is over the limit.
    """
    text = request.headers.get("content-length", "")
    size = int(text) if text.isascii() and text.isdigit() else 0
    if size > limit:
        raise _too_large(limit)
    return size


def parse_json(text: bytes | str, noun: str) -> Any:
    """Parse JSON; `noun` says in the message what the text is.

    Raises:
        HttpError: it is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"{noun} is not valid JSON: {error}.") from error


def _too_large(limit: int) -> HttpError:
    # No `Connection: close`: if the connection ended while the client still sends, TCP would reset
    # it, and the client would not see this answer. `HttpConnection` throws the rest away.
    return HttpError(413, "TOO_LARGE", f"The request is larger than {limit:,} bytes, the most.")
