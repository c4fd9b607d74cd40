"""Executing operations: queries and mutations once, subscriptions for each event."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing, nullcontext
from functools import lru_cache, partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import create_source_event_stream

from api.errors import AnswerTooLargeError, shape_error
from api.execution.executor import Executor, SelectionCache
from api.execution.prepare import OperationRefusedError, is_remembered, prepare
from api.language import translator
from api.schema.definition import schema

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Container
    from contextlib import AbstractAsyncContextManager

    from api.access.context import Context
    from api.events.event import Payload, ResultText
    from api.execution.prepare import Operation, PreparedOperation

_ONCE = (OperationType.QUERY, OperationType.MUTATION)
_REMEMBERED = 256
# A page of a hundred objects with all their fields has fewer.
_MANY_VALUES = 2_000
# Shorter results of events are not worth counting while they are on their way.
_SMALL = 64 * 1024


async def execute(
    context: Context, operation: Operation, kinds: Container[OperationType] = _ONCE
) -> ExecutionResult:
    """Execute an operation of these kinds once.

    Raises:
        HttpError: the document has no such operation, or it is of another kind.
    """
    try:
        prepared = await _prepare(context, operation, kinds)
    except OperationRefusedError as error:
        return ExecutionResult(None, error.errors)
    return await _execute_once(context, operation, prepared)


async def stream(context: Context, operation: Operation) -> AsyncGenerator[str, None]:
    """Execute any operation, and yield each result as JSON.

    Raises:
        OperationRefusedError: nothing is executed.
        HttpError: the document has no such operation, or the token too many subscriptions.
    """
    quota = context.quota
    result = None
    async with quota.running:
        prepared = await _prepare(context, operation, tuple(OperationType))
        if prepared.kind in _ONCE:
            result = _encode_result(await _execute_once(context, operation, prepared))
    # Outside `running`: while its client takes the answer, other operations of the token may run.
    if result is not None:
        with quota.memory.hold(len(result)):
            yield result
        return
    with quota.subscriptions.reserve():
        async with aclosing(_subscribe(context, operation, prepared)) as results:
            async for result in results:
                with nullcontext() if len(result) <= _SMALL else quota.memory.hold(len(result)):
                    yield result


async def _prepare(
    context: Context, operation: Operation, kinds: Container[OperationType]
) -> PreparedOperation:
    """Prepare an operation; a new text waits for the token's other long work."""
    limits = context.services.settings.query
    async with nullcontext() if is_remembered(operation.query) else context.quota.long_work:
        return prepare(schema._schema, context.token, operation, kinds, limits)


