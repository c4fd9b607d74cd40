"""GraphQL over WebSocket: the protocol graphql-transport-ws, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.access.authentication import find_bearer
from api.access.context import Context, Services
from api.access.persisted_queries import PersistedQueryNotFoundError
from api.errors import ApiError, HttpError, log_incident, masked, say_expired, shape_error
from api.execution.execute import stream
from api.execution.prepare import Operation, OperationRefusedError, to_operation
from api.http.responses import refuse
from api.http.same_origin import is_welcome
from api.language import answer_in, choose_language, translator

if TYPE_CHECKING:
    from starlette.types import Message

    from api.access.quota import Quota
    from api.settings import Settings

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
# After this code, clients of the protocol may connect again with another token.
FORBIDDEN = 4403
# Before `connection_init` no token is known whose quota could count messages, so they are few and
# short.
_MOST_BEFORE_INIT = 10
_INIT_BYTES = 16 * 1024
# What the shortest operation costs: a task and a few objects.
_LEAST_BYTES = 1024
# Each message of an operation repeats its ID.
_LONGEST_ID = 200
# A close frame carries 125 bytes at most (RFC 6455), of which the code takes two.
_REASON_BYTES = 120
_FOREIGN = HttpError(
    403,
    "FORBIDDEN",
    "Pages of this origin may not use the API; CASEROLL_ORIGINS names those that may.",
)


class _Message(NamedTuple):
    """A message of the protocol."""

    type: str
    content: dict[str, Any]
    characters: int


class CloseError(Exception):
    """The client broke the protocol, or its token opens nothing."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        super().__init__(reason)


async def serve_socket(websocket: WebSocket) -> None:
    """Serve one WebSocket until it is closed."""
    settings: Settings = websocket.app.state.services.settings
    if not is_welcome(websocket.headers, settings.origins):
        await websocket.send_denial_response(refuse(_FOREIGN))
        return
    # Accepted first: the protocol's clients expect this close code, and a refused handshake has
    # none.
    if PROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.accept()
        await websocket.close(4406, f"Subprotocol not acceptable: use {PROTOCOL}")
        return
    await websocket.accept(PROTOCOL)
    session = _Session(websocket, settings)
    try:
        await session.serve()
    except CloseError as error:
        with suppress(RuntimeError, WebSocketDisconnect, OSError):
            await websocket.close(error.code, error.reason)
    # Starlette raises a RuntimeError if a message is sent or received after the end.
    except (WebSocketDisconnect, RuntimeError):
        log.debug("a subscriber left")
    except Exception as error:
        incident = log_incident("a WebSocket", error)
        with suppress(RuntimeError, WebSocketDisconnect, OSError):
            await websocket.close(1011, masked(incident))
    finally:
        await session.end()


