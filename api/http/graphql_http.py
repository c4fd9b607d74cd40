"""GraphQL over HTTP: POST only, errors always in GraphQL's shape."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from api.access.authentication import authenticate
from api.access.context import Context
from api.errors import AnswerTooLargeError, HttpError, shape_error
from api.execution.execute import execute
from api.http.body import declared_length, parse_json, read_body, to_operation
from api.http.multipart_request import read_multipart
from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from graphql import ExecutionResult
    from starlette.types import Receive, Scope, Send

    from api.access.quota import Quota
    from api.http.body import Operation

log = logging.getLogger(__name__)

_JSON = "application/json"
_GRAPHQL_JSON = "application/graphql-response+json"
# Answers to POST are neither kept nor opened by browsers; refusals may be answers to GET.
_REFUSED = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_CLIENT_CLOSED = 499
_PIECE_BYTES = 64 * 1024
_LONG_BODY = 64 * 1024
# What a request costs besides its body: buffers of the connection, tasks, what is parsed.
_LEAST_BYTES = 256 * 1024
_STOPPING = HttpError(
    503, "STOPPING", "The service is stopping; try again.", {"Connection": "close"}
)


async def serve_graphql(request: Request) -> Response:
    """Answer one GraphQL request."""
    media_type = _GRAPHQL_JSON if _GRAPHQL_JSON in request.headers.get("accept", "") else _JSON
    try:
        context = await _admit(request)
        answer = _shape(await _answer(request, context), media_type)
    except HttpError as error:
        return _refuse(error, media_type)
    except asyncio.CancelledError:  # uvicorn has waited long enough for this request
        return _refuse(_STOPPING, media_type)
    except ClientDisconnect:
        log.info("a client left in the middle of its request")
        return Response(status_code=_CLIENT_CLOSED)
    return answer if len(answer.body) <= _PIECE_BYTES else _Large(answer, context.quota)


class _Large(StreamingResponse):
    """An answer that is sent piece by piece, and counts until its client has taken it.

    Before it takes a piece, the server waits until there is not much of the last one left.
    """

    def __init__(self, answer: Response, quota: Quota) -> None:
        super().__init__(_pieces(answer.body), answer.status_code, answer.headers)
        self._size = len(answer.body)
        self._quota = quota

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._quota.memory.hold(self._size):
            await super().__call__(scope, receive, send)


async def _pieces(body: bytes | memoryview) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield bytes(body[start : start + _PIECE_BYTES])


def json_response(
    body: object,
    status: int = 200,
    media_type: str = _JSON,
    headers: dict[str, str] | None = None,
) -> Response:
    """Encode a response."""
    about = {"Content-Type": f"{media_type}; charset=utf-8", **(headers or {})}
    return Response(orjson.dumps(body), status, headers=about if status < 400 else _REFUSED | about)


def _refuse(error: HttpError, media_type: str) -> Response:
    return json_response(error.body, error.status, media_type, error.headers)


async def _admit(request: Request) -> Context:
    if request.method != "POST":
        raise HttpError(405, "METHOD_NOT_ALLOWED", "Send GraphQL by POST.", {"Allow": "POST"})
    return Context(request.app.state.services, await authenticate(request))


async def _answer(request: Request, context: Context) -> ExecutionResult:
    settings = context.services.settings
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == _JSON:
        limit = settings.max_request_bytes
        size = max(declared_length(request, limit) or limit, _LEAST_BYTES)
        with context.quota.memory.reserve(size):
            body = await read_body(request, limit, settings.patience)
            async with context.quota.running:
                return await execute(context, await _parse(context, body))
    if content_type != "multipart/form-data":
        message = "Send application/json, or multipart/form-data with a file."
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if context.token.permission is not Permission.ADMIN:
        raise HttpError(403, "FORBIDDEN", "This token may only read.")
    with context.quota.uploads:
        async with read_multipart(request, settings) as operation:
            return await execute(context, operation)


async def _parse(context: Context, body: bytes) -> Operation:
    """Parse a body in its turn: until then, bytes take a small part of the memory."""
    gate = context.quota.long_work if len(body) > _LONG_BODY else nullcontext()
    async with gate:
        return to_operation(parse_json(body, "The body"))


def _shape(result: ExecutionResult, media_type: str) -> Response:
    """Encode a result; only the newer media type says by its status that nothing was executed."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [shape_error(error) for error in result.errors]
    was_executed = result.data is not None or any(
        error.path or isinstance(error, AnswerTooLargeError) for error in result.errors or ()
    )
    if was_executed:
        body["data"] = result.data
    is_refused = media_type == _GRAPHQL_JSON and not was_executed
    return json_response(body, 400 if is_refused else 200, media_type)
