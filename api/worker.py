"""The worker process: Dramatiq's threads, one event loop with the database, and the sweeper."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware

from api.broker import Doorbell, make_broker, register
from api.mailer import make_carrier
from api.settings import Settings, process_environment
from importers.engine import SWEEP_SECONDS, Engine
from importers.errors import ConfigError
from importers.registry import load
from models.db import database

if TYPE_CHECKING:
    from collections.abc import Awaitable

logger = logging.getLogger(__name__)

# A chunk computes and waits for PostgreSQL in turns: a second one fills the gaps. The third thread
# is for splits and mails.
THREADS = 3
_IDLE_MILLISECONDS = 20
# A chunk makes hundreds of thousands of objects that all live until its end: looking through them
# for cycles every 700 costs a fifth of the time.
_GC_THRESHOLDS = (100_000, 50, 50)
_GRACE_MILLISECONDS = 20_000


class Upkeep(Middleware):
    """Open the database in the worker's event loop, and sweep, for as long as the worker lives."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._stack = AsyncExitStack()
        self._sweeper: asyncio.Task[None] | None = None
        self.engine: Engine | None = None

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Open the database before the first message is taken."""
        _on_loop(self._open())

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Close the database once the last message is done. Runs before the loop is stopped."""
        _on_loop(self._close())

    async def _open(self) -> None:
        await self._stack.enter_async_context(database(self._database_url, connections=THREADS + 2))
        self._sweeper = asyncio.create_task(self._sweep())

    async def _close(self) -> None:
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        await self._stack.aclose()

    async def _sweep(self) -> None:
        """Sweep every few seconds, each time in a task of its own.

        A task keeps a connection that broke under it for ever; a new one gets a new one.
        """
        while self.engine:
            await asyncio.sleep(SWEEP_SECONDS)
            round_ = asyncio.create_task(self.engine.sweep())
            await asyncio.wait([round_])
            if not round_.cancelled() and (error := round_.exception()):
                logger.warning("sweep failed (%s); next one in %.0f s", error, SWEEP_SECONDS)


def _on_loop(coroutine: Awaitable[Any]) -> None:
    thread = get_event_loop_thread()
    if thread is None:
        raise RuntimeError("the AsyncIO middleware has not started its loop")
    thread.run_coroutine(coroutine)


def make_worker(settings: Settings) -> dramatiq.Worker:
    """Compose a worker from the settings.

    Raises:
        ConfigError: the plugins are wrong.
    """
    registry = load(settings.plugins)
    upkeep = Upkeep(settings.database_url)
    broker = make_broker(settings.redis_url, [upkeep])
    upkeep.engine = Engine(
        importers=registry.importers,
        limits=settings.limits,
        chunk_rows=settings.chunk_rows,
        bell=Doorbell(broker),
        carrier=make_carrier(settings.smtp_url, settings.mail_dir, settings.mail_from),
    )
    register(broker, upkeep.engine)
    worker = dramatiq.Worker(broker, worker_timeout=_IDLE_MILLISECONDS, worker_threads=THREADS)
    worker.queue_prefetch = 1
    return worker


def main() -> int:
    """Run one worker process until it is told to stop; return its exit code."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s worker %(name)s: %(message)s"
    )
    gc.set_threshold(*_GC_THRESHOLDS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        worker = make_worker(Settings.from_environment(process_environment()))
        worker.start()
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - the log may not be set up as wanted
        return 2
    stop.wait()
    worker.stop(timeout=_GRACE_MILLISECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
