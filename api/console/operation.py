"""The console's GraphQL operations: read from files, and executed in process."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.errors import HttpError, shape_error
from api.execution.execute import execute
from api.execution.prepare import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import ExecutionResult

    from api.access.context import Context
    from api.http.multipart.parser import MultipartBody

FOLDER = Path(__file__).parent / "operations"
_SPREAD = re.compile(r"\.\.\.(\w+)")
# What a request over HTTP is counted with, too.
_LEAST_BYTES = 256 * 1024
_STATUS = {
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "TOO_MANY_REQUESTS": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "TIMED_OUT": 503,
}


@lru_cache(None)
def operation_text(name: str) -> str:
    """Read `operations/NAME.graphql`, with the fragments that it uses."""
    text = (FOLDER / f"{name}.graphql").read_text("utf-8")
    wanted, parts = _SPREAD.findall(text), {}
    while wanted:
        fragment = wanted.pop()
        if fragment not in parts:
            parts[fragment] = (FOLDER / f"fragments/{fragment}.graphql").read_text("utf-8")
            wanted += _SPREAD.findall(parts[fragment])
    return "\n".join([text, *(parts[fragment] for fragment in sorted(parts))])


async def run_operation(
    context: Context, name: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Run an operation as a request over HTTP would, and return its data.

    Args:
        name: of its file in `operations/`.

    Raises:
        HttpError: it was refused, or a field of it has failed.
    """
    operation = Operation(query=operation_text(name), variables=dict(variables), name=None)
    return _data_of(await execute_in_turn(context, operation))


async def execute_in_turn(context: Context, operation: Operation) -> ExecutionResult:
    """Execute an operation within the token's quota, as a request over HTTP is.

    Raises:
        HttpError: the token has too much under way.
    """
    quota = context.quota
    with quota.memory.reserve(_LEAST_BYTES):
        async with quota.running:
            return await execute(context, operation)


async def run_upload(
    context: Context, name: str, variables: Mapping[str, Any], body: MultipartBody
) -> dict[str, Any]:
    """Run a mutation whose file is still arriving; it takes no place of other operations.

    Args:
        body: where the file comes from.

    Raises:
        HttpError: as `run_operation` does, and when the body breaks off or is malformed.
        ClientDisconnect: the client has left.
    """
    operation = Operation(query=operation_text(name), variables=dict(variables), name=None)
    result = await execute(context, operation)
    # The result has it as an error of the field; that would be logged as a bug.
    if body.error is not None:
        raise body.error
    return _data_of(result)


def _data_of(result: ExecutionResult) -> dict[str, Any]:
    if result.errors:
        error = shape_error(result.errors[0])
        code = error["extensions"]["code"]
        raise HttpError(_STATUS.get(code, 400), code, error["message"])
    return result.data or {}
