"""A thread with an event loop for plugins' code, apart from the loop that serves clients."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from importers.isolation.guard import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Coroutine

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_HUNG = 16
"""Threads that may be left hanging; no further code of plugins runs then, until a restart."""


class PluginThread:
    """Runs coroutines one beside another in a loop of its own, which starts with the first of them.

    A guard interrupts code that takes too long. Where nothing can interrupt it, the thread is left
    to it, and the next coroutine gets another one.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hung = 0

    async def run(self, coroutine: Coroutine[Any, Any, T], *, seconds: float) -> T:
        """Wait for a coroutine of plugins' code.

        Args:
            seconds: how long at most; more than its guards grant it.

        Raises:
            TooSlowError: it has not ended by then, or too many others have not.
        """
        if self._hung >= MOST_HUNG:
            coroutine.close()
            raise TooSlowError(f"plugins hang in {self._hung} threads; restart this process")
        loop = self._loop = self._loop or _start_loop()
        work = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))
        if not (await asyncio.wait([work], timeout=seconds))[0]:
            work.cancel()
            if self._loop is loop:
                self._loop = None
                self._hung += 1
                logger.error("plugins hang and can't be stopped; their thread is replaced")
                # It ends once the code returns, if it ever does.
                loop.call_soon_threadsafe(loop.stop)
            raise TooSlowError(f"plugins took longer than {seconds:.0f} s")
        return work.result()

    def close(self) -> None:
        """End the thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None


def _start_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def serve() -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()

    threading.Thread(target=serve, name="plugins", daemon=True).start()
    return loop


class CalledElsewhere:
    """An object whose coroutines run in the loop in which this was made, whatever loop awaits them.

    Args:
        target: what attributes are taken from.
    """

    def __init__(self, target: object) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            running = asyncio.run_coroutine_threadsafe(found(*args, **kwargs), self._loop)
            return await asyncio.wrap_future(running)

        return call
