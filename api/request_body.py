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

MOST_JSON_BYTES = 1024 * 1024
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is to be executed."""

    query: str
    variables: dict[str, Any] | None
    name: str | None


async def read_json(request: Request) -> Operation:
    """Read a request with a JSON body.

    Raises:
        HttpError: the body is too large or not what it should be.
    """
    body = bytearray()
    async for block in limited(request, MOST_JSON_BYTES):
        body += block
    return to_operation(parse_json(bytes(body), "The body"))


async def limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the body's blocks; stop with an HttpError when there are more bytes than allowed."""
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdigit() else 0
    if size > limit:
        raise _too_large(limit)
    size = 0
    blocks = request.stream()
    while (block := await _next(blocks)) is not None:
        size += len(block)
        if size > limit:
            raise _too_large(limit)
        yield block


async def _next(blocks: AsyncGenerator[bytes, None]) -> bytes | None:
    """Wait for the next block, but not for ever."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            return await anext(blocks, None)
    except TimeoutError as error:
        message = f"Nothing came for {IDLE_SECONDS:.0f} seconds."
        raise HttpError(408, "TIMEOUT", message, {"Connection": "close"}) from error


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


def to_operation(body: object) -> Operation:
    """Check the shape of a request.

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
    return Operation(query=query, variables=variables, name=name or None)


def bad_request(message: str) -> HttpError:
    """Make the error that refuses a request for its form."""
    return HttpError(400, "BAD_REQUEST", message)


def _too_large(limit: int) -> HttpError:
    # The connection stays: closed while the rest is on its way, it would be reset, and the client
    # would see that instead of this answer. The server throws the rest away as it comes.
    return HttpError(413, "TOO_LARGE", f"The request is larger than {limit:,} bytes.")
