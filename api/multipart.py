"""GraphQL multipart requests: an operation and one file, spooled to disk."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.request_body import (
    MOST_JSON_BYTES,
    Operation,
    bad_request,
    limited,
    parse_json,
    to_operation,
)
from api.upload import UploadedFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

# What a form on another site can't send along, unless this server says so: nobody's browser can be
# made to upload anything.
_PREFLIGHT_HEADERS = (
    "graphql-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-requested-with",
)
_SLACK_BYTES = 2 * MOST_JSON_BYTES


@asynccontextmanager
async def read_multipart(request: Request, max_upload_bytes: int) -> AsyncIterator[Operation]:
    """Read a multipart request; its file is there as long as the block.

    Raises:
        HttpError: it is too large, or not what it should be.
    """
    if not any(request.headers.get(name) for name in _PREFLIGHT_HEADERS):
        raise bad_request(
            "A multipart request needs one of the headers GraphQL-Preflight, "
            "Apollo-Require-Preflight, X-Apollo-Operation-Name and X-Requested-With."
        )
    parser = MultiPartParser(
        request.headers,
        limited(request, max_upload_bytes + _SLACK_BYTES),
        max_files=1,
        max_fields=2,
        max_part_size=MOST_JSON_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise bad_request(f"The multipart body can't be read: {error.message}") from error
    try:
        yield _operation(form)
    finally:
        await form.close()


def _operation(form: FormData) -> Operation:
    operations = parse_json(_field(form, "operations"), "'operations'")
    places = parse_json(_field(form, "map"), "'map'")
    if not isinstance(operations, dict):
        raise bad_request("'operations' has to be an object.")
    if not isinstance(places, dict):
        raise bad_request("'map' has to be an object.")
    unmapped = [name for name in form if name not in ("operations", "map", *places)]
    if unmapped:
        raise bad_request("'map' does not say where the file belongs.")
    for name, paths in places.items():
        file = _file(form, name)
        if not isinstance(paths, list) or len(paths) != 1 or not isinstance(paths[0], str):
            raise bad_request("'map' has to give one path for the file.")
        _place(operations, paths[0], file)
    return to_operation(operations)


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str):
        raise bad_request(f"The multipart body needs the field '{name}', as text.")
    return value


def _file(form: FormData, name: str) -> UploadedFile:
    part = form.get(name)
    if not isinstance(part, UploadFile):
        raise bad_request("'map' names a part that is missing or is not a file.")
    return UploadedFile(part)


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
