"""Subscriber queues: the events that one subscriber has not taken yet."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, Self

from api.errors import ApiError
from api.events.event import EventT

if TYPE_CHECKING:
    from datetime import datetime

LARGEST = 1_000
# An end is stamped a little before its transaction commits, which is when it can be seen.
_LATENESS = timedelta(seconds=10)


class SubscriberQueue(Generic[EventT]):
    """Holds the newest state of each key that its subscriber has not taken.

    Adding to it never waits: a slow subscriber delays no other, and misses states in between, but
    never the last one.

    Args:
        key: take only states of this key; None: of all.
        only_ends: take only states that have just ended.
        since: the database's time when the subscription began.
    """

    def __init__(self, *, key: int | None, only_ends: bool, since: datetime) -> None:
        self._key = key
        self._only_ends = only_ends
        self._since = since - _LATENESS
        self._newest = 0
        self._waiting: dict[int, EventT] = {}
        self._error: ApiError | None = None
        self._is_filled = asyncio.Event()

    def wants(self, key: int) -> bool:
        """Tell whether the subscriber takes states of a key."""
        return self._key is None or key == self._key

    def offer(self, event: EventT, *, is_new_end: bool) -> None:
        """Add an event, if the subscriber takes it.

        Args:
            is_new_end: whether it has ended, and the hub did not know that.
        """
        if not self.wants(event.key):
            return
        if self._only_ends and not (is_new_end and event.ended_at and event.ended_at > self._since):
            return
        self.add(event)

    def add(self, event: EventT) -> None:
        """Add an event, unless it is no newer than what the subscriber has of a single key."""
        if self._key is not None and event.version <= self._newest:
            return
        self._newest = event.version
        self._waiting[event.key] = event
        if len(self._waiting) > LARGEST:
            self._error = ApiError("TOO_SLOW", "Too many events wait to be read; subscribe again.")
        self._is_filled.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventT:
        while not self._waiting and self._error is None:
            self._is_filled.clear()
            await self._is_filled.wait()
        if self._error is not None:
            raise self._error
        return self._waiting.pop(next(iter(self._waiting)))
