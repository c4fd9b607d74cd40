"""Events: one state of something, on its way to all its subscribers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable
    from datetime import datetime

    # JSON text of an execution's result, now or later.
    ResultText: TypeAlias = str | Awaitable[str]


class Event:
    """One state of something that is subscribed to; its subscribers share their results.

    Args:
        app_id: the app whose tokens may see it.
        key: what it is a state of: an id within the topic.
        version: larger for newer states of the same key.
        phase: what a subscriber wants to know without delay: the hub slows down further states of
            the same phase.
        ended_at: when it ended, of what can end.
    """

    __slots__ = ("_results", "app_id", "ended_at", "key", "phase", "version")

    def __init__(
        self,
        *,
        app_id: int,
        key: int,
        version: int,
        phase: Hashable = None,
        ended_at: datetime | None = None,
    ) -> None:
        self.app_id = app_id
        self.key = key
        self.version = version
        self.phase = phase
        self.ended_at = ended_at
        self._results: dict[Hashable, str | asyncio.Future[str]] = {}

    def result(self, request: Hashable, execute: Callable[[], ResultText]) -> ResultText:
        """Return the result of a request, executed once however many subscribers make it.

        Args:
            request: everything that the result depends on, beside this event.
            execute: is called for the first subscriber that makes the request.
        """
        result = self._results.get(request)
        if result is None:
            made = execute()
            result = made if isinstance(made, str) else asyncio.ensure_future(made)
            self._results[request] = result
        # Shielded, because the first subscriber may leave while others wait for the same result.
        return result if isinstance(result, str) else asyncio.shield(result)


class Payload(NamedTuple):
    """What the resolver of a subscription yields: an event as the object that its field returns.

    Args:
        make: makes the object; is called once for each request that is executed.
    """

    event: Event
    make: Callable[[], object]
