"""Reading what a GraphQL request asks, whatever a client may have sent instead."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from api.limits import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is to be executed.

    Args:
        size: the bytes that it came in, as far as that matters.
    """

    query: str
    variables: dict[str, Any] | None
    name: str | None
    size: int = 0


async def read_body(request: Request, limit: int, patience: Patience) -> bytes:
    """Read a body of so many bytes at most.

    Raises:
        HttpError: the body is too large, or comes too slowly.
    """
    declared = declared_length(request, limit)
    body = bytearray()
    now = asyncio.get_running_loop().time
    begun = now()
    try:
        # One clock for the whole body, set anew by each block but the last: most come in one.
        async with asyncio.timeout(patience.idle_seconds) as clock:
            async for block in request.stream():
                body += block
                if len(body) > limit:
                    raise _too_large(limit)
                if block and len(body) != declared:
                    seconds = patience.seconds_left(len(body), now() - begun)
                    clock.reschedule(now() + seconds)
    except TimeoutError as error:
        raise _too_slow(patience) from error
    return bytes(body)


async def read_blocks(
    request: Request, limit: int, patience: Patience
) -> AsyncGenerator[bytes, None]:
    """Yield the body's blocks, which may be asked for at any pace.

    Raises:
        HttpError: there are more bytes than allowed, or they come too slowly.
    """
    declared_length(request, limit)
    size, waited = 0, 0.0
    now = asyncio.get_running_loop().time
    blocks = request.stream()
    while True:
        begun = now()
        try:
            async with asyncio.timeout(patience.seconds_left(size, waited)):
                block = await anext(blocks, None)
        except TimeoutError as error:
            raise _too_slow(patience) from error
        if block is None:
            return
        waited += now() - begun
        size += len(block)
        if size > limit:
            raise _too_large(limit)
        yield block


def declared_length(request: Request, limit: int) -> int:
    """Return the length that a request's header states, or 0.

    Raises:
        HttpError: it is over the limit.
    """
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdigit() else 0
    if size > limit:
        raise _too_large(limit)
    return size


def parse_json(text: bytes | str, noun: str) -> Any:
    """Parse JSON.

    Args:
        noun: what the text is, for the message.

    Raises:
        HttpError: it is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"{noun} is not valid JSON: {error}.") from error


def to_operation(body: object, size: int = 0) -> Operation:
    """Check the shape of a request.

    Args:
        body: what was sent, parsed.
        size: the bytes that it came in.

    Raises:
        HttpError: it is not the one of a GraphQL request.
    """
    if isinstance(body, list):
        raise bad_request("Batches are not supported: send one operation a request.")
    if not isinstance(body, dict):
        raise bad_request("The request has to be a JSON object.")
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise bad_request("'query' has to be the text of a GraphQL document.")
    if not isinstance(variables, dict | None):
        raise bad_request("'variables' has to be an object.")
    if not isinstance(name, str | None):
        raise bad_request("'operationName' has to be text.")
    if not isinstance(body.get("extensions"), dict | None):
        raise bad_request("'extensions' has to be an object.")
    return Operation(query=query, variables=variables, name=name or None, size=size)


def bad_request(message: str) -> HttpError:
    """Make the error that refuses a request for its form."""
    return HttpError(400, "BAD_REQUEST", message)


def _too_slow(patience: Patience) -> HttpError:
    message = (
        f"The request comes too slowly: send {patience.bytes_per_second:,} bytes a second or more, "
        f"and pause for no more than {patience.idle_seconds:g} seconds."
    )
    return HttpError(408, "TIMEOUT", message, {"Connection": "close"})


def _too_large(limit: int) -> HttpError:
    # The connection stays: closed while the rest is on its way, it would be reset, and the client
    # would see that instead of this answer. The server throws the rest away as it comes.
    return HttpError(413, "TOO_LARGE", f"The request is larger than {limit:,} bytes, the most.")
