"""GraphQL multipart requests: an operation, which may begin while its file is still arriving."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from api.errors import bad_request
from api.execution.prepare import Operation, to_operation
from api.http.body import parse_json, read_blocks
from api.http.multipart.parser import MultipartBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from api.access.persisted_queries import PersistedQueries
    from api.schema.uploads.upload import UploadedFile
    from api.settings import Settings

# A browser sends none of these from a form of another site, but only from a script, after it has
# asked this server (CORS). So no other site can make a browser upload a file.
PREFLIGHT_HEADERS = (
    "graphql-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-requested-with",
)
_FIELDS = {"operations", "map"}


@asynccontextmanager
async def read_multipart(
    request: Request, settings: Settings, persisted: PersistedQueries
) -> AsyncIterator[Operation]:
    """Read a multipart request up to its file, and the file as far as the operation asks for it.

    The file exists as long as the block. `HttpConnection` throws away what is unread when the block
    ends.

    Raises:
        HttpError: the request is malformed or too large, which may be found within the block.
        ClientDisconnect: the client has left.
    """
    if not any(request.headers.get(name) for name in PREFLIGHT_HEADERS):
        raise bad_request(
            "A multipart request needs one of the headers GraphQL-Preflight, "
            "Apollo-Require-Preflight, X-Apollo-Operation-Name and X-Requested-With."
        )
    # Besides the file there are two fields, and a little around each part.
    limit = settings.limits.max_bytes + 2 * settings.max_request_bytes
    blocks = read_blocks(request, limit, settings.patience)
    body = MultipartBody(request.headers["content-type"], blocks, settings.max_request_bytes)
    try:
        while not body.is_whole and not (body.files and body.fields.keys() >= _FIELDS):
            await body.read_on()
        yield to_operation(persisted.fill_in(_map_file(body)))
        if body.error is not None:
            raise body.error
    finally:
        body.close()


def _map_file(body: MultipartBody) -> dict[str, Any]:
    """Return `operations`, with the file at the path that `map` gives."""
    operations, places = _parse_field(body, "operations"), _parse_field(body, "map")
    for name, value in (("operations", operations), ("map", places)):
        if not isinstance(value, dict):
            raise bad_request(f"'{name}' has to be an object.")
    if not body.fields.keys() | body.files.keys() <= {*_FIELDS, *places}:
        raise bad_request("'map' does not say where the file belongs.")
    for name, paths in places.items():
        if not isinstance(paths, list) or len(paths) != 1 or not isinstance(paths[0], str):
            raise bad_request("'map' has to give one path for the file.")
        if name not in body.files:
            raise bad_request("'map' names a part that is missing or is not a file.")
        _place(operations, paths[0], body.files[name])
    return cast("dict[str, Any]", operations)


def _parse_field(body: MultipartBody, name: str) -> Any:
    if name not in body.fields:
        raise bad_request(f"The multipart body needs the field '{name}', as text.")
    return parse_json(body.fields[name], f"'{name}'")


def _place(operations: dict[str, Any], path: str, file: UploadedFile) -> None:
    """Put the file where the operation holds null for it."""
    *steps, last = path.split(".")
    target: Any = operations
    for step in steps:
        target = _step(target, step)
    if _step(target, last) is not None or steps[:1] != ["variables"]:
        raise bad_request("'map' has to point at a variable that is null.")
    target[int(last) if isinstance(target, list) else last] = file


def _step(target: object, step: str) -> Any:
    if isinstance(target, dict) and step in target:
        return target[step]
    is_index = step.isascii() and step.isdigit() and len(step) < 5
    if isinstance(target, list) and is_index and int(step) < len(target):
        return target[int(step)]
    raise bad_request("'map' points at nothing in 'operations'.")
