"""GraphQL over HTTP: queries by GET, all else by POST, and every error in GraphQL's shape."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from api.access.authentication import authenticate
from api.access.context import Context
from api.errors import AnswerTooLargeError, HttpError, shape_error
from api.execution.execute import execute
from api.execution.prepare import to_operation
from api.http.accept import GRAPHQL_JSON, choose_media_type
from api.http.body import declared_length, parse_json, read_body
from api.http.multipart.request import read_multipart
from api.http.query_string import read_query_string
from api.http.responses import JSON, SLICE_BYTES, CountedAnswer, json_response, refuse
from models.app import Permission

if TYPE_CHECKING:
    from graphql import ExecutionResult

log = logging.getLogger(__name__)

_CLIENT_CLOSED = 499
# To parse a longer body blocks the event loop for long enough to delay other requests.
_LONG_BODY = 64 * 1024
# What a request with a short body costs: buffers of the connection, tasks, what is parsed.
_LEAST_BYTES = 256 * 1024
_STOPPING = HttpError(
    503, "STOPPING", "The service is stopping; try again.", {"Connection": "close"}
)


async def serve_graphql(request: Request) -> Response:
    """Answer one GraphQL request; a browser that opens the address is led to the console."""
    if _is_person(request):
        root = request.app.state.services.settings.root_path
        return RedirectResponse(f"{root}/console/api", 303)
    media_type = JSON
    try:
        media_type = choose_media_type(",".join(request.headers.getlist("accept")))
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


def _is_person(request: Request) -> bool:
    """Tell whether a browser opens the address itself, without any query."""
    is_page = request.headers.get("accept", "").startswith("text/html")
    return (
        request.method == "GET"
        and is_page
        and "query" not in request.query_params
        and "extensions" not in request.query_params
        and request.app.state.services.settings.has_console
    )


async def _execute(request: Request, context: Context) -> ExecutionResult:
    if request.method != "POST":
        return await _execute_url(request, context)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        message = "Send the body as it is, without a Content-Encoding."
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == JSON:
        return await _execute_json(request, context)
    if content_type == "multipart/form-data":
        return await _execute_multipart(request, context)
    message = "Send application/json, or multipart/form-data with a file."
    raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", message)


async def _execute_url(request: Request, context: Context) -> ExecutionResult:
    """Execute the query in the URL of a GET or HEAD, which must change nothing."""
    quota = context.quota
    with quota.memory.reserve(_LEAST_BYTES):
        async with quota.running:
            body = read_query_string(request.scope["query_string"])
            operation = to_operation(quota.persisted.fill_in(body))
            return await execute(context, operation, (OperationType.QUERY,))


async def _execute_json(request: Request, context: Context) -> ExecutionResult:
    settings, quota = context.services.settings, context.quota
    limit = settings.max_request_bytes
    # Counted before it is read; a body without a stated length may become as long as allowed.
    size = max(declared_length(request, limit) or limit, _LEAST_BYTES)
    with quota.memory.reserve(size):
        body = await read_body(request, limit, settings.patience)
        async with quota.running:
            # Parsed in its turn, since what is parsed takes more memory.
            async with quota.long_work if len(body) > _LONG_BODY else nullcontext():
                operation = to_operation(quota.persisted.fill_in(parse_json(body, "The body")))
            return await execute(context, operation)


async def _execute_multipart(request: Request, context: Context) -> ExecutionResult:
    if context.token.permission is not Permission.ADMIN:
        raise HttpError(403, "FORBIDDEN", "This token may only read.")
    settings, quota = context.services.settings, context.quota
    # An upload takes no place in `running`: it lasts as long as its client sends, and a few slow
    # clients would hold up all other requests of the token.
    with quota.uploads.reserve():
        async with read_multipart(request, settings, quota.persisted) as operation:
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
    if result.extensions:
        body["extensions"] = result.extensions
    is_refused = media_type == GRAPHQL_JSON and not was_executed
    return json_response(body, 400 if is_refused else 200, media_type)
