"""Deadlines for clients that send or read too slowly; uvicorn has none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.limits import Patience


class ReadDeadline:
    """Aborts a connection on which something has begun that then arrives too slowly.

    Attributes:
        size: the bytes that have arrived of it.
    """

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self.size = 0
        self._transport = transport
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None

    def take(self, size: int) -> None:
        """Count bytes, and start the timer if they are the first ones."""
        self.size += size
        if self._timer is None:
            self._start()

    def end(self) -> None:
        """Stop the timer: nothing is left unfinished."""
        self.size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        patience = self._patience
        enough = self.size + patience.min_bytes_per_second * patience.idle_seconds
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience.idle_seconds, self._check, enough)

    def _check(self, enough: float) -> None:
        # While the server has paused reading, the client can't be to blame.
        if self.size < enough and self._transport.is_reading():
            self._transport.abort()
        else:
            self._start()


class WriteDeadline:
    """Aborts a connection whose full write buffer empties too slowly.

    Call `pause` and `resume` when the transport calls `pause_writing` and `resume_writing`.
    """

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None

    def pause(self) -> None:
        """Start the timer.

        Nothing is written before the buffer is nearly empty, so its size only falls.
        """
        patience = self._patience
        enough = patience.min_bytes_per_second * patience.idle_seconds
        most = self._transport.get_write_buffer_size() - enough
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience.idle_seconds, self._check, most)

    def resume(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self, most: float) -> None:
        if self._transport.get_write_buffer_size() > most:
            self._transport.abort()
        else:
            self.pause()
