"""What plugins may not do to their process: fork it, end it, or take all of its memory."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

_FORKS = frozenset({"os.fork", "os.forkpty"})
_exhausted = threading.Event()
_listeners: list[Callable[[], object]] = []


class ForkError(RuntimeError):
    """Code has tried to fork a process in which plugins run.

    The other process would have this one's connections, and send on them as well.
    """


class ExitError(RuntimeError):
    """A plugin wants to end the process that loads it."""


@cache
def forbid_forks() -> None:
    """Let every fork of this process fail, once and for all; other programs can be started.

    `subprocess` does not fork in this sense: its child runs no Python of ours.
    """
    sys.addaudithook(_refuse_fork)


def _refuse_fork(event: str, _arguments: object) -> None:
    if event in _FORKS:
        raise ForkError(f"{event}() is refused: it would take the worker's connections along")


@contextmanager
def exits_refused() -> Iterator[None]:
    """Let `os._exit` fail within the block, in its thread: nothing would tell whose code it was."""
    end, thread = os._exit, threading.get_ident()

    def refuse_exit(status: int) -> None:
        if threading.get_ident() != thread:
            end(status)
        raise ExitError(f"it wants to end the process, with os._exit({status!r})")

    os._exit = refuse_exit  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = end


def limit_memory(most_bytes: int, when_exhausted: Callable[[], object]) -> None:
    """Let allocations beyond a limit fail with a MemoryError, where the system can do that.

    Args:
        most_bytes: of this process's own memory.
        when_exhausted: called once a plugin, or the work around it, has met the limit.
    """
    import resource  # noqa: PLC0415 - not there on every platform

    _listeners.append(when_exhausted)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    # What is only reserved, as for stacks of threads, does not count as data.
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def note_exhausted(what: str) -> None:
    """Note that this process has run out of memory; it is to be replaced.

    Args:
        what: that has asked for more.
    """
    if not _exhausted.is_set():
        then = "; this process is to be replaced" if _listeners else ""
        logger.critical("%s has run out of memory%s", what, then)
    _exhausted.set()
    for listener in _listeners:
        listener()


def is_exhausted() -> bool:
    """Tell whether this process has run out of memory."""
    return _exhausted.is_set()
