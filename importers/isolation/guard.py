"""The guard: plugins' code is called under it, so that it can neither run for ever nor end us.

A call that takes too long is interrupted by an exception that a watchdog thread raises in the
caller's thread. Code that no exception reaches, as it waits outside of Python, ends the process.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import math
import os
import sys
import threading
import time
import traceback
import types
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from dramatiq.threading import Interrupt, raise_thread_exception

from importers.isolation.process_limits import note_exhausted
from importers.isolation.signs_of_life import SignsOfLife

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator

    from importers.sdk.importer import Importer

logger = logging.getLogger(__name__)

T = TypeVar("T")

# PostgreSQL ends a transaction that is silent for 15 seconds.
CALL_SECONDS = 10.0
TOTAL_SECONDS = 30.0
# Long enough for PostgreSQL's own limit of 30 seconds a statement to come first.
AWAIT_SECONDS = 40.0
GUARDED_SECONDS = 300
"""How long a transaction may take in which plugins are called: they end before that."""
_LOOK_SECONDS = 0.2
# Code that catches the interrupt is interrupted again, but has this long to clean up.
_SHOOT_AGAIN_SECONDS = 3.0
# Code that does not come back although it was interrupted hangs outside of Python.
_STUCK_SECONDS = 10.0
_STUCK_EXIT_CODE = 70


class PluginError(Exception):
    """A plugin's code neither returned nor raised an ordinary exception."""


class TooSlowError(PluginError):
    """A plugin's code took longer than it may, and was stopped."""


class UsedUpError(TooSlowError):
    """The time that all calls of a plugin may take together is used up."""


class _StopError(Interrupt):
    """Raised within code that takes too long; no `except Exception` catches it."""


