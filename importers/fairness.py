"""Turns: which import this worker looks after next, so that no app waits for all of another's."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.waiting import Waiting

# Having worked for so long, a worker looks whether others wait. Small imports come nowhere near it,
# and need not pay for the look.
_SECONDS_BEFORE_A_LOOK = 0.2
_MOST_REMEMBERED = 1_000


class Turns:
    """What this worker has done for whom; each worker keeps its own account.

    The queue gives each import one hint at a time. Fifty imports of one app are fifty hints, and
    the only import of another would wait for all of them.
    """

    def __init__(self) -> None:
        self._worked = 0.0
        self._apps: dict[int, float] = {}
        self._imports: dict[int, float] = {}

    @property
    def is_look_due(self) -> bool:
        """Whether it is time to see who else is waiting."""
        return self._worked > _SECONDS_BEFORE_A_LOOK

    @contextmanager
    def working(self, import_id: int) -> Iterator[None]:
        """Count the time that goes into an import."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._worked += self._note(import_id) - started

    def served(self, app_id: int) -> None:
        """Note that an app has had its turn."""
        self._apps[app_id] = time.monotonic()

    def choose(self, waiting: Sequence[Waiting]) -> Waiting | None:
        """Return whose turn it is: of the app whose last turn is longest ago, the import of which
        the same is true. Whether or not it has anything to do, that was its turn."""
        self._worked = 0.0
        chosen = min(
            waiting,
            key=lambda each: (
                self._apps.get(each.app_id, 0.0),
                self._imports.get(each.id, 0.0),
                each.id,
            ),
            default=None,
        )
        if chosen:
            self._note(chosen.id)
            self.served(chosen.app_id)
        return chosen

    def _note(self, import_id: int) -> float:
        if len(self._imports) >= _MOST_REMEMBERED:
            self._imports.clear()
        self._imports[import_id] = now = time.monotonic()
        return now
