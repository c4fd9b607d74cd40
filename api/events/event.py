"""Events: one state of something, on its way to all its subscribers; and topics, their kinds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable
    from datetime import datetime

    from asyncpg import Connection, Record

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
        row: what the state is shown from.
    """

    app_id: int
    key: int
    version: int
    phase: Hashable = None
    ended_at: datetime | None = None
    row: Any = None
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
            # A task, so that the execution belongs to no single subscriber.
            result = made if isinstance(made, str) else asyncio.ensure_future(made)
            self._results[request] = result
        # Shielded, because the first subscriber may leave while others wait for the same result.
        return result if isinstance(result, str) else asyncio.shield(result)


class Payload(NamedTuple):
    """What the resolver of a subscription yields: an event, to be shown as an object.

    Args:
        show: makes the object that the field returns, of the event's row; is called once for each
            request that is executed, not for each subscriber.
    """

    event: Event
    show: Callable[[Any], object]


class Topic(NamedTuple):
    """A kind of event, and how the hub reads it.

    Args:
        name: part of the channel on which changed keys are published, if any are: without a
            message, the next poll finds the change.
        read: reads the present states of keys, of any app.
        read_recent: reads `app_id`, `key`, `version` and `ended_at` of what changed in an app in
            the last seconds.
    """

    name: str
    read: Callable[[Connection, Collection[int]], Awaitable[Iterable[Event]]]
    read_recent: Callable[[Connection, Collection[int], float], Awaitable[Iterable[Record]]]