class Guard:
    """The time that one plugin may take while a chunk is run, or a file is split.

    Args:
        plugin: its name in the log, e.g. `importer 'acme-roster'`.
        call_seconds: the most that one call may take.
        total_seconds: the most that all calls may take together.
        await_seconds: the longest that its coroutines may wait in all; by default `AWAIT_SECONDS`.
        keep_alive: sends a statement in the transaction that waits for the plugin, if one does.
    """

    def __init__(
        self,
        plugin: str,
        *,
        call_seconds: float = CALL_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        await_seconds: float | None = None,
        keep_alive: Callable[[], Awaitable[object]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plugin = plugin
        self.spent = 0.0
        self.await_seconds = AWAIT_SECONDS if await_seconds is None else await_seconds
        self.waited = 0.0
        self.signs = SignsOfLife(keep_alive) if keep_alive else None
        self._call_seconds = call_seconds
        self._total_seconds = total_seconds
        self._clock = clock
        self._since = 0.0
        self._until = math.inf
        self._shoot_at = math.inf
        self._is_shot = False
        _watchdog()

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function of the plugin.

        Raises:
            TooSlowError: it was stopped.
            UsedUpError: all of the plugin's time is used up.
            PluginError: it raised what would end the process.
        """
        # The outer `try` also catches an interrupt that arrives while `_disarm` runs.
        try:
            self._arm()
            try:
                return function(*arguments)
            except _StopError:
                self._is_shot = False  # it has arrived: `_disarm` need not wait for it
                raise
            except MemoryError:
                note_exhausted(self.plugin)
                raise
            finally:
                self._disarm()
        except _StopError as error:
            self._is_shot = False
            self._disarm()
            if self.spent >= self._total_seconds:
                raise self._used_up() from error
            raise TooSlowError(f"{self.plugin} was stopped: it took too long") from error
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            # A person's Ctrl-C comes to the main thread, where no worker runs plugins.
            is_ctrl_c = isinstance(error, KeyboardInterrupt)
            if is_ctrl_c and threading.current_thread() is threading.main_thread():
                raise
            kind = type(error).__name__
            raise PluginError(f"{self.plugin} wanted to end the process: {kind}") from error

    def _arm(self) -> None:
        now = self._clock()
        left = self._total_seconds - self.spent
        if left <= 0:
            raise self._used_up()
        self._since = now
        self._until = self._shoot_at = now + min(self._call_seconds, left)
        _armed[threading.get_ident()] = self

    def _used_up(self) -> UsedUpError:
        return UsedUpError(f"{self.plugin} has used up its {self._total_seconds:.0f} s")

    def _disarm(self) -> None:
        self._until = math.inf
        _armed.pop(threading.get_ident(), None)
        now = self._clock()
        self.spent += now - self._since
        self._since = now  # `call` disarms twice where the interrupt arrived in here
        if not self._is_shot:
            return
        # An interrupt that is on its way arrives here, and not in Caseroll's code: it is raised
        # between two bytecodes of this thread, once the watchdog has called for it.
        for _ in range(100):
            if not self._is_shot:
                return
            time.sleep(0.005)
        self._is_shot = False

    def watch(self, thread: int) -> None:
        """Interrupt the call under way in a thread when its time is over; for the watchdog."""
        now, until = self._clock(), self._until
        if now < self._shoot_at or now < until:
            return
        if now > until + _STUCK_SECONDS and _dies_when_stuck.is_set():
            where = "".join(traceback.format_stack(sys._current_frames().get(thread)))
            logger.critical(
                "%s hangs and can't be stopped; this process ends.\n%s", self.plugin, where
            )
            os._exit(_STUCK_EXIT_CODE)
        # The order matters: the code may come back between any two of these lines, and `_disarm`
        # has to know of an interrupt that is raised after that.
        self._is_shot = True
        if self._until != until:
            self._is_shot = False
            return
        raise_thread_exception(thread, _StopError)  # type: ignore[no-untyped-call]
        self._shoot_at = now + min(_SHOOT_AGAIN_SECONDS, self._call_seconds)


_armed: dict[int, Guard] = {}
"""The guards of calls under way, by thread."""

_current: ContextVar[Guard | None] = ContextVar("guard", default=None)


_dies_when_stuck = threading.Event()
"""Set if code that hangs outside of Python ends the process."""


def die_when_stuck() -> None:
    """Let code that can't be interrupted end this process, which a supervisor starts again."""
    _dies_when_stuck.set()


@cache
def _watchdog() -> threading.Thread:
    """Start the thread that looks for calls that take too long, once a process."""
    thread = threading.Thread(target=_watch_calls, name="watchdog", daemon=True)
    thread.start()
    return thread


def _watch_calls() -> None:
    while True:
        if _dies_when_stuck.is_set():
            # Code that holds the interpreter's lock stops this thread too; a thread of C, which
            # faulthandler starts, ends the process unless this line runs again in time.
            faulthandler.dump_traceback_later(CALL_SECONDS + _STUCK_SECONDS, exit=True)
        time.sleep(_LOOK_SECONDS)
        for thread, guard in list(_armed.items()):
            guard.watch(thread)


def is_guest(importer: Importer) -> bool:
    """Tell whether an importer's code needs a guard, as it is not Caseroll's own."""
    return not type(importer).__module__.startswith("importers.builtin.")


def guard_of(
    importer: Importer, keep_alive: Callable[[], Awaitable[object]] | None = None
) -> Guard | None:
    """Make a guard for a chunk or file of an importer; None for Caseroll's own, which need none.

    Args:
        keep_alive: sends a statement in the transaction that waits for the importer, if one does.
    """
    if not is_guest(importer):
        return None
    return Guard(f"importer {importer.key!r}", keep_alive=keep_alive)


@contextmanager
def guarding(guard: Guard | None) -> Iterator[None]:
    """Let `guarded` and `guarded_await` call under this guard; None for plain calls."""
    token = _current.set(guard)
    try:
        yield
    finally:
        _current.reset(token)


def current_plugin() -> str | None:
    """Name the plugin whose code this thread runs now."""
    guard = _armed.get(threading.get_ident())
    return guard.plugin if guard else None


def is_guarding() -> bool:
    """Tell whether a guard is set, so that calls have to go through `guarded`."""
    return _current.get() is not None


def is_of_plugin(error: Exception) -> bool:
    """Tell whether an error comes from a plugin's own files or servers.

    Elsewhere such errors mean that PostgreSQL is out of reach. When PostgreSQL itself is lost in a
    plugin's call, asyncpg raises errors of its own classes.
    """
    return is_guarding() and isinstance(error, OSError | TimeoutError)


def guarded(function: Callable[..., T], *arguments: Any) -> T:
    """Call a plugin's code under the guard that is set, if any.

    Raises:
        PluginError: it was stopped.
    """
    guard = _current.get()
    if guard is None:
        return function(*arguments)
    try:
        return guard.call(function, *arguments)
    except (asyncio.CancelledError, GeneratorExit) as error:
        raise PluginError(f"{guard.plugin} raised {error!r:.100}") from error


async def guarded_await(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a plugin's code under the guard that is set, if any.

    Raises:
        PluginError: it was stopped.
    """
    guard = _current.get()
    if guard is None:
        return await coroutine
    loop = asyncio.get_running_loop()
    since = loop.time()
    try:
        async with (
            guard.signs.while_waiting() if guard.signs else nullcontext(),
            asyncio.timeout(guard.await_seconds - guard.waited) as limit,
        ):
            return await _step_by_step(coroutine, guard)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TooSlowError(f"{guard.plugin} waited for {guard.await_seconds:.0f} s") from error
    finally:
        guard.waited += loop.time() - since


async def show_life() -> None:
    """Keep the transaction that waits for a plugin from being idle, if the last sign is old."""
    guard = _current.get()
    if guard and guard.signs:
        await guard.signs.send_if_due()


@types.coroutine
def _step_by_step(coroutine: Coroutine[Any, Any, T], guard: Guard) -> Generator[Any, Any, T]:
    """Run a coroutine, each of its steps between two waits as one guarded call.

    So the time that it waits, for the database say, does not count as the plugin's.
    """
    step: Callable[[Any], Any] = coroutine.send
    argument: Any = None
    while True:
        try:
            awaited = guard.call(step, argument)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        try:
            argument = yield awaited
            step = coroutine.send
            if guard.signs:
                yield from guard.signs.passed()
        except BaseException as error:
            argument, step = error, coroutine.throw
