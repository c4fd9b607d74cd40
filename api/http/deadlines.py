"""Deadlines for clients that send or read too slowly; uvicorn has none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.limits import Patience


class _Deadline:
    """Looks at a connection when it has been idle for as long as it may be."""

    def __init__(self, transport: asyncio.Transport, patience: Patience) -> None:
        self._transport = transport
        self._seconds = patience.idle_seconds
        # A rate, not the time since the last byte: a client that sends one byte now and then would
        # never be late.
        self._enough = patience.min_bytes_per_second * patience.idle_seconds
        self._timer: asyncio.TimerHandle | None = None

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class ReadDeadline(_Deadline):
    """Aborts a connection on which something has begun that then arrives too slowly."""

    size = 0
    """The bytes that have arrived of it."""

    def take(self, size: int) -> None:
        """Count bytes, and start the timer if they are the first ones."""
        self.size += size
        if self._timer is None:
            self._start()

    def end(self) -> None:
        """Stop the timer: nothing is left unfinished."""
        self.size = 0
        super().end()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds, self._check, self.size + self._enough)

    def _check(self, enough: float) -> None:
        # While the server has paused reading, the client can't be to blame.
        if self.size < enough and self._transport.is_reading():
            self._transport.abort()
        else:
            self._start()


class WriteDeadline(_Deadline):
    """Aborts a connection whose full write buffer empties too slowly.

    Call `start` and `end` when the transport calls `pause_writing` and `resume_writing`: nothing is
    written before the buffer is nearly empty, so its size only falls.
    """

    def start(self) -> None:
        most = self._transport.get_write_buffer_size() - self._enough
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._check, most)

    def _check(self, most: float) -> None:
        if self._transport.get_write_buffer_size() > most:
            self._transport.abort()
        else:
            self.start()
