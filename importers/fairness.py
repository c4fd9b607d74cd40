"""Fairness: which import this worker serves next, so that no app waits for all of another's."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from models.waiting import WaitingImport

# A worker looks who else waits after so much work: one query then costs little beside it. Small
# imports, which take milliseconds, never pay for a look.
_SECONDS_BEFORE_A_LOOK = 0.2
_MOST_REMEMBERED = 1_000


class Fairness:
    """When this worker last served which app and import; each worker keeps its own account.

    The queue has one message an import at a time. Fifty imports of one app are fifty messages, and
    the only import of another app would wait for all of them.

    Args:
        clock: returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._worked = 0.0
        self._apps: dict[int, float] = {}
        self._imports: dict[int, float] = {}

    @property
    def is_look_due(self) -> bool:
        """Whether this worker has worked long enough to look who else waits."""
        return self._worked > _SECONDS_BEFORE_A_LOOK

    @contextmanager
    def working(self, import_id: int) -> Iterator[None]:
        """Count the time that goes into an import."""
        started = self._clock()
        try:
            yield
        finally:
            self._worked += self._note_import(import_id) - started

    def note_app(self, app_id: int) -> None:
        """Note that the worker has served an app just now."""
        self._apps[app_id] = self._clock()

    def choose(self, waiting: Sequence[WaitingImport]) -> WaitingImport | None:
        """Pick the least recently served app, and its least recently served import.

        Both count as served from now on, even if the import turns out to have nothing to do or
        fails: otherwise it would be picked again and again.
        """
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
            self._note_import(chosen.id)
            self.note_app(chosen.app_id)
        return chosen

    def _note_import(self, import_id: int) -> float:
        # Forgetting all costs one unfair choice an import, and keeps the account small for ever.
        if len(self._imports) >= _MOST_REMEMBERED:
            self._imports.clear()
        self._imports[import_id] = now = self._clock()
        return now
