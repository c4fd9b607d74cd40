"""uvicorn as Caseroll runs it: its options, and connections that do not wait for ever."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
import orjson
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.access.quota import RateLimit
from api.errors import HttpError
from api.http.body import bad_request

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from websockets.frames import Frame

    from api.limits import Patience
    from api.settings import Settings

# Long enough for a request to end, short enough for a deployment not to wait for a subscriber.
_SHUTDOWN_SECONDS = 5
_LENGTHS = {b"content-length", b"transfer-encoding"}
# What is taken in before others have their turn: it may be thousands of chunks or frames.
_HTTP_BYTES = 64 * 1024
_SOCKET_BYTES = 16 * 1024
_MOST_FRAMES = 1_000
_CONTROL_FRAMES_PER_SECOND = 20
# How long the pieces of a body are on the average, but for the first ones.
_PIECE_BYTES = 16
_MOST_CRUMBS = 100
_NO_HANDSHAKE = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Connection: close\r\n\r\n"
    + orjson.dumps(bad_request("This is not a request to open a WebSocket.").body)
)


class WebServerConfig(uvicorn.Config):
    """uvicorn's options.

    Attributes:
        patience: how long clients are waited for.
        most_unwanted: the bytes of a body that are thrown away before its client is cut off.
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


class HttpConnection(H11Protocol):
    """Cuts off who never comes to the end of a request's head, of an unwanted body, of an answer.

    A body that is wanted is timed by its reader, who can say what is wrong (`api/http/body.py`).
    """

    config: WebServerConfig
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        _read_at_most(_HTTP_BYTES, transport)
        self.conn = _Parser(h11.SERVER)
        self._outlet = _Outlet(transport, self.config.patience)
        self._unwanted = _Inlet(transport, self.config.patience)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_timers()
        self._outlet.resume()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what has come, and see what to wait for now."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.IDLE:
            if self._head_timer is None:
                self._stop_timers()
                self._wait_for_head()
        elif state is h11.SEND_BODY and self.conn.our_state is h11.DONE:
            self._throw_away(len(data))
        elif self._head_timer is not None:
            self._stop_timers()

    def handle_events(self) -> None:
        """Let a request whose length is told in two ways be the last one (RFC 9112, 6.1).

        A proxy that has believed the other one would take the rest for another client's request.
        """
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and {name for name, _ in self.headers} >= _LENGTHS:
            self.cycle.keep_alive = False

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over."""
        self._stop_timers()
        self._outlet.resume()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless an answer has begun; nobody is to answer any more."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """See that the client takes what is on its way to it."""
        super().pause_writing()
        self._outlet.pause()

    def resume_writing(self) -> None:
        """Go on."""
        self._outlet.resume()
        super().resume_writing()

    def _wait_for_head(self) -> None:
        seconds = self.config.patience.head_seconds
        self._head_timer = self.loop.call_later(seconds, self._give_up_on_head)

    def _give_up_on_head(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:
            seconds = self.config.patience.head_seconds
            message = f"The headers took too long: send them within {seconds:g} seconds."
            self._refuse(HttpError(408, "TIMEOUT", message))
        self.transport.close()

    def _refuse(self, error: HttpError) -> None:
        headers = [("Content-Type", "application/json; charset=utf-8"), ("Connection", "close")]
        reason = HTTPStatus(error.status).phrase
        head = h11.Response(status_code=error.status, headers=headers, reason=reason.encode())
        for event in (head, h11.Data(data=orjson.dumps(error.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")

    def _throw_away(self, size: int) -> None:
        self._unwanted.take(size)
        if self._unwanted.size > self.config.most_unwanted:
            self.transport.abort()

    def _stop_timers(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self._unwanted.end()


class _Parser(h11.Connection):
    """Refuses bodies in crumbs: to take them apart costs many times what is in them."""

    _pieces = 0
    _bytes = 0

    def next_event(self) -> Any:
        """Return what comes next."""
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._pieces += 1
            self._bytes += len(event.data)
            if self._pieces > _MOST_CRUMBS + self._bytes // _PIECE_BYTES:
                raise h11.RemoteProtocolError("The chunks of the body are too small")
        return event


class SocketConnection(WebSocketsSansIOProtocol):
    """Cuts off who does not read, or never ends a message, or sends many pings or empty parts."""

    config: WebServerConfig

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        _read_at_most(_SOCKET_BYTES, self.transport)
        self._outlet = _Outlet(self.transport, self.config.patience)
        self._inlet = _Inlet(self.transport, self.config.patience)
        self._control_frames = RateLimit(_CONTROL_FRAMES_PER_SECOND)

    def data_received(self, data: bytes) -> None:
        """Take in what has come; a request that can't be read as a handshake is refused here.

        uvicorn would neither answer it nor close the connection.
        """
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()
        elif self.frames or self.conn.reader.buffer:
            self._inlet.take(len(data))
        else:
            self._inlet.end()

    def handle_ping(self) -> None:
        """Answer, unless there are too many: then nothing is written any more."""
        if self._is_control_frame_allowed():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take in a pong, which may be an answer."""
        if self._is_control_frame_allowed():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Take in a part of a message; one of too many parts, which may be empty, ends it all."""
        super().handle_cont(event)
        if len(self.frames) > _MOST_FRAMES:
            self.transport.abort()

    def shutdown(self) -> None:
        """End in good order, unless nothing has begun."""
        if self.handshake_initiated:
            super().shutdown()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._outlet.resume()
        self._inlet.end()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """See that the peer takes what is on its way to it."""
        super().pause_writing()
        self._outlet.pause()

    def resume_writing(self) -> None:
        """Go on."""
        self._outlet.resume()
        super().resume_writing()

    def _is_control_frame_allowed(self) -> bool:
        if self._control_frames.take():
            return True
        self.transport.abort()
        return False


def _read_at_most(size: int, transport: asyncio.Transport) -> None:
    """Let a transport of asyncio's selector loop read so many bytes at a time."""
    transport.max_size = size  # type: ignore[attr-defined]


class _Outlet:
    """Looks now and then whether a full buffer empties, and ends the connection if it does not."""

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None

    def pause(self) -> None:
        """Begin to look: nothing more is written until the buffer is nearly empty."""
        patience = self._patience
        enough = patience.bytes_per_second * patience.idle_seconds
        most = self._transport.get_write_buffer_size() - enough
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience.idle_seconds, self._look, most)

    def resume(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, most: float) -> None:
        if self._transport.get_write_buffer_size() > most:
            self._transport.abort()
        else:
            self.pause()


class _Inlet:
    """Looks now and then whether enough comes of something that has begun, or ends the connection.

    Attributes:
        size: the bytes that have come.
    """

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self.size = 0
        self._transport = transport
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None

    def take(self, size: int) -> None:
        """Count bytes of something that has not come to its end, and begin to look."""
        self.size += size
        if self._timer is None:
            self._wait()

    def end(self) -> None:
        """Look no more: nothing is on its way."""
        self.size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        patience = self._patience
        enough = self.size + patience.bytes_per_second * patience.idle_seconds
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience.idle_seconds, self._look, enough)

    def _look(self, enough: float) -> None:
        # It is not the client's fault when nothing is being read.
        if self.size < enough and self._transport.is_reading():
            self._transport.abort()
        else:
            self._wait()
