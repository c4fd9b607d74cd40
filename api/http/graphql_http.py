"""GraphQL over HTTP: POST only, and every error in GraphQL's shape."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.access.authentication import authenticate
from api.access.context import Context
from api.errors import AnswerTooLargeError, HttpError, shape_error
from api.execution.execute import execute
from api.execution.prepare import to_operation
from api.http.body import declared_length, parse_json, read_body
from api.http.multipart_request import read_multipart
from api.http.responses import JSON, SLICE_BYTES, CountedAnswer, json_response, refuse
from models.app import Permission

if TYPE_CHECKING:
    from graphql import ExecutionResult

log = logging.getLogger(__name__)

_GRAPHQL_JSON = "application/graphql-response+json"
_CLIENT_CLOSED = 499
# To parse a longer body blocks the event loop for long enough to delay other requests.
_LONG_BODY = 64 * 1024
# What a request with a short body costs: buffers of the connection, tasks, what is parsed.
_LEAST_BYTES = 256 * 1024
_POST_ONLY = HttpError(405, "METHOD_NOT_ALLOWED", "Send GraphQL by POST.", {"Allow": "POST"})
_STOPPING = HttpError(
    503, "STOPPING", "The service is stopping; try again.", {"Connection": "close"}
)


async def serve_graphql(request: Request) -> Response:
    """Answer one GraphQL request."""
    media_type = _GRAPHQL_JSON if _GRAPHQL_JSON in request.headers.get("accept", "") else JSON
    if request.method != "POST":
        return refuse(_POST_ONLY, media_type)
    try:
        context = Context(request.app.state.services, await authenticate(request))
        answer = _encode_result(await _execute(request, context), media_type)
    except HttpError as error:
        return refuse(error, media_type)
    except asyncio.CancelledError:  # uvicorn is stopping, and has waited its time
        return refuse(_STOPPING, media_type)
    except ClientDisconnect:
        log.info("a client left before its request was complete")
        return Response(status_code=_CLIENT_CLOSED)
    # A shorter one fits into the connection's write buffer, and into the kernel's.
    is_long = len(answer.body) > SLICE_BYTES
    return CountedAnswer(answer, context.quota.memory) if is_long else answer


async def _execute(request: Request, context: Context) -> ExecutionResult:
    settings = context.services.settings
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == JSON:
        limit = settings.max_request_bytes
        # Counted before it is read; a body without a stated length may become as long as allowed.
        size = max(declared_length(request, limit) or limit, _LEAST_BYTES)
        with context.quota.memory.reserve(size):
            body = await read_body(request, limit, settings.patience)
            async with context.quota.running:
                # Parsed in its turn, since what is parsed takes more memory.
                async with context.quota.long_work if len(body) > _LONG_BODY else nullcontext():
                    operation = to_operation(parse_json(body, "The body"))
                return await execute(context, operation)
    if content_type != "multipart/form-data":
        message = "Send application/json, or multipart/form-data with a file."
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if context.token.permission is not Permission.ADMIN:
        raise HttpError(403, "FORBIDDEN", "This token may only read.")
    # An upload takes no place in `running`: it lasts as long as its client sends, and a few slow
    # clients would hold up all other requests of the token.
    with context.quota.uploads.reserve():
        async with read_multipart(request, settings) as operation:
            return await execute(context, operation)


def _encode_result(result: ExecutionResult, media_type: str) -> Response:
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
