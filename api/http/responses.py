"""Responses: JSON, and what is sent in slices and counted until the client has taken it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response, StreamingResponse

from api.access.authentication import unavailable
from api.errors import HttpError
from api.language import translator
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping
    from contextlib import AbstractContextManager

    from starlette.responses import Content
    from starlette.types import Receive, Scope, Send

    from api.access.quota import ConcurrencyLimit

JSON = "application/json"
ENDLESS = "caseroll.is_endless"
"""The key of a request's scope that says that its response goes on until the client leaves."""

# As much as a connection's write buffer takes before the server waits for the client.
SLICE_BYTES = 64 * 1024
# Answers name people, and are true for a moment and for one token.
_PRIVATE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def json_response(
    body: object,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Encode a response as JSON."""
    about = {
        **_PRIVATE,
        "Content-Type": f"{media_type}; charset=utf-8",
        **language_headers(),
        **(headers or {}),
    }
    return Response(orjson.dumps(body), status, headers=about)


def language_headers() -> dict[str, str]:
    """Return the headers that say in which language an answer is, and what has chosen it."""
    return {"Content-Language": translator().language, "Vary": "Accept-Language"}


def refuse(error: HttpError, media_type: str = JSON) -> Response:
    """Encode an error."""
    return json_response(error.body, error.status, media_type, error.headers)


def refusal_of(error: Exception) -> Response:
    """Encode an error that is no bug; raise any other again."""
    if isinstance(error, HttpError):
        return refuse(error)
    # GraphQL answers a passing error of the database by the same code (`shape_error`).
    if is_passing(error):
        return refuse(unavailable())
    raise error


class CountedResponse(StreamingResponse):
    """A response that counts towards the token's memory until its client has taken it.

    Written at once, a long body would lie in the connection's write buffer, where no event tells
    when the client has taken it. In slices, each waits until the one before is nearly gone.

    Args:
        blocks: the first one is read before the response starts; an error in it is sent instead.
        count: entered before that; its `HttpError` is sent likewise.
    """

    def __init__(
        self,
        blocks: AsyncIterator[bytes],
        headers: Mapping[str, str],
        count: AbstractContextManager[None],
    ) -> None:
        super().__init__(_slice(blocks), headers=headers)
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as stack:
            # Here, not when the response is made: a response that is never sent would never be
            # uncounted.
            try:
                stack.enter_context(self._count)
                self.body_iterator = await _begin(self.body_iterator)
            except Exception as error:
                await refusal_of(error)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)


class CountedAnswer(Response):
    """A complete response that counts towards the token's memory until its client has taken it.

    A `CountedResponse` has a task that waits for its client to leave, and stops what makes the
    blocks. Here nothing is left to be stopped, and uvicorn drops what is sent to a lost connection.
    """

    def __init__(self, answer: Response, memory: ConcurrencyLimit) -> None:
        super().__init__(answer.body, answer.status_code, answer.headers)
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        with self._memory.hold(len(self.body)):
            await send({**start, "headers": self.raw_headers})
            for begin in range(0, len(self.body), SLICE_BYTES):
                block = self.body[begin : begin + SLICE_BYTES]
                await send({"type": "http.response.body", "body": block, "more_body": True})
            # Waits until the last slice is nearly gone, as each slice waits for the one before.
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _slice(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for block in blocks:
        for start in range(0, len(block), SLICE_BYTES):
            yield block[start : start + SLICE_BYTES]


async def _begin(blocks: AsyncIterable[Content]) -> AsyncIterator[Content]:
    """Read the first block, and return all of them."""
    rest = aiter(blocks)
    first = await anext(rest, b"")

    async def everything() -> AsyncIterator[Content]:
        yield first
        async for block in rest:
            yield block

    return everything()
