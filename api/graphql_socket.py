"""GraphQL over WebSocket: the protocol graphql-transport-ws, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import orjson
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.types.execution import ExecutionResult, PreExecutionError

from api.access import find_bearer
from api.context import Context
from api.errors import HttpError, shape_error
from api.request_body import MOST_JSON_BYTES, Operation, to_operation
from api.schema import schema

if TYPE_CHECKING:
    from starlette.types import Message

    from api.context import Services

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
# A peer that does not take a message for so long is gone, or means no good.
SEND_SECONDS = 30.0
MOST_OPERATIONS = 50
_LONGEST_ID = 200
_REASON_BYTES = 120


class CloseError(Exception):
    """The peer has broken the protocol, or may not be here.

    Args:
        code: the WebSocket's close code.
        reason: a few words.
    """

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        super().__init__(reason)


async def serve_socket(websocket: WebSocket) -> None:
    """Serve one connection until its end."""
    if PROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.accept()
        await websocket.close(4406, f"Subprotocol not acceptable: use {PROTOCOL}")
        return
    await websocket.accept(PROTOCOL)
    session = _Session(websocket, websocket.app.state.services)
    try:
        await session.serve()
    except CloseError as error:
        with suppress(RuntimeError, WebSocketDisconnect, OSError):
            await websocket.close(error.code, error.reason)
    except (WebSocketDisconnect, RuntimeError):
        log.debug("a subscriber has left")
    finally:
        await session.end()


class _Session:
    """One connection and its operations.

    Operations run in tasks of their own. What ends the connection, whoever finds it, is left in
    `_fatal`, which the reading task waits for as well.
    """

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket = websocket
        self._services = services
        self._authorization = ""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._fatal: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Read messages until the peer leaves or has to."""
        await self._begin()
        while True:
            await self._handle(await self._receive(None))

    async def end(self) -> None:
        """Cancel what is still running."""
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fatal.cancel()

    async def _begin(self) -> None:
        deadline = asyncio.get_running_loop().time() + INIT_SECONDS
        while True:
            message = await self._receive(deadline)
            if message["type"] == "connection_init":
                break
            await self._handle_any(message)
        self._authorization = _authorization(message.get("payload"))
        await self._context()
        await self._send({"type": "connection_ack"})

    async def _receive(self, deadline: float | None) -> dict[str, Any]:
        """Read a message, and check that it is an object with a type."""
        seconds = None if deadline is None else deadline - asyncio.get_running_loop().time()
        reading: asyncio.Future[Any] = asyncio.ensure_future(self._websocket.receive())
        await asyncio.wait(
            {reading, self._fatal},
            timeout=None if seconds is None else max(seconds, 0),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not reading.done():
            reading.cancel()
        if self._fatal.done():
            self._fatal.result()
        if not reading.done():
            raise CloseError(4408, "Connection initialisation timeout")
        return _read(reading.result())

    async def _handle(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            await self._subscribe(message)
        elif message["type"] == "complete":
            task = self._operations.pop(_operation_id(message), None)
            if task:
                task.cancel()
        elif message["type"] == "connection_init":
            raise CloseError(4429, "Too many initialisation requests")
        else:
            await self._handle_any(message)

    async def _handle_any(self, message: dict[str, Any]) -> None:
        """Handle what may come at any time."""
        if message["type"] == "ping":
            await self._send({"type": "pong"})
        elif message["type"] == "subscribe":
            raise CloseError(4401, "Unauthorized")
        elif message["type"] not in ("pong", "complete"):
            raise CloseError(4400, "Unknown message type")

    async def _subscribe(self, message: dict[str, Any]) -> None:
        operation_id = _operation_id(message)
        if operation_id in self._operations:
            raise CloseError(4409, f"Subscriber for {operation_id} already exists")
        try:
            operation = to_operation(message.get("payload"))
        except HttpError as error:
            raise CloseError(4400, error.message) from error
        if len(self._operations) >= MOST_OPERATIONS:
            reason = f"A connection has {MOST_OPERATIONS} operations at most."
            await self._send_errors(operation_id, [GraphQLError(reason)])
            return
        task = asyncio.create_task(self._run(operation_id, operation))
        self._operations[operation_id] = task

    async def _run(self, operation_id: str, operation: Operation) -> None:
        """Run one operation to its end; the connection's end is the only way for it to fail."""
        try:
            await self._stream(operation_id, operation)
        except (CloseError, WebSocketDisconnect, RuntimeError, OSError) as error:
            if not self._fatal.done():
                self._fatal.set_exception(_as_close(error))
        except Exception as error:
            if not isinstance(error, GraphQLError):
                error = GraphQLError(str(error), original_error=error)
            with suppress(Exception):
                await self._send_errors(operation_id, [error])
        finally:
            if self._operations.get(operation_id) is asyncio.current_task():
                del self._operations[operation_id]

    async def _stream(self, operation_id: str, operation: Operation) -> None:
        results = await schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=await self._context(),
            operation_name=operation.name,
        )
        async with aclosing(results):
            async for result in results:
                if isinstance(result, PreExecutionError):
                    await self._send_errors(operation_id, result.errors or [])
                    return
                if isinstance(result, ExecutionResult):
                    await self._send(
                        {"id": operation_id, "type": "next", "payload": _payload(result)}
                    )
        self._operations.pop(operation_id, None)
        await self._send({"id": operation_id, "type": "complete"})

    async def _send_errors(self, operation_id: str, errors: list[GraphQLError]) -> None:
        payload = [shape_error(error) for error in errors]
        self._operations.pop(operation_id, None)
        await self._send({"id": operation_id, "type": "error", "payload": payload})

    async def _context(self) -> Context:
        """Make an operation's context; the token may have been revoked since the last one."""
        try:
            token = await find_bearer(self._authorization)
        except HttpError as error:
            raise CloseError(1013, error.message) from error
        if token is None:
            raise CloseError(4403, "Forbidden")
        return Context(self._services, token)

    async def _send(self, message: dict[str, Any]) -> None:
        """Send text frames, as clients want them; give up on a peer that does not read."""
        text = orjson.dumps(message).decode()
        try:
            await asyncio.wait_for(self._websocket.send_text(text), SEND_SECONDS)
        except TimeoutError as error:
            raise CloseError(1013, "Messages are not being read") from error


def _read(event: Message) -> dict[str, Any]:
    if event["type"] != "websocket.receive":
        raise WebSocketDisconnect(event.get("code", 1005))
    text = event.get("text")
    if text is None:
        raise CloseError(4400, "Messages have to be text")
    if len(text) > MOST_JSON_BYTES:
        raise CloseError(1009, "The message is too large")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CloseError(4400, "Messages have to be JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise CloseError(4400, "Messages have to be objects with a type")
    return message


def _authorization(payload: object) -> str:
    """Find the token in the payload of `connection_init`."""
    if not isinstance(payload, dict):
        return ""
    for name in ("Authorization", "authorization"):
        if isinstance(payload.get(name), str):
            return str(payload[name])
    return f"Bearer {payload['token']}" if isinstance(payload.get("token"), str) else ""


def _operation_id(message: dict[str, Any]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _LONGEST_ID:
        raise CloseError(4400, "Operations need an id")
    return operation_id


def _payload(result: ExecutionResult) -> dict[str, Any]:
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [shape_error(error) for error in result.errors]
    return payload


def _as_close(error: BaseException) -> BaseException:
    return error if isinstance(error, CloseError) else WebSocketDisconnect()