async def _execute_once(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> ExecutionResult:
    try:
        async with _long_work(context, prepared):
            executor = _build_executor(context, operation, prepared)
            with closing(executor):
                result: Any = executor.execute_operation()
                result = result if isinstance(result, ExecutionResult) else await result
        result = _bounded_result(executor, result)
    except OperationRefusedError as error:
        return ExecutionResult(None, error.errors)
    except Exception as error:
        result = _error_result(error)
    finally:
        # The executor refers to itself, so it and its context stay until Python's next collection.
        context.forget()
    if operation.wants_cost:
        result.extensions = _describe_cost(context, prepared)
    return cast("ExecutionResult", result)


def _describe_cost(context: Context, prepared: PreparedOperation) -> dict[str, Any]:
    """Return what an answer says about its operation's cost, and what the token has left."""
    rate = context.quota.rate
    return {
        "cost": {"values": prepared.values, "most": context.services.settings.query.values},
        "rate": {"perSecond": rate.rate, "left": rate.left},
    }


async def _subscribe(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> AsyncGenerator[str, None]:
    """Yield the result of each event; subscribers who make the same request share it.

    A request is the same if everything is that a result depends on: the operation, the app,
    what the token may do, and the language.
    """
    executor, source = await _open_source(context, operation, prepared)
    # Sorted, so that clients that write the same variables in another order share results.
    variables = orjson.dumps(operation.variables, option=orjson.OPT_SORT_KEYS)
    token = context.token
    request = (
        *(operation.query, operation.name, variables),
        *(token.app_id, token.permission, translator().language),
    )
    try:
        async with aclosing(source):
            async for payload in source:
                execute = partial(_execute_event, executor, payload, prepared)
                result = payload.event.result(request, execute)
                yield result if isinstance(result, str) else await result
    except Exception as error:
        yield _encode_result(_error_result(error))


async def _open_source(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> tuple[Executor, AsyncGenerator[Payload, None]]:
    """Begin a subscription; wrong variables or arguments raise `OperationRefusedError`."""
    try:
        executor = _build_executor(context, operation, prepared)
        source: Any = create_source_event_stream(executor)
        source = await source if isawaitable(source) else source
    except OperationRefusedError:
        raise
    except Exception as error:
        raise OperationRefusedError([_to_graphql_error(error)]) from error
    if isinstance(source, ExecutionResult):
        raise OperationRefusedError(source.errors or [])
    return executor, source


def _execute_event(
    subscription: Executor, payload: Payload, prepared: PreparedOperation
) -> ResultText:
    """Execute a subscription for one event: at once, or when it is its turn.

    One step of the event loop may bring many events, and many requests for each. Only the first
    result is made at once, so that the others do not block requests of other tokens.
    """
    executor = subscription.build_per_event_executor(payload.show(payload.event.row))
    context: Context = subscription.context_value.anew()
    executor.context_value = context
    quota = context.quota
    if not (_is_long(prepared) or quota.running.locked()) and quota.at_once.take():
        return _begin(executor)

    async def execute_in_turn() -> str:
        async with quota.running, _long_work(context, prepared):
            # A step of its own: without it, all that are free to run would run in one step.
            await asyncio.sleep(0)
            result = _begin(executor)
            return result if isinstance(result, str) else await result

    return execute_in_turn()


def _begin(executor: Executor) -> ResultText:
    """Execute an event; without waiting, if no field has to wait."""
    try:
        result: Any = executor.execute_operation(False)
    except Exception as error:  # a bug: one event shows it, and the subscription goes on
        return _encode_result(_error_result(error))
    if isinstance(result, ExecutionResult):
        return _encode_result(_bounded_result(executor, result))

    async def wait() -> str:
        try:
            with closing(executor):
                return _encode_result(_bounded_result(executor, await result))
        except Exception as error:
            return _encode_result(_error_result(error))

    return wait()


def _long_work(context: Context, prepared: PreparedOperation) -> AbstractAsyncContextManager[None]:
    """Return what to hold while an operation is executed: a lock, if its answer is long."""
    is_long = _is_long(prepared)
    return context.scope.in_turn(context.quota.long_work) if is_long else nullcontext()


def _is_long(prepared: PreparedOperation) -> bool:
    """Tell whether completing the answer blocks the event loop for long.

    Mutations don't count: while one waits for its client's file, it must not hold a lock.
    """
    return prepared.values > _MANY_VALUES and prepared.kind is not OperationType.MUTATION


def _build_executor(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> Executor:
    """Make an executor; a wrong variable raises `OperationRefusedError`."""
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
    return None if "@" in query else SelectionCache()


def _bounded_result(executor: Executor, result: ExecutionResult) -> ExecutionResult:
    """Return a result, or instead the error that it has too much text to be sent.

    The same long text may be in it under many names; until it is encoded, it takes no more room.
    """
    limit = executor.context_value.services.settings.query.answer_characters
    if executor.characters > limit:
        return _error_result(AnswerTooLargeError(executor.characters, limit))
    return result


def _error_result(error: Exception) -> ExecutionResult:
    """Return the result of an operation that failed as a whole."""
    return ExecutionResult(None, [_to_graphql_error(error)])


def _to_graphql_error(error: Exception) -> GraphQLError:
    """Wrap an exception, so that its message is masked where it is sent."""
    if isinstance(error, GraphQLError):
        return error
    return GraphQLError(str(error), original_error=error)


def _encode_result(result: ExecutionResult) -> str:
    """Write a result as JSON, as it is sent over a WebSocket."""
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [shape_error(error) for error in result.errors]
    if result.extensions:
        payload["extensions"] = result.extensions
    return orjson.dumps(payload).decode()
