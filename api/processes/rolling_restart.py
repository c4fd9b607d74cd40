"""Replacing children one after another, after a command has found the settings right."""

from __future__ import annotations

import logging
import subprocess
import tempfile
import time
from typing import IO, TYPE_CHECKING

from api.processes.parent_death import bound_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.processes.child import Child, ChildSpec

log = logging.getLogger("api.processes.supervisor")

# Plugins' code runs in the check, and may hang.
_CHECK_SECONDS = 60.0


class RollingRestart:
    """Replaces children, so that they read their settings again.

    A child is replaced when all others are healthy, so that at most one at a time is missing.

    Args:
        check: the command; it ends with exit code 0, or writes to stderr what is wrong.
        children: to be replaced, in this order.
        grace: seconds that a child has to end.
    """

    def __init__(self, check: ChildSpec, children: Sequence[Child], *, grace: float) -> None:
        self._spec = check
        self._children = children
        self._grace = grace
        self._waiting: list[Child] = []
        self._check: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._deadline = 0.0

    @property
    def is_checking(self) -> bool:
        """Whether the command runs."""
        return self._check is not None

    def begin(self) -> None:
        """Start the command, and give up an earlier restart that has not ended."""
        self.stop()
        # A file, not a pipe: a check that writes more than a pipe holds would wait for a reader.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._check = subprocess.Popen(
            bound_command(self._spec.argv),
            env=dict(self._spec.env),
            stdout=subprocess.DEVNULL,
            stderr=self._output,
            start_new_session=True,
        )
        self._deadline = time.monotonic() + _CHECK_SECONDS

    def go_on(self) -> None:
        """Take the next step if it is due; called in every round."""
        if self._check is not None:
            self._end_check(self._check)
        if not self._waiting:
            return
        first, *_ = self._waiting
        if all(child.is_healthy() for child in self._children if child is not first):
            log.info("%s is replaced", first.name)
            self._waiting.remove(first)
            first.replace(self._grace)

    def stop(self) -> None:
        """End the command, and replace no more children."""
        self._waiting = []
        if self._check is not None:
            self._check.kill()
            self._check.wait()
        self._check = None
        if self._output:
            self._output.close()
        self._output = None

    def _end_check(self, check: subprocess.Popen[bytes]) -> None:
        code = check.poll()
        if code is None and time.monotonic() < self._deadline:
            return
        assert self._output
        self._output.seek(0)
        problems = self._output.read().decode(errors="replace").strip()
        self.stop()
        if code == 0:
            self._waiting = list(self._children)
            return
        name = self._spec.name
        problems = problems or f"{name} did not end as it should."
        log.error("%s found this wrong; all go on as they were:\n%s", name, problems)
