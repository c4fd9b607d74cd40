"""Keeps child processes alive until a signal, then stops them all."""

from __future__ import annotations

import logging
import signal
import time
from typing import TYPE_CHECKING

from api.processes.child import Child, ChildSpec
from api.processes.exit_code import EXIT_REFUSED
from api.processes.rolling_restart import RollingRestart
from api.processes.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from api.processes.embedded_server import EmbeddedServer

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.05
GRACE_SECONDS = 20.0
# Longer than a worker takes to start on a busy machine.
PROOF_SECONDS = 3.0


class Supervisor:
    """Runs children, restarts those that end, and stops all on SIGINT, SIGTERM or SIGHUP.

    Use it as a `with` block in the main thread: it handles signals inside the block, and no child
    outlives the block. A second signal while it stops kills at once.

    Args:
        specs: what to run, in the order of starting.
        servers: started and stopped by the caller, restarted here when they end.
        check: a command that tells whether the settings are right. With it, SIGHUP replaces the
            children if they are, and stops only if the terminal has been closed.
        grace: seconds from SIGTERM to SIGKILL when stopping.
        proof: seconds that a child has to live before the next one is replaced.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        servers: Sequence[EmbeddedServer] = (),
        check: ChildSpec | None = None,
        grace: float = GRACE_SECONDS,
        proof: float = PROOF_SECONDS,
    ) -> None:
        self._children = [
            Child(spec, number, proof=proof, is_patient=check is not None)
            for spec in specs
            for number in range(1, spec.count + 1)
        ]
        self._restart = RollingRestart(check, self._children, grace=grace) if check else None
        self._servers = servers
        self._grace = grace
        self._signals = 0
        self._hangups = 0
        self._handlers: dict[signal.Signals, object] = {}

    def run(self, on_round: Callable[[], None] = lambda: None) -> int:
        """Keep children and servers alive until a signal.

        Args:
            on_round: called about twenty times a second; an exception of it ends the run.

        Returns:
            0 after a signal; 2 when a child ended with exit code 2, which no restart mends.
        """
        while not self._signals:
            for server in self._servers:
                if not server.is_running():
                    log.warning("%s is gone; starting it again", server.name)
                    server.start()
            for child in self._children:
                if not child.keep_alive():
                    return EXIT_REFUSED
            self._go_on_restarting()
            on_round()
            time.sleep(ROUND_SECONDS)
        return 0

    def stop(self) -> None:
        """Send SIGTERM to every child, and SIGKILL to those that do not end in time."""
        if self._restart:
            self._restart.stop()
        deadline = time.monotonic() + self._grace
        # Only signals from now on count as a second one.
        signals = self._signals
        self._signal_all(signal.SIGTERM)
        while any(child.is_alive() for child in self._children):
            if time.monotonic() > deadline or self._signals > signals:
                self._signal_all(signal.SIGKILL)
            time.sleep(ROUND_SECONDS)

    def __enter__(self) -> Supervisor:
        self._terminal = Terminal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._note_signal)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        # A handler only counts; the loop of `run` acts, where nothing is half done.
        if number == signal.SIGHUP and self._restart:
            self._hangups += 1
        else:
            self._signals += 1

    def _go_on_restarting(self) -> None:
        if self._restart is None:
            return
        if self._hangups and self._terminal.is_gone():
            self._signals += 1
        elif self._hangups and not self._restart.is_checking:
            self._hangups = 0
            self._restart.begin()
        self._restart.go_on()

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            child.signal(number)
