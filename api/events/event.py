"""Events: one state of something, on its way to all its subscribers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable
    from datetime import datetime

    # JSON text of an execution's result, now or later.
    ResultText: TypeAlias = str | Awaitable[str]


@dataclass(slots=True, kw_only=True, eq=False)
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

    app_id: int
    key: int
    version: int
    phase: Hashable = None
    ended_at: datetime | None = None
    _results: dict[Hashable, str | asyncio.Future[str]] = field(default_factory=dict, init=False)

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


EventT = TypeVar("EventT", bound=Event)


class Payload(NamedTuple):
    """What the resolver of a subscription yields: an event, to be shown as an object.

    Args:
        show: makes the object that the field returns; is called once for each request that is
            executed, not for each subscriber.
    """

    event: Event
    show: Callable[[Any], object]
