"""Responses: JSON, and what is sent in slices and counted until the client has taken it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response, StreamingResponse

from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractContextManager

    from starlette.types import Receive, Scope, Send

    from api.access.quota import ConcurrencyLimit

JSON = "application/json"
# As much as a connection's write buffer takes before the server waits for the client.
SLICE_BYTES = 64 * 1024
# Browsers neither cache nor open answers to POST, but a refusal may answer a GET.
_REFUSED = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def json_response(
    body: object,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Encode a response as JSON."""
    about = {"Content-Type": f"{media_type}; charset=utf-8", **(headers or {})}
    return Response(orjson.dumps(body), status, headers=about if status < 400 else _REFUSED | about)


def refuse(error: HttpError, media_type: str = JSON) -> Response:
    """Encode an error."""
    return json_response(error.body, error.status, media_type, error.headers)


class CountedResponse(StreamingResponse):
    """A response that counts towards the token's memory until its client has taken it.

    Written at once, a long body would lie in the connection's write buffer, where no event tells
    when the client has taken it. In slices, each waits until the one before is nearly gone.

    Args:
        count: entered before the first block is read; if it raises an `HttpError`, that is sent.
    """

    def __init__(
        self,
        blocks: AsyncIterator[bytes],
        headers: Mapping[str, str],
        count: AbstractContextManager[None],
        status: int = 200,
    ) -> None:
        super().__init__(_slice(blocks), status, headers)
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as stack:
            # Here, not when the response is made: a response that is never sent would never be
            # uncounted.
            try:
                stack.enter_context(self._count)
            except HttpError as error:
                await refuse(error)(scope, receive, send)
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
