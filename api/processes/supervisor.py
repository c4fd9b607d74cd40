"""Keep child processes alive until told to stop, then stop them all."""

from __future__ import annotations

import logging
import signal
import time
from typing import TYPE_CHECKING, Protocol

from api.processes.child import Child, ChildSpec
from api.processes.exit_code import EXIT_REFUSED
from api.processes.rolling_restart import Rollout
from api.processes.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.05
GRACE_SECONDS = 20.0
# As long as a worker may take to begin on a busy machine.
PROOF_SECONDS = 3.0


class Server(Protocol):
    """What the children need to live: looked after, but started and stopped by the caller."""

    name: str

    def is_running(self) -> bool:
        """Tell whether it is alive."""

    def start(self) -> None:
        """Start it and wait until it is ready."""


class Supervisor:
    """Run children; start again what dies; stop on SIGINT, SIGTERM or SIGHUP.

    Use it as a `with` block in the main thread: signals are taken over inside it, and however
    the block is left, no child is left running. A second signal while stopping kills at once.

    Args:
        specs: what to run, in the order of starting.
        servers: started by the caller, started again here when they die.
        check: a command that says whether the settings are right. With it, SIGHUP does not mean to
            stop, unless the terminal has been closed, but to replace the children when they are.
        grace: seconds from SIGTERM to SIGKILL when stopping.
        proof: seconds that a child has to live before the next one is replaced.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        servers: Sequence[Server] = (),
        check: ChildSpec | None = None,
        grace: float = GRACE_SECONDS,
        proof: float = PROOF_SECONDS,
    ) -> None:
        self._children = [
            Child(name, spec, proof=proof, is_patient=check is not None)
            for spec in specs
            for name in _names(spec)
        ]
        self._rollout = Rollout(check, self._children, grace=grace) if check else None
        self._servers = servers
        self._grace = grace
        self._signals = 0
        self._hangups = 0
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
                if not child.look_after():
                    return EXIT_REFUSED
            self._roll_out()
            on_round()
            time.sleep(ROUND_SECONDS)
        return 0

    def stop(self) -> None:
        """Send SIGTERM to every child, and SIGKILL to those that do not end in time."""
        if self._rollout:
            self._rollout.stop()
        deadline = time.monotonic() + self._grace
        signals = self._signals
        self._signal(signal.SIGTERM)
        while any(child.is_alive() for child in self._children):
            if time.monotonic() > deadline or self._signals > signals:
                self._signal(signal.SIGKILL)
            time.sleep(ROUND_SECONDS)

    def __enter__(self) -> Supervisor:
        self._terminal = Terminal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP and self._rollout:
            self._hangups += 1
        else:
            self._signals += 1

    def _roll_out(self) -> None:
        if self._rollout is None:
            return
        if self._hangups and self._terminal.is_gone():
            self._signals += 1
        elif self._hangups and not self._rollout.is_checking:
            self._hangups = 0
            self._rollout.begin()
        self._rollout.go_on()

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children:
            child.signal(number)


def _names(spec: ChildSpec) -> list[str]:
    if spec.count == 1:
        return [spec.name]
    return [f"{spec.name} {number}" for number in range(1, spec.count + 1)]
