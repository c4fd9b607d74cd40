"""The worker process: Dramatiq's threads, one event loop with the database, and the sweeper."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import traceback
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO, cast

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware, MiddlewareError

from api.broker import BrokerQueue, make_broker, register
from api.notify.mailer import make_transport
from api.notify.webhook_client import HttpTransport
from api.processes.exit_code import EXIT_NO_MEMORY, EXIT_REFUSED
from api.processes.repeated_lines import leave_out_repeated_lines
from api.settings import Settings, process_environment
from importers.engine import SWEEP_SECONDS, Engine
from importers.error_groups import group_after
from importers.isolation.guard import die_when_stuck
from importers.isolation.process_limits import forbid_forks, is_exhausted, limit_memory
from importers.plugins.captured_output import CapturedOutput
from importers.plugins.registry import load
from importers.plugins.tables import check_tables
from importers.sdk.errors import ConfigError
from importers.statistics import analyze_after
from importers.undo.undo_import import UNDO, UndoImport
from models.db import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from importers.plugins.registry import Registry

logger = logging.getLogger(__name__)

# Dramatiq's threads. Each process takes one message at a time (`queue_prefetch`): measured on two
# cores, several chunks at once in each of two processes cost more CPU and save no time.
THREADS = 3
# The longest pause between two looks at the queue: what a small import waits for an idle worker.
_IDLE_MILLISECONDS = 20
# A chunk makes hundreds of thousands of objects that all live until its end, and hardly any cycle.
# With Python's default, a collection every 700 objects, looking through them for cycles takes a
# fifth of the time; with one every 100,000, still a tenth where rows fail.
GC_THRESHOLDS = (1_000_000, 50, 50)
_LOOK_SECONDS = 1.0
# Longer than a guard lets a plugin compute for a chunk.
_MOST_SILENT_LOOKS = 60
# As long as the supervisor waits before it kills (`GRACE_SECONDS`).
_GRACE_MILLISECONDS = 20_000


class NoDatabaseError(MiddlewareError):
    """The worker can't begin; the supervisor starts it again."""


class Upkeep(Middleware):
    """Opens the database in the worker's event loop, and sweeps, as long as the worker lives."""

    def __init__(self, database_url: str, engine: Engine) -> None:
        self._upkeep = partial(_keep_up, database_url, engine)
        self._stack = AsyncExitStack()

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Open the database before the first message is taken.

        Raises:
            NoDatabaseError: it can't be opened. Dramatiq stops at a `MiddlewareError`; it would log
                any other exception, and take messages.
        """
        try:
            _on_loop(self._stack.enter_async_context(self._upkeep()))
        except Exception as error:
            why = str(error) or repr(error)
            raise NoDatabaseError(f"the database can't be opened: {why}") from error

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Close the database once the last message is done. Runs before the loop is stopped."""
        _on_loop(self._stack.aclose())


@asynccontextmanager
async def _keep_up(database_url: str, engine: Engine) -> AsyncIterator[None]:
    async with database(database_url, connections=2 * THREADS + 2):
        sweeper = asyncio.create_task(_sweep(engine))
        try:
            yield
        finally:
            sweeper.cancel()
            await asyncio.wait([sweeper])
            await engine.close()


async def _sweep(engine: Engine) -> None:
    """Sweep every few seconds, each time in a task of its own.

    A task keeps its connection to the database for ever, even a broken one.
    """
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        round_ = asyncio.create_task(_sweep_once(engine))
        try:
            await asyncio.wait([round_])
        finally:
            # A worker that stops closes the database next.
            await asyncio.wait([round_])


async def _sweep_once(engine: Engine) -> None:
    try:
        await engine.sweep()
    except Exception as error:  # whatever it is, there is a next round
        logger.warning("sweep failed (%s); next one in %.0f s", error, SWEEP_SECONDS)


def _on_loop(coroutine: Awaitable[Any]) -> None:
    thread = get_event_loop_thread()
    if thread is None:
        raise RuntimeError("the AsyncIO middleware has not started its loop")
    thread.run_coroutine(coroutine)


