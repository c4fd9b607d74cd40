"""uvicorn as Caseroll runs it: its options, and protocols with deadlines.

It overrides methods and reads attributes that uvicorn does not document. If an upgrade of uvicorn
moves one of them, `tests/api/http/test_uvicorn_contract.py` fails and names it.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11
import orjson
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.errors import HttpError, bad_request
from api.http.deadlines import ReadDeadline, WriteDeadline
from api.http.responses import ENDLESS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from uvicorn._types import ASGISendEvent
    from websockets.frames import Frame

    from api.settings import Settings

# Long enough for a request to end, short enough for a deployment not to wait for a subscriber.
_SHUTDOWN_SECONDS = 5
# `max_size` of asyncio's transports. What one read takes is parsed before other connections have
# their turn. By default it is 256 KiB, which may be 40,000 empty WebSocket frames.
_HTTP_READ_BYTES = 64 * 1024
_SOCKET_READ_BYTES = 16 * 1024
_MOST_FRAMES = 1_000
_NO_HANDSHAKE = bad_request("This is not a request to open a WebSocket.")
_NO_REQUEST = bad_request("This is not an HTTP request, or its URL and headers exceed 64 KiB.")


class WebServerConfig(uvicorn.Config):
    """uvicorn's options.

    Attributes:
        patience: how long to wait for clients.
        most_unwanted: how many bytes of a body to throw away before the connection is aborted.
    """

    def __init__(
        self, app: Starlette, settings: Settings, *, shutdown_seconds: int = _SHUTDOWN_SECONDS
    ) -> None:
        self.patience = settings.patience
        self.most_unwanted = settings.limits.max_bytes + 2 * settings.max_request_bytes
        super().__init__(
            app,
            http=HttpConnection,
            ws=SocketConnection,
            # With "auto", uvicorn would serve requests after a start that failed.
            lifespan="on",
            timeout_graceful_shutdown=shutdown_seconds,
            ws_max_size=settings.max_request_bytes,
            # Events are small and many: compressing each costs more than sending it.
            ws_per_message_deflate=False,
            # It would hold whole URLs, and so whatever clients put into them.
            access_log=False,
            server_header=False,
            log_config=None,
            log_level="warning",
        )


class _Connection(asyncio.Protocol):
    """What both protocols have: a deadline for the client to read."""

    _write_deadline: WriteDeadline

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline.start()

    def resume_writing(self) -> None:
        self._write_deadline.end()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._write_deadline.end()
        super().connection_lost(exc)


class HttpConnection(_Connection, H11Protocol):
    """Ends a connection whose client is too slow with a request's head, or with taking an answer.

    `api/http/body.py` times a body that is wanted, since it can reply what is wrong. The rest of a
    body whose request has been answered is thrown away here, up to a size and a time: if the
    connection were closed while the client still sends, TCP would reset it, and the client would
    not see its answer.
    """

    config: WebServerConfig
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        transport.max_size = _HTTP_READ_BYTES  # type: ignore[attr-defined]
        self._write_deadline = WriteDeadline(transport, self.config.patience)
        self._unwanted = ReadDeadline(transport, self.config.patience)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_read_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, and start or stop the timer of what is unfinished now."""
        super().data_received(data)
        # h11's states say what is unfinished: nothing (IDLE: between two requests, or within a
        # head), or a body whose answer has been sent. A body without an answer is timed by its
        # reader.
        state = self.conn.their_state
        if state is h11.IDLE:
            if self._head_timer is None:
                self._stop_read_timers()
                self._start_head_timer()
        elif state is h11.SEND_BODY and self.conn.our_state is h11.DONE:
            self._unwanted.take(len(data))
            # A chunked body announces no length, so it could go on for ever.
            if self._unwanted.size > self.config.most_unwanted:
                self.transport.abort()
        elif self._head_timer is not None:
            self._stop_read_timers()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to a `SocketConnection`, which has its own deadlines."""
        self._stop_read_timers()
        self._write_deadline.end()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Reply 400 to bytes that are not HTTP, unless a response has started.

        uvicorn would send plain text, also into the middle of that response, and leave the
        request's task waiting for the rest of a body.
        """
        # In any other state, part of a response is already on its way.
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        if self.cycle is not None:
            # The request's task waits for this event; without it, the task would stay for ever.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(_raw_response(_NO_REQUEST))
        self.transport.close()

    def shutdown(self) -> None:
        """Close once a response is complete; one that never ends is not waited for."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and cycle.scope.get(ENDLESS):
            self.transport.close()
        else:
            super().shutdown()

    def _start_head_timer(self) -> None:
        seconds = self.config.patience.head_seconds
        self._head_timer = self.loop.call_later(seconds, self._refuse_head)

    def _refuse_head(self) -> None:
        """Reply 408 if a head has begun, and close."""
        if self.transport.is_closing():
            return
        # Bytes that h11 has not parsed yet are a head that has begun. An idle connection gets no
        # 408: its client might take that for the answer to its next request.
        if self.conn.trailing_data[0]:
            seconds = self.config.patience.head_seconds
            message = f"The headers took too long: send them within {seconds:g} seconds."
            self.transport.write(_raw_response(HttpError(408, "TIMEOUT", message)))
        self.transport.close()

    def _stop_read_timers(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self._unwanted.end()


class SocketConnection(_Connection, WebSocketsSansIOProtocol):
    """Ends a WebSocket whose client does not read, or does not finish a message."""

    config: WebServerConfig

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the deadlines."""
        super().connection_made(transport)
        transport.max_size = _SOCKET_READ_BYTES  # type: ignore[attr-defined]
        self._write_deadline = WriteDeadline(self.transport, self.config.patience)
        self._read_deadline = ReadDeadline(self.transport, self.config.patience)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, and start or stop the timer of an unfinished message.

        uvicorn neither answers a handshake that it can't read nor closes its connection.
        """
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_raw_response(_NO_HANDSHAKE))
            self.transport.close()
        # A message is unfinished between its frames, and within a frame.
        elif self.frames or self.conn.reader.buffer:
            self._read_deadline.take(len(data))
        else:
            self._read_deadline.end()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; a handshake that was refused by a response is complete.

        uvicorn would log as an error that it is not.
        """
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def handle_ping(self) -> None:
        """Answer, unless the client does not read: pongs would fill the memory."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            # Taken and dropped: websockets has already queued the pong.
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Add a part to a message; `ws_max_size` does not bound how many empty parts it has."""
        super().handle_cont(event)
        if len(self.frames) > _MOST_FRAMES:
            self.transport.abort()

    def shutdown(self) -> None:
        """Close; uvicorn would answer a handshake that has not begun."""
        if self.handshake_initiated:
            super().shutdown()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._read_deadline.end()
        super().connection_lost(exc)


def _raw_response(error: HttpError) -> bytes:
    """Write a response where there is no request that uvicorn could answer."""
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        "Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + orjson.dumps(error.body)
