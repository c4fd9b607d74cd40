"""Signs of life: a transaction is kept from being idle while a plugin computes or waits."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

logger = logging.getLogger(__name__)

# PostgreSQL ends a transaction that is silent for 15 seconds, and one call may take 10.
_SIGN_SECONDS = 3.0


class SignsOfLife:
    """Sends a statement now and then, so that PostgreSQL does not end a silent transaction.

    Args:
        send: sends it; called only while no step of the plugin's coroutine runs.
    """

    def __init__(self, send: Callable[[], Awaitable[object]]) -> None:
        self._send = send
        self._sent_at = time.monotonic()
        self._sending = asyncio.Lock()

    async def send_if_due(self) -> None:
        """Send one if the last is some seconds ago."""
        if time.monotonic() - self._sent_at >= _SIGN_SECONDS:
            await self._send_one()

    @asynccontextmanager
    async def while_waiting(self) -> AsyncIterator[None]:
        """Send them as long as the block runs."""
        task = asyncio.create_task(self._send_for_ever())
        try:
            yield
        finally:
            # Not in the middle of a statement: a cancel there would spoil the connection.
            async with self._sending:
                task.cancel()
            await asyncio.wait([task])

    def passed(self) -> Generator[object, None, None]:
        """Wait for one that is on its way: a statement of the plugin's must not meet it."""
        while self._sending.locked():
            yield from self._sending.acquire().__await__()
            self._sending.release()

    async def _send_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_SIGN_SECONDS)
            await self._send_one()

    async def _send_one(self) -> None:
        async with self._sending:
            try:
                await self._send()
            except Exception as error:
                # The transaction's next statement fails as well, and its error is dealt with.
                logger.info("a sign of life could not be sent: %s", error)
            self._sent_at = time.monotonic()
