"""A child process that is restarted when it ends."""

from __future__ import annotations

import logging
import math
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.processes.exit_code import EXIT_NO_MEMORY, EXIT_REFUSED
from api.processes.parent_death import bound_command

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("api.processes.supervisor")

# Short, since most deaths are single ones; doubled each time, so that a child that can't start does
# not keep the machine busy. A child that lived for SETTLED_SECONDS starts over with the first.
FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
SETTLED_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One kind of child process.

    Args:
        name: in log lines.
        argv: the command.
        env: its whole environment.
        count: how many of them to run.
        fds: file descriptors that it inherits, with the same numbers.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    count: int = 1
    fds: tuple[int, ...] = ()


class Child:
    """One child process in its own session, and when to start it again.

    Args:
        number: tells it from others of its kind, in log lines.
        proof: seconds that a process has to live to count as healthy.
        is_patient: restart a process that refuses its settings, if an earlier one was healthy.
    """

    def __init__(
        self, spec: ChildSpec, number: int, *, proof: float, is_patient: bool = False
    ) -> None:
        self.name = spec.name if spec.count == 1 else f"{spec.name} {number}"
        self._spec = spec
        self._proof = proof
        self._is_patient = is_patient
        self._was_healthy = False
        self._delay = FIRST_DELAY
        self._start_at = 0.0
        self._started_at = 0.0
        self._kill_at = math.inf
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def _is_replaced(self) -> bool:
        return self._kill_at < math.inf

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._popen is not None and self._popen.poll() is None

    def is_healthy(self) -> bool:
        """Tell whether the process is healthy, and has not been told to end."""
        age = time.monotonic() - self._started_at
        return self.is_alive() and not self._is_replaced and age >= self._proof

    def keep_alive(self) -> bool:
        """Start the process when it is due, kill it when it is late to end, and note its end.

        Returns:
            False when the process refuses its settings, which no restart mends.
        """
        now = time.monotonic()
        if self._popen is None:
            if now >= self._start_at:
                self._start(now)
            return True
        code = self._popen.poll()
        if code is not None:
            return self._note_end(code, now)
        self._was_healthy = self._was_healthy or self.is_healthy()
        if now >= self._kill_at:
            self._popen.kill()
        return True

    def replace(self, grace: float) -> None:
        """Tell the process to end within `grace` seconds; the next one starts when it has."""
        self._kill_at = time.monotonic() + grace
        self._start_at = 0.0
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if there is a process."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(number)

    def _note_end(self, code: int, now: float) -> bool:
        self._popen = None
        if self._is_replaced:
            # Its end was wanted, whatever its exit code.
            self._delay = FIRST_DELAY
            self._start(now)
            return True
        if now - self._started_at > SETTLED_SECONDS:
            self._delay = FIRST_DELAY
        self._start_at = now + self._delay
        # An earlier process was healthy in the same environment, so plugins or plugins.toml have
        # changed since, and may be mended; the other processes go on meanwhile.
        if code == EXIT_REFUSED and not (self._is_patient and self._was_healthy):
            return False
        end = f"ended with exit code {code}"
        if code == EXIT_NO_MEMORY:
            end = "ended, as it had run out of the memory that it may take"
        if code < 0:
            end = f"was ended by signal {-code} ({signal.strsignal(-code)})"
        log.warning("%s %s; starting it again in %.1f s", self.name, end, self._delay)
        self._delay = min(self._delay * 2, LONGEST_DELAY)
        return True

    def _start(self, now: float) -> None:
        # In its own session, so that Ctrl-C in the terminal reaches the supervisor alone.
        self._popen = subprocess.Popen(
            bound_command(self._spec.argv),
            env=dict(self._spec.env),
            pass_fds=self._spec.fds,
            start_new_session=True,
        )
        self._started_at = now
        self._kill_at = math.inf
        log.info("%s started, process %d", self.name, self._popen.pid)
