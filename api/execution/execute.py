"""Executing queries and mutations, once each."""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType

from api.errors import AnswerTooLargeError, shape_error
from api.execution.executor import Executor, SelectionCache
from api.execution.prepare import OperationRefusedError, is_remembered, prepare
from api.schema.definition import schema

if TYPE_CHECKING:
    from collections.abc import Container
    from contextlib import AbstractAsyncContextManager

    from api.access.context import Context
    from api.execution.operation import Operation
    from api.execution.prepare import PreparedOperation

ONCE = (OperationType.QUERY, OperationType.MUTATION)
"""The kinds of operations that have one result."""

_REMEMBERED = 256
# A page of a hundred objects with all their fields has fewer.
_MANY_VALUES = 2_000
_DIRECTIVE = "@"


async def execute(context: Context, operation: Operation) -> ExecutionResult:
    """Execute a query or mutation.

    Raises:
        HttpError: the document has no such operation, or it is a subscription.
    """
    try:
        prepared = await prepare_operation(context, operation, ONCE)
    except OperationRefusedError as error:
        return ExecutionResult(None, error.errors)
    return await execute_once(context, operation, prepared)


async def prepare_operation(
    context: Context, operation: Operation, kinds: Container[OperationType]
) -> PreparedOperation:
    """Prepare an operation; a new text waits for the token's other long work.

    Raises:
        OperationRefusedError: it is not to be executed.
        HttpError: the document has no such operation.
    """
    limits = context.services.settings.query
    if is_remembered(operation.query):
        return prepare(schema._schema, context.token, operation, kinds, limits)
    async with context.quota.long_work:
        return prepare(schema._schema, context.token, operation, kinds, limits)


async def execute_once(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> ExecutionResult:
    """Execute a query or mutation that is prepared."""
    try:
        async with long_work(context, prepared):
            executor = build_executor(context, operation, prepared)
            result: Any = executor.execute_operation()
            result = result if isinstance(result, ExecutionResult) else await result
        return bounded_result(executor, result)
    except OperationRefusedError as error:
        return ExecutionResult(None, error.errors)
    except Exception as error:
        return error_result(error)
    finally:
        # The executor refers to itself, so it and its context stay until Python's next collection.
        context.forget()


def long_work(context: Context, prepared: PreparedOperation) -> AbstractAsyncContextManager[None]:
    """Return what to hold while an operation is executed: a lock, if its answer is long."""
    return context.quota.long_work if is_long(prepared) else nullcontext()


def is_long(prepared: PreparedOperation) -> bool:
    """Tell whether completing the answer blocks the event loop for long.

    Mutations don't count: while one waits for its client's file, it must not hold a lock.
    """
    return prepared.values > _MANY_VALUES and prepared.kind is not OperationType.MUTATION


def build_executor(context: Context, operation: Operation, prepared: PreparedOperation) -> Executor:
    """Make an executor.

    Raises:
        OperationRefusedError: a variable is wrong.
    """
    built = Executor.build(
        schema._schema,
        prepared.document,
        context_value=context,
        raw_variable_values=operation.variables,
        operation_name=operation.name,
        cache=_selection_cache(operation.query, operation.name),
    )
    if isinstance(built, list):
        raise OperationRefusedError(built)
    return cast("Executor", built)


@lru_cache(_REMEMBERED)
def _selection_cache(query: str, name: str | None) -> SelectionCache | None:
    """Return what executions of an operation share; a directive may depend on variables."""
    return None if _DIRECTIVE in query else SelectionCache()


def bounded_result(executor: Executor, result: ExecutionResult) -> ExecutionResult:
    """Return a result, or instead the error that it has too much text to be sent.

    The same long text may be in it under many names; until it is encoded, it takes no more room.
    """
    limit = executor.context_value.services.settings.query.answer_characters
    if executor.characters > limit:
        return error_result(AnswerTooLargeError(executor.characters, limit))
    return result


def error_result(error: Exception) -> ExecutionResult:
    """Return the result of an operation that failed as a whole."""
    return ExecutionResult(None, [to_graphql_error(error)])


def to_graphql_error(error: Exception) -> GraphQLError:
    """Wrap an exception, so that its message is masked where it is sent."""
    if isinstance(error, GraphQLError):
        return error
    return GraphQLError(str(error), original_error=error)


def encode_result(result: ExecutionResult) -> str:
    """Write a result as JSON, as it is sent over a WebSocket."""
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [shape_error(error) for error in result.errors]
    return orjson.dumps(payload).decode()
