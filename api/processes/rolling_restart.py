"""Replacing children one after another, once a command has found nothing wrong."""

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

_CHECK_SECONDS = 60.0


class Rollout:
    """Replaces children by such as find other settings.

    A child's turn comes when all others have shown that they can live: those that were replaced
    before it have, and there are never fewer at work by more than one.

    Args:
        check: the command; it ends with exit code 0, or says on stderr what is wrong.
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
        """Run the command; leave those that a rollout before this one has not come to."""
        self.stop()
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
        """Do what can be done now; to be called again and again."""
        if self._check is not None:
            self._judge(self._check)
        if not self._waiting:
            return
        first, *_ = self._waiting
        if all(child.is_proven() for child in self._children if child is not first):
            log.info("%s is replaced", first.name)
            self._waiting.remove(first)
            first.replace(self._grace)

    def stop(self) -> None:
        """End the command, and go no further."""
        self._waiting = []
        if self._check is not None:
            self._check.kill()
            self._check.wait()
        self._check = None
        if self._output:
            self._output.close()
        self._output = None

    def _judge(self, check: subprocess.Popen[bytes]) -> None:
        code = check.poll()
        if code is None and time.monotonic() < self._deadline:
            return
        problems = self._problems() or f"{self._spec.name} did not end as it should."
        self.stop()
        if code == 0:
            self._waiting = list(self._children)
            return
        log.error("%s found this wrong; all go on as they were:\n%s", self._spec.name, problems)

    def _problems(self) -> str:
        assert self._output
        self._output.seek(0)
        return self._output.read().decode(errors="replace").strip()