class _Session:
    """One WebSocket and its operations.

    Each operation runs in its own task. An error that any task finds and that ends the connection
    goes into `_fatal`, which the reading task awaits along with the next message.
    """

    def __init__(self, websocket: WebSocket, settings: Settings) -> None:
        self._websocket = websocket
        self._settings = settings
        self._authorization = ""
        # The handshake's; scripts of browsers can't set headers of one.
        self._language = translator().language
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._fatal: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Handle messages until either side ends the connection.

        Raises:
            CloseError: this side ends it.
            WebSocketDisconnect: the client has.
        """
        payload = await self._wait_for_init()
        self._authorization = _authorization(payload)
        if accepted := _accepted_languages(payload):
            self._language = choose_language(accepted)
        context = await self._context()
        quota, hub = context.quota, context.services.hub

        def send_away(reason: str) -> None:
            self._end_with(CloseError(FORBIDDEN, reason))

        try:
            # Operations look the token up when they begin. The hub watches it as well, since a
            # WebSocket may wait for events for days after that.
            with quota.sockets.reserve(), hub.watch_token(context.token.id, send_away):
                await self._send({"type": "connection_ack"})
                while True:
                    await self._handle(await self._receive(None), quota)
        except HttpError as error:
            raise CloseError(1013, error.message) from error

    async def end(self) -> None:
        """Cancel all operations."""
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fatal.cancel()

    async def _wait_for_init(self) -> dict[str, Any]:
        """Return the payload that `connection_init` brings."""
        deadline = asyncio.get_running_loop().time() + self._settings.patience.init_seconds
        for _ in range(_MOST_BEFORE_INIT):
            message = await self._receive(deadline)
            if message.type == "connection_init":
                payload = message.content.get("payload")
                return payload if isinstance(payload, dict) else {}
            await self._handle_any(message)
        raise CloseError(4400, "Too many messages before connection_init")

    async def _receive(self, deadline: float | None) -> _Message:
        """Wait for a message, or for a fatal error.

        Args:
            deadline: by the event loop's clock, before `connection_init`; None after it.
        """
        seconds, limit = None, self._settings.max_request_bytes
        if deadline is not None:
            seconds = max(deadline - asyncio.get_running_loop().time(), 0)
            limit = min(limit, _INIT_BYTES)
        # A future beside `_fatal`: an operation that finds the client gone must end this wait, too.
        reading: asyncio.Future[Any] = asyncio.ensure_future(self._websocket.receive())
        await asyncio.wait(
            {reading, self._fatal}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        # To cancel it loses no message that counts: whatever follows ends the connection.
        if not reading.done():
            reading.cancel()
        if self._fatal.done():
            self._fatal.result()
        if not reading.done():
            raise CloseError(4408, "Connection initialisation timeout")
        return _read_message(reading.result(), limit)

    async def _handle(self, message: _Message, quota: Quota) -> None:
        if message.type == "subscribe":
            await self._start(message, quota)
            return
        if message.type == "complete":  # not counted: it frees what an operation holds
            task = self._operations.pop(_operation_id(message), None)
            if task:
                task.cancel()
            return
        quota.count()
        if message.type == "connection_init":
            raise CloseError(4429, "Too many initialisation requests")
        await self._handle_any(message)

    async def _handle_any(self, message: _Message) -> None:
        """Handle a message that is allowed before and after `connection_init`."""
        if message.type == "ping":
            await self._send({"type": "pong"})
        elif message.type == "subscribe":
            raise CloseError(4401, "Unauthorized")
        elif message.type not in ("pong", "complete"):
            raise CloseError(4400, "Unknown message type")

    async def _start(self, message: _Message, quota: Quota) -> None:
        """Start an operation, or refuse it."""
        operation_id = _operation_id(message)
        if operation_id in self._operations:
            raise CloseError(4409, f"Subscriber for {operation_id} already exists")
        # Counted until the operation ends, as its variables stay in memory until then.
        size = max(message.characters, _LEAST_BYTES)
        try:
            quota.count()
            operation = _read_operation(message, quota)
            self._check_room()
            quota.memory.take(size)
        except HttpError as error:
            await self._send_errors(operation_id, _refusal(error))
            return
        task = asyncio.create_task(self._run(operation_id, operation))
        # Not in `_run`: a task that is cancelled before its first step never gets there.
        task.add_done_callback(lambda _: quota.memory.give_back(size))
        self._operations[operation_id] = task

    def _check_room(self) -> None:
        most = self._settings.token.operations
        if len(self._operations) >= most:
            message = f"This WebSocket has {most:,} operations, the most; complete one first."
            raise HttpError(429, "TOO_MANY_REQUESTS", message)

    async def _run(self, operation_id: str, operation: Operation) -> None:
        """Run one operation to its end; an error of the connection ends all of them."""
        # The result is JSON text already, which many subscribers share; it is not encoded again.
        head = f'{{"id":{orjson.dumps(operation_id).decode()},"type":"next","payload":'
        try:
            async with aclosing(stream(await self._context(), operation)) as payloads:
                async for payload in payloads:
                    await self._send_text(f"{head}{payload}}}")
            # Before the message is sent: a client may use the ID again as soon as it has read it.
            self._operations.pop(operation_id, None)
            await self._send({"id": operation_id, "type": "complete"})
        except (CloseError, WebSocketDisconnect, RuntimeError, OSError) as error:
            self._end_with(error if isinstance(error, CloseError) else WebSocketDisconnect())
        except Exception as error:
            with suppress(Exception):
                await self._send_errors(operation_id, _refusal(error))
        finally:
            # After `complete` from the client, the same ID may already be another operation's.
            if self._operations.get(operation_id) is asyncio.current_task():
                del self._operations[operation_id]

    def _end_with(self, error: BaseException) -> None:
        if not self._fatal.done():
            self._fatal.set_exception(error)

    async def _send_errors(self, operation_id: str, errors: list[GraphQLError]) -> None:
        payload = [shape_error(error) for error in errors]
        self._operations.pop(operation_id, None)
        await self._send({"id": operation_id, "type": "error", "payload": payload})

    async def _context(self) -> Context:
        """Make an operation's context.

        Raises:
            CloseError: the token has ended since the last one, or can't be looked up.
        """
        services: Services = self._websocket.app.state.services
        try:
            token = await find_bearer(services.tokens, self._authorization)
        except HttpError as error:
            raise CloseError(1013, error.message) from error
        if token is None:
            raise CloseError(FORBIDDEN, "Forbidden")
        if token.is_expired:
            raise CloseError(FORBIDDEN, say_expired(token.expires_at))
        answer_in(self._language, services.registry.translators)
        return Context(services, token)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_text(orjson.dumps(message).decode())

    async def _send_text(self, text: str) -> None:
        """Send a text frame.

        Raises:
            CloseError: the client does not read.
        """
        try:
            async with asyncio.timeout(self._settings.patience.idle_seconds):
                await self._websocket.send_text(text)
        except TimeoutError as error:
            raise CloseError(1013, "Messages are not being read") from error


def _read_message(event: Message, limit: int) -> _Message:
    """Check that an event is a message of the protocol: a JSON object with a type."""
    if event["type"] != "websocket.receive":
        raise WebSocketDisconnect(event.get("code", 1005))
    text = event.get("text")
    if text is None:
        raise CloseError(4400, "Messages have to be text")
    if len(text) > limit:
        raise CloseError(1009, f"The message is larger than {limit:,} bytes, the most")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CloseError(4400, "Messages have to be JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise CloseError(4400, "Messages have to be objects with a type")
    return _Message(message["type"], message, len(text))


def _accepted_languages(payload: dict[str, Any]) -> str | None:
    """Find an Accept-Language header in the payload of `connection_init`."""
    found = (payload.get(name) for name in ("Accept-Language", "accept-language", "acceptLanguage"))
    return next((each for each in found if isinstance(each, str)), None)


def _authorization(payload: dict[str, Any]) -> str:
    """Find the token in the payload of `connection_init`, wherever clients put it."""
    for name in ("Authorization", "authorization"):
        if isinstance(payload.get(name), str):
            return str(payload[name])
    return f"Bearer {payload['token']}" if isinstance(payload.get("token"), str) else ""


def _operation_id(message: _Message) -> str:
    operation_id = message.content.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _LONGEST_ID:
        raise CloseError(4400, "Operations need an id")
    return operation_id


def _read_operation(message: _Message, quota: Quota) -> Operation:
    """Read the payload of `subscribe`.

    Raises:
        CloseError: it is malformed.
        PersistedQueryNotFoundError: the client is to send its query as text.
    """
    try:
        return to_operation(quota.persisted.fill_in(message.content.get("payload")))
    except PersistedQueryNotFoundError:
        raise
    except HttpError as error:
        raise CloseError(4400, error.message) from error


def _refusal(error: Exception) -> list[GraphQLError]:
    """Return the errors that say why an operation was not executed."""
    if isinstance(error, OperationRefusedError):
        return error.errors
    if isinstance(error, HttpError):
        return [ApiError(error.code, error.message)]
    return [GraphQLError(str(error), original_error=error)]
