"""Downloads: uploaded files, failed rows, sample files."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from api.access.authentication import UNAVAILABLE, authenticate
from api.access.scope import Scope
from api.errors import HttpError
from api.http.failed_rows_csv import failed_rows_csv
from api.http.graphql_http import json_response
from api.schema.importing.import_types import CSV_TYPE
from api.schema.importing.plugin_descriptions import ImporterDescription
from api.schema.node import key_of
from importers.sdk.sample import sample_filename
from models.db import is_passing
from models.file_part import read_part
from models.listing import IMPORTS
from models.page import find_by_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from asyncpg import Record
    from starlette.requests import Request
    from starlette.types import Receive, Send
    from starlette.types import Scope as ASGIScope

    from api.access.quota import ConcurrencyLimit, Quota
    from api.access.services import Services
    from models.access import TokenRecord

    Answer = Callable[[Request, TokenRecord], Awaitable[Response]]
    Endpoint = Callable[[Request], Awaitable[Response]]

_SLICE_BYTES = 64 * 1024
# The largest block that a download holds while its client takes it: a part of a file, or a page of
# failed rows.
_BLOCK_BYTES = 1024 * 1024


def behind_token(answer: Answer) -> Endpoint:
    """Make an endpoint that lets only requests with a token through."""

    async def endpoint(request: Request) -> Response:
        try:
            response = await answer(request, await authenticate(request))
        except HttpError as error:
            return json_response(error.body, error.status, headers=error.headers)
        except Exception as error:
            if not is_passing(error):
                raise
            return json_response(UNAVAILABLE.body, UNAVAILABLE.status)
        return _without_content(response) if request.method == "HEAD" else response

    return endpoint


def _without_content(response: Response) -> Response:
    """Return the headers alone, so that nothing is read to be thrown away."""
    bare = Response(headers=dict(response.headers))
    if "Content-Length" not in response.headers:
        del bare.headers["Content-Length"]
    return bare


async def send_file(request: Request, token: TokenRecord) -> Response:
    """Send an uploaded file, byte by byte as it came."""
    quota, scope = _open(request, token)
    row = await _find_import(request, scope)
    _check_kept(row, "file")
    first = await scope.read(read_part, row["id"], 0)
    headers = _headers(row["file_name"], "application/octet-stream")
    headers["Content-Length"] = str(row["file_size"])
    return _Download(_parts(scope, row["id"], first), headers, quota.memory)


async def send_failed_rows(request: Request, token: TokenRecord) -> Response:
    """Send the failed rows of an import."""
    quota, scope = _open(request, token)
    row = await _find_import(request, scope)
    _check_kept(row, "rows")
    if not row["failed"]:
        raise HttpError(404, "NOT_FOUND", "No row of this import has failed.")
    stem = row["file_name"].rpartition(".")[0] or row["file_name"]
    headers = _headers(f"{stem}-failed-rows.csv", CSV_TYPE)
    return _Download(failed_rows_csv(scope, row), headers, quota.memory)


async def send_sample(request: Request, token: TokenRecord) -> Response:
    """Send a type's sample file."""
    name = request.path_params["name"]
    importers = request.app.state.services.registry.importers
    key = next((key for key in importers if sample_filename(key) == name), None)
    if key is None:
        raise HttpError(404, "NOT_FOUND", "There is no such sample file.")
    content = await ImporterDescription(key, importers[key]).sample()
    if content is None:
        raise HttpError(500, "PLUGIN_ERROR", "The plugin of this type can't write its sample.")
    return Response(content.encode(), headers=_headers(name, CSV_TYPE))


def _open(request: Request, token: TokenRecord) -> tuple[Quota, Scope]:
    """Return what the token may have, and what it sees."""
    services: Services = request.app.state.services
    quota = services.quotas.for_token(token.id)
    return quota, Scope(services.pool, token.app_id, quota.connections)


class _Download(StreamingResponse):
    """A response that counts as a block of memory while it is sent, or is refused."""

    def __init__(
        self, blocks: AsyncIterator[bytes], headers: Mapping[str, str], memory: ConcurrencyLimit
    ) -> None:
        super().__init__(_sliced(blocks), headers=headers)
        self._memory = memory

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send it."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self._memory.reserve(_BLOCK_BYTES))
            except HttpError as error:
                refusal = json_response(error.body, error.status, headers=error.headers)
                await refusal(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)


async def _sliced(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Send little at a time: what a client does not take has to wait in memory."""
    async for block in blocks:
        for start in range(0, len(block), _SLICE_BYTES):
            yield block[start : start + _SLICE_BYTES]


def _check_kept(row: Record, what: str) -> None:
    if purged_at := row["purged_at"]:
        message = (
            f"The {what} of this import went on {purged_at:%Y-%m-%d}, when the time was over for "
            "which files and rows are kept. Its counts and the history of its changes stay."
        )
        raise HttpError(410, "GONE", message)


async def _find_import(request: Request, scope: Scope) -> Record:
    key = key_of("Import", request.path_params["import_id"])
    rows = [] if key is None else await scope.read(find_by_id, IMPORTS, [key])
    if not rows:
        raise HttpError(404, "NOT_FOUND", "There is no such import.")
    return rows[0]


async def _parts(scope: Scope, import_id: int, part: bytes | None) -> AsyncIterator[bytes]:
    """Read part after part; no connection is held while the client takes its time."""
    number = 0
    while part is not None:
        yield part
        number += 1
        part = await scope.read(read_part, import_id, number)


def _headers(filename: str, media_type: str) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(filename),
        "Content-Type": media_type,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cache-Control": "private, no-store",
    }


def content_disposition(filename: str) -> str:
    """Name a download, for clients of any age, whatever the name holds (RFC 6266).

    Example:
        >>> content_disposition('Mai "neu" é.csv')
        'attachment; filename="Mai _neu_ _.csv"; filename*=UTF-8\\'\\'Mai%20%22neu%22%20%C3%A9.csv'
    """
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_"
        for letter in filename
    )
    header = f'attachment; filename="{plain}"'
    return header if plain == filename else f"{header}; filename*=UTF-8''{quote(filename, safe='')}"
