"""Topics: the kinds of things that can be subscribed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from api.events.event import EventT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from asyncpg import Connection, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Generic[EventT]):
    """A kind of event, and how the hub reads it.

    Args:
        name: part of the channel on which changed keys are published, if any are: without a
            message, the next poll finds the change.
        read: reads the present states of keys, of any app.
        read_recent: reads `app_id`, `key`, `version` and `ended_at` of what changed in an app in
            the last seconds.
    """

    name: str
    read: Callable[[Connection, Collection[int]], Awaitable[Iterable[EventT]]]
    read_recent: Callable[[Connection, Collection[int], float], Awaitable[Iterable[Record]]]
