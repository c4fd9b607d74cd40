"""Executing operations: queries and mutations once, subscriptions for each event."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from functools import lru_cache
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import create_source_event_stream

from api.errors import AnswerTooLargeError, shape_error
from api.execution.cost import check_answer
from api.execution.executor import Executor, Memory
from api.execution.prepare import OperationRefusedError, is_remembered, prepare
from api.schema.definition import schema
from api.schema.importing.imports import Import

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Container
    from contextlib import AbstractAsyncContextManager

    from graphql import DocumentNode

    from api.access.context import Context
    from api.events.import_state import Answer, Update
    from api.execution.prepare import Prepared
    from api.http.body import Operation
    from api.limits import QueryLimits

_REMEMBERED = 256
# Of a page of a hundred objects with all their fields there are fewer.
_MANY_VALUES = 2_000
# Answers that need not be counted while they are on their way.
_SMALL = 64 * 1024
_DIRECTIVE = "@"
_ONCE = (OperationType.QUERY, OperationType.MUTATION)


async def execute(context: Context, operation: Operation) -> ExecutionResult:
    """Execute a query or mutation.

    Raises:
        HttpError: the document has no such operation, or it is a subscription.
    """
    try:
        prepared = await _prepare(context, operation, _ONCE)
    except OperationRefusedError as error:
        return ExecutionResult(None, error.errors)
    return await _execute(context, operation, prepared)


async def stream(context: Context, operation: Operation) -> AsyncGenerator[str, None]:
    """Execute any operation, and yield each result as JSON.

    Raises:
        OperationRefusedError: nothing is executed.
        HttpError: the document has no such operation, or the token too many subscriptions.
    """
    quota = context.quota
    payload = None
    async with quota.running:
        prepared = await _prepare(context, operation, tuple(OperationType))
        if prepared.kind in _ONCE:
            payload = _encode(await _execute(context, operation, prepared))
    if payload is not None:
        with quota.memory.hold(len(payload)):
            yield payload
        return
    with quota.subscriptions:
        async with aclosing(_subscribe(context, operation, prepared)) as payloads:
            async for payload in payloads:
                if len(payload) <= _SMALL:
                    yield payload
                    continue
                with quota.memory.hold(len(payload)):
                    yield payload


async def _prepare(
    context: Context, operation: Operation, kinds: Container[OperationType]
) -> Prepared:
    """Prepare an operation; new texts take their time.

    Raises:
        OperationRefusedError: it is not to be executed.
        HttpError: there is no such operation.
    """
    limits = context.services.settings.query
    if is_remembered(operation.query):
        return prepare(schema._schema, context.token, operation, kinds, limits)
    async with context.quota.long_work:
        return prepare(schema._schema, context.token, operation, kinds, limits)


@lru_cache(_REMEMBERED)
def _memory(query: str, name: str | None) -> Memory | None:
    return None if _DIRECTIVE in query else Memory()


async def _execute(context: Context, operation: Operation, prepared: Prepared) -> ExecutionResult:
    try:
        async with _gate(context, prepared):
            executor = _build(context, operation, prepared.document)
            result: Any = executor.execute_operation()
            result = result if isinstance(result, ExecutionResult) else await result
        return _checked(executor, result, context.services.settings.query)
    except OperationRefusedError as error:
        return ExecutionResult(None, error.errors)
    except Exception as error:
        return _failed(error)
    finally:
        # The executor knows itself, and so stays, with the context, until garbage is collected.
        context.forget()


def _gate(context: Context, prepared: Prepared) -> AbstractAsyncContextManager[None]:
    """Return what an operation has to pass; a mutation may have to wait for its client's file."""
    return context.quota.long_work if _is_long(prepared) else nullcontext()


def _is_long(prepared: Prepared) -> bool:
    return prepared.values > _MANY_VALUES and prepared.kind is not OperationType.MUTATION


def _build(context: Context, operation: Operation, document: DocumentNode) -> Executor:
    """Make an executor.

    Raises:
        OperationRefusedError: a variable is wrong.
    """
    built = Executor.build(
        schema._schema,
        document,
        context_value=context,
        raw_variable_values=operation.variables,
        operation_name=operation.name,
        memory=_memory(operation.query, operation.name),
    )
    if isinstance(built, list):
        raise OperationRefusedError(built)
    return cast("Executor", built)


async def _subscribe(
    context: Context, operation: Operation, prepared: Prepared
) -> AsyncGenerator[str, None]:
    """Yield the answer to each update, which subscribers who ask the same have in common.

    What is the same is decided by all that an answer depends on: the operation, the app, and what
    the token may do.
    """
    executor, source = await _open(context, operation, prepared.document)
    variables = orjson.dumps(operation.variables, option=orjson.OPT_SORT_KEYS)
    token = context.token
    question = (operation.query, operation.name, variables, token.app_id, token.permission)
    try:
        async with aclosing(source):
            update: Update
            async for update in source:
                answer = update.answer(question, lambda update: _answer(executor, update, prepared))
                yield answer if isinstance(answer, str) else await answer
    except Exception as error:
        yield _encode(_failed(error))


async def _open(
    context: Context, operation: Operation, document: DocumentNode
) -> tuple[Executor, AsyncGenerator[Update, None]]:
    """Begin a subscription.

    Raises:
        OperationRefusedError: its variables or arguments are wrong.
    """
    try:
        executor = _build(context, operation, document)
        source: Any = create_source_event_stream(executor)
        source = await source if isawaitable(source) else source
    except OperationRefusedError:
        raise
    except Exception as error:
        raise OperationRefusedError([_located(error)]) from error
    if isinstance(source, ExecutionResult):
        raise OperationRefusedError(source.errors or [])
    return executor, source


def _answer(subscription: Executor, update: Update, prepared: Prepared) -> Answer:
    """Execute a subscription for one update: at once, or when it is its turn.

    In one step of the event loop there may be many updates, and many questions about each.
    """
    executor = subscription.build_per_event_executor(Import.from_row(update.row))
    context: Context = subscription.context_value.anew()
    executor.context_value = context
    quota = context.quota
    if _is_long(prepared) or quota.running.locked() or not quota.at_once.take():
        return _answer_in_turn(context, executor, prepared)
    return _begin(context, executor)


async def _answer_in_turn(context: Context, executor: Executor, prepared: Prepared) -> str:
    async with context.quota.running, _gate(context, prepared):
        await asyncio.sleep(0)
        answer = _begin(context, executor)
        return answer if isinstance(answer, str) else await answer


def _begin(context: Context, executor: Executor) -> Answer:
    """Execute an update; at once, if no field has to wait."""
    limits = context.services.settings.query
    result: Any = executor.execute_operation(False)
    if isinstance(result, ExecutionResult):
        return _encode(_checked(executor, result, limits))

    async def wait() -> str:
        try:
            return _encode(_checked(executor, await result, limits))
        except Exception as error:
            return _encode(_failed(error))

    return wait()


def _checked(executor: Executor, result: ExecutionResult, limits: QueryLimits) -> ExecutionResult:
    """Return a result, or the error that it is too large to be sent."""
    try:
        check_answer(executor.characters, limits)
    except AnswerTooLargeError as error:
        return _failed(error)
    return result


def _encode(result: ExecutionResult) -> str:
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [shape_error(error) for error in result.errors]
    return orjson.dumps(payload).decode()


def _failed(error: Exception) -> ExecutionResult:
    return ExecutionResult(None, [_located(error)])


def _located(error: Exception) -> GraphQLError:
    if isinstance(error, GraphQLError):
        return error
    return GraphQLError(str(error), original_error=error)
