"""Keep child processes alive until told to stop, then stop them all."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from api.lifetime import bound_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.05
FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
SETTLED_SECONDS = 30.0
GRACE_SECONDS = 20.0
# A child that ends with this exit code has said that its settings are wrong: nothing to retry.
REFUSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One kind of child process.

    Args:
        name: what log lines call it.
        argv: the command.
        env: its whole environment.
        count: how many of it to run.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    count: int = 1


class Server(Protocol):
    """What the children need to live: looked after, but started and stopped by the caller."""

    name: str

    def is_running(self) -> bool:
        """Tell whether it is alive."""

    def start(self) -> None:
        """Start it and wait until it is ready."""


class _Child:
    """One child process, in its own session, and when to start it again."""

    def __init__(self, name: str, spec: ChildSpec) -> None:
        self.name = name
        self._spec = spec
        self._delay = FIRST_DELAY
        self._start_at = 0.0
        self._started_at = 0.0
        self._popen: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def look_after(self) -> int | None:
        """Start the child when it is due; note its death and return its exit code."""
        now = time.monotonic()
        if self._popen is None:
            if now >= self._start_at:
                self._start(now)
            return None
        code = self._popen.poll()
        if code is None:
            return None
        self._popen = None
        if now - self._started_at > SETTLED_SECONDS:
            self._delay = FIRST_DELAY
        self._start_at = now + self._delay
        if code != REFUSED:
            log.warning("%s %s; starting it again in %.1f s", self.name, _end(code), self._delay)
        self._delay = min(self._delay * 2, LONGEST_DELAY)
        return code

    def signal(self, number: signal.Signals) -> None:
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(number)

    def _start(self, now: float) -> None:
        # In a session of its own: Ctrl-C in the terminal reaches the supervisor alone.
        self._popen = subprocess.Popen(
            bound_command(self._spec.argv), env=dict(self._spec.env), start_new_session=True
        )
        self._started_at = now
        log.info("%s started, process %d", self.name, self._popen.pid)


class Supervisor:
    """Run children; start again what dies; stop on SIGINT, SIGTERM or SIGHUP.

    Use it as a `with` block in the main thread: signals are taken over inside it, and however
    the block is left, no child is left running. A second signal while stopping kills at once.

    Args:
        specs: what to run, in the order of starting.
        servers: started by the caller, started again here when they die.
        grace: seconds from SIGTERM to SIGKILL when stopping.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        servers: Sequence[Server] = (),
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._children = [_Child(name, spec) for spec in specs for name in _names(spec)]
        self._servers = servers
        self._grace = grace
        self._signals = 0
        self._handlers: dict[signal.Signals, object] = {}

    def run(self, on_round: Callable[[], None] = lambda: None) -> int:
        """Keep everything alive until a signal comes.

        Args:
            on_round: called about twenty times a second; an exception of it stops everything.

        Returns:
            0 after a signal; 2 when a child ended with exit code 2, which no restart mends.
        """
        while not self._signals:
            for server in self._servers:
                if not server.is_running():
                    log.warning("%s is gone; starting it again", server.name)
                    server.start()
            for child in self._children:
                if child.look_after() == REFUSED:
                    return REFUSED
            on_round()
            time.sleep(ROUND_SECONDS)
        return 0

    def stop(self) -> None:
        """Send SIGTERM to every child, and SIGKILL to those that do not end in time."""
        deadline = time.monotonic() + self._grace
        signals = self._signals
        self._signal(signal.SIGTERM)
        while any(child.is_alive() for child in self._children):
            if time.monotonic() > deadline or self._signals > signals:
                self._signal(signal.SIGKILL)
            time.sleep(ROUND_SECONDS)

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children:
            child.signal(number)


def _names(spec: ChildSpec) -> list[str]:
    if spec.count == 1:
        return [spec.name]
    return [f"{spec.name} {number}" for number in range(1, spec.count + 1)]


def _end(code: int) -> str:
    if code < 0:
        return f"was ended by signal {-code} ({signal.strsignal(-code)})"
    return f"ended with exit code {code}"