def make_worker(settings: Settings) -> dramatiq.Worker:
    """Compose a worker from the settings; the supervisor reports how its plugins load.

    Raises:
        ConfigError: the plugins are wrong.
        NoDatabaseError: whether plugins have their tables can't be seen.
    """
    registry = load(settings.plugins)
    if registry.migrations or registry.own_tables:
        registry = _with_tables(registry, settings.database_url)
    broker = make_broker(settings.redis_url)
    queue = BrokerQueue(broker)
    engine = Engine(
        importers={**registry.importers, UNDO: UndoImport(UNDO)},
        readers=registry.readers,
        validators=registry.validators,
        limits=settings.limits,
        chunk_rows=settings.chunk_rows,
        queue=queue,
        mail_transport=make_transport(settings.smtp_url, settings.mail_dir, settings.mail_from),
        webhook_transport=HttpTransport(allowed=settings.webhook_networks),
        # First, so that a client that hears of the end finds the groups.
        on_end=[group_after, queue.notify_ended, analyze_after],
        serves_others=True,
        retention_days=settings.retention_days,
        own_tables=registry.own_tables,
    )
    # After `AsyncIO`, whose loop it needs: Dramatiq starts middleware in this order, and stops it
    # in reverse.
    broker.add_middleware(Upkeep(settings.database_url, engine))
    register(broker, engine)
    worker = dramatiq.Worker(broker, worker_timeout=_IDLE_MILLISECONDS, worker_threads=THREADS)
    # A message that waits in a busy process could be worked on by an idle one.
    worker.queue_prefetch = 1
    return worker


def _with_tables(registry: Registry, url: str) -> Registry:
    try:
        return asyncio.run(check_tables(registry, url))
    except Exception as error:
        raise NoDatabaseError(f"the database can't be opened: {error!r}") from error


def wait_for_stop(stop: threading.Event) -> None:
    """Wait for a signal; end the process if its event loop ends or hangs before.

    A task that a plugin has left running can do that, out of its guard's sight. Then this worker
    does nothing any more, and could not even be stopped; its chunk is found by the next one.
    """
    loop = get_event_loop_thread()
    answered = threading.Event()
    silent = 0
    while loop and not stop.wait(_LOOK_SECONDS):
        # Looks, not seconds: a process that was suspended has not been silent.
        silent = 0 if answered.is_set() else silent + 1
        answered.clear()
        if not loop.is_alive():
            logger.critical("the event loop has ended, be it by a plugin's task; this process ends")
            os._exit(1)
        if silent > _MOST_SILENT_LOOKS:
            where = "".join(traceback.format_stack(sys._current_frames().get(loop.ident or 0)))
            logger.critical(
                "the event loop hangs, be it in a plugin's task; this process ends\n%s", where
            )
            os._exit(1)
        with suppress(RuntimeError):  # the loop has ended since
            loop.loop.call_soon_threadsafe(answered.set)


def main() -> int:
    """Run one worker process until a signal stops it; return its exit code."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s worker %(name)s: %(message)s"
    )
    leave_out_repeated_lines()
    # Where work that is to be done again has its line.
    for name in ("api.broker", "importers.engine"):
        logging.getLogger(name).setLevel(logging.INFO)
    # It warns with a traceback of each connection that it can't open while the database is away.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    gc.set_threshold(*GC_THRESHOLDS)
    sys.stdout = cast("TextIO", CapturedOutput(sys.stdout))
    die_when_stuck()
    forbid_forks()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = None
    try:
        settings = Settings.from_environment(process_environment())
        limit_memory(settings.worker_memory_bytes, stop.set)
        worker = make_worker(settings)
        gc.freeze()  # modules and plugins stay for ever, so no collection need look through them
        worker.start()
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - the log may not be set up as wanted
        return EXIT_REFUSED
    except NoDatabaseError as error:
        logger.critical("%s", error)
        if worker:
            worker.broker.emit_after("worker_shutdown", worker)
        # The supervisor starts another one, unless that would be refused as well.
        return EXIT_REFUSED if isinstance(error.__cause__, PermissionError) else 1
    wait_for_stop(stop)
    worker.stop(timeout=_GRACE_MILLISECONDS)
    return EXIT_NO_MEMORY if is_exhausted() else 0


if __name__ == "__main__":
    sys.exit(main())
