"""Executing the operations of WebSockets: queries and mutations once, subscriptions per event."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import orjson
from graphql import ExecutionResult, OperationType
from graphql.execution import create_source_event_stream

from api.execution.execute import (
    ONCE,
    bounded_result,
    build_executor,
    encode_result,
    error_result,
    execute_once,
    is_long,
    long_work,
    prepare_operation,
    to_graphql_error,
)
from api.execution.prepare import OperationRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from api.access.context import Context
    from api.events.event import Payload, ResultText
    from api.execution.executor import Executor
    from api.execution.operation import Operation
    from api.execution.prepare import PreparedOperation

# Shorter results of events are not worth counting while they are on their way.
_SMALL = 64 * 1024


async def stream(context: Context, operation: Operation) -> AsyncGenerator[str, None]:
    """Execute any operation, and yield each result as JSON.

    Raises:
        OperationRefusedError: nothing is executed.
        HttpError: the document has no such operation, or the token too many subscriptions.
    """
    quota = context.quota
    result = None
    async with quota.running:
        prepared = await prepare_operation(context, operation, tuple(OperationType))
        if prepared.kind in ONCE:
            result = encode_result(await execute_once(context, operation, prepared))
    if result is not None:
        with quota.memory.hold(len(result)):
            yield result
        return
    with quota.subscriptions.reserve():
        async with aclosing(_subscribe(context, operation, prepared)) as results:
            async for result in results:
                if len(result) <= _SMALL:
                    yield result
                    continue
                with quota.memory.hold(len(result)):
                    yield result


async def _subscribe(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> AsyncGenerator[str, None]:
    """Yield the result of each event; subscribers who make the same request share it.

    A request is the same if everything is that a result depends on: the operation, the app, and
    what the token may do.
    """
    executor, source = await _open_source(context, operation, prepared)
    variables = orjson.dumps(operation.variables, option=orjson.OPT_SORT_KEYS)
    token = context.token
    request = (operation.query, operation.name, variables, token.app_id, token.permission)
    try:
        async with aclosing(source):
            payload: Payload
            async for payload in source:
                execute = partial(_execute_event, executor, payload, prepared)
                result = payload.event.result(request, execute)
                yield result if isinstance(result, str) else await result
    except Exception as error:
        yield encode_result(error_result(error))


async def _open_source(
    context: Context, operation: Operation, prepared: PreparedOperation
) -> tuple[Executor, AsyncGenerator[Payload, None]]:
    """Begin a subscription.

    Raises:
        OperationRefusedError: its variables or arguments are wrong.
    """
    try:
        executor = build_executor(context, operation, prepared)
        source: Any = create_source_event_stream(executor)
        source = await source if isawaitable(source) else source
    except OperationRefusedError:
        raise
    except Exception as error:
        raise OperationRefusedError([to_graphql_error(error)]) from error
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
    executor = subscription.build_per_event_executor(payload.show(payload.event))
    context: Context = subscription.context_value.anew()
    executor.context_value = context
    quota = context.quota
    if is_long(prepared) or quota.running.locked() or not quota.at_once.take():
        return _execute_in_turn(context, executor, prepared)
    return _begin(executor)


async def _execute_in_turn(
    context: Context, executor: Executor, prepared: PreparedOperation
) -> str:
    async with context.quota.running, long_work(context, prepared):
        await asyncio.sleep(0)
        result = _begin(executor)
        return result if isinstance(result, str) else await result


def _begin(executor: Executor) -> ResultText:
    """Execute an event; without waiting, if no field has to wait."""
    result: Any = executor.execute_operation(False)
    if isinstance(result, ExecutionResult):
        return encode_result(bounded_result(executor, result))

    async def wait() -> str:
        try:
            return encode_result(bounded_result(executor, await result))
        except Exception as error:
            return encode_result(error_result(error))

    return wait()
