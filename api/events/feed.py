"""Feeds: the events of one topic, from the database to the queues of their subscribers."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from api.errors import ApiError
from models.db import connection, undisturbed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
    from datetime import datetime

    from api.events.event import Event, Topic

# Progress at most seven times a second: each delivery costs an execution, and a write to each
# socket.
PAUSE_SECONDS = 0.15
# Different keys; of each, only the newest state waits.
LARGEST_QUEUE = 1_000
# How far polls look back: longer than a transaction may take (`TIMEOUTS` in models/session.py).
# That of splitting may take longer, but changes the import with its last statement.
_HORIZON_SECONDS = 75.0
_REMEMBERED_ENDS = 10_000
# An end is stamped a little before its transaction commits, which is when it can be seen.
_LATENESS = timedelta(seconds=10)


class SubscriberQueue:
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
        self._waiting: dict[int, Event] = {}
        self._is_filled = asyncio.Event()

    def wants(self, key: int) -> bool:
        """Tell whether the subscriber takes states of a key."""
        return self._key is None or key == self._key

    def offer(self, event: Event, *, is_new_end: bool) -> None:
        """Add an event, if the subscriber takes it; a new end is one that the hub did not know."""
        is_end = is_new_end and event.ended_at is not None and event.ended_at > self._since
        if self.wants(event.key) and (is_end or not self._only_ends):
            self.add(event)

    def add(self, event: Event) -> None:
        """Add an event, unless it is no newer than what the subscriber has of a single key."""
        if self._key is not None and event.version <= self._newest:
            return
        self._newest = event.version
        self._waiting[event.key] = event
        self._is_filled.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            self._is_filled.clear()
            await self._is_filled.wait()
        if len(self._waiting) > LARGEST_QUEUE:
            raise ApiError("TOO_SLOW", "Too many events wait to be read; subscribe again.")
        return self._waiting.pop(next(iter(self._waiting)))


class Feed:
    """Reads each changed key of a topic once, however many subscribers there are.

    `note_change` only marks keys; `read_changed` reads all that are marked. What `note_change` is
    not called for, because a message was lost, `poll` finds by comparing versions.
    """

    def __init__(self, topic: Topic, wake: Callable[[], None]) -> None:
        self.queues: dict[int, set[SubscriberQueue]] = defaultdict(set)
        self._topic = topic
        self._wake = wake
        # By app and key, while the app has subscribers: the newest version that they know.
        self._versions: dict[int, dict[int, int]] = {}
        self._ends: dict[int, datetime] = {}
        # By key: when an event was last passed on, and in which phase.
        self._deliveries: dict[int, tuple[float, Hashable]] = {}
        self._held: dict[int, Event] = {}
        self._changed: set[int] = set()
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def subscribe(
        self, app_id: int, *, key: int | None, only_ends: bool
    ) -> AsyncIterator[SubscriberQueue]:
        """Open a queue for events of an app from now on."""
        # The database's clock, as `ended_at` is of the same; this host's may differ.
        since = await ask_database(lambda db: db.fetchval("SELECT clock_timestamp()"))
        queue = SubscriberQueue(key=key, only_ends=only_ends, since=since)
        async with self._opening:
            # The first subscriber of an app learns which versions and ends are old.
            if app_id not in self._versions:
                rows = await ask_database(self._topic.read_recent, [app_id], _HORIZON_SECONDS)
                self._versions[app_id] = {row["key"]: row["version"] for row in rows}
                self._ends |= {row["key"]: row["ended_at"] for row in rows if row["ended_at"]}
            # Without a pause in between, as versions are kept for apps with queues alone.
            self.queues[app_id].add(queue)
        try:
            yield queue
        finally:
            self.queues[app_id].discard(queue)
            if not self.queues[app_id]:
                del self.queues[app_id]
                self._versions.pop(app_id, None)

    def note_change(self, app_id: int, key: int) -> bool:
        """Mark a key to be read, if it has subscribers; tell whether it has."""
        if not any(queue.wants(key) for queue in self.queues.get(app_id, ())):
            return False
        self._changed.add(key)
        self._wake()
        return True

    async def read_changed(self) -> None:
        """Read all keys that are marked, and pass their states on."""
        if self._changed:
            # Replaced before the read: a key that is marked meanwhile has to be read again.
            changed, self._changed = self._changed, set()
            for event in await ask_database(self._topic.read, changed):
                self._receive(event)

    async def poll(self, seconds_since_last: float) -> None:
        """Mark keys that have changed without a message; forget what did not change recently."""
        if not self.queues:
            return
        horizon = _HORIZON_SECONDS + seconds_since_last
        # While the database is asked, subscribers come and go, and events are received.
        before = {app_id: dict(self._versions[app_id]) for app_id in self.queues}
        recent: dict[int, dict[int, int]] = defaultdict(dict)
        for row in await ask_database(self._topic.read_recent, list(before), horizon):
            app_id, key = row["app_id"], row["key"]
            known = self._versions.get(app_id, {}).get(key, 0)
            if row["version"] > known and not self.note_change(app_id, key):
                known = row["version"]
                self._ends |= {key: row["ended_at"]} if row["ended_at"] else {}
            recent[app_id][key] = known
        for app_id in before.keys() & self._versions.keys():
            learned = self._versions[app_id].items() - before[app_id].items()
            self._versions[app_id] = recent[app_id] | dict(learned)
        # What did not change within the horizon is forgotten, so memory follows recent changes.
        recent_keys = {key for known in self._versions.values() for key in known}
        self._deliveries = {key: it for key, it in self._deliveries.items() if key in recent_keys}
        while len(self._ends) > _REMEMBERED_ENDS:
            del self._ends[next(iter(self._ends))]

    def _receive(self, event: Event) -> None:
        """Deliver an event: at once in a new phase, else a pause after the one before."""
        key, known = event.key, self._versions.get(event.app_id)
        # The last subscriber may have left; and a message and a poll may have marked one change.
        if known is None or event.version <= known.get(key, 0):
            return
        known[key] = event.version
        delivered_at, phase = self._deliveries.get(key, (-math.inf, None))
        wait = delivered_at + PAUSE_SECONDS - time.monotonic()
        if wait <= 0 or event.phase != phase:
            self._held.pop(key, None)
            self._deliver(event)
            return
        # One timer, however many states arrive in the pause; the last of them is delivered.
        if key not in self._held:
            asyncio.get_running_loop().call_later(wait, self._release, key)
        self._held[key] = event

    def _release(self, key: int) -> None:
        event = self._held.pop(key, None)
        if event is not None:
            self._deliver(event)

    def _deliver(self, event: Event) -> None:
        is_new_end = self._ends.get(event.key) != event.ended_at
        if event.ended_at:
            self._ends[event.key] = event.ended_at
        self._deliveries[event.key] = time.monotonic(), event.phase
        for queue in self.queues.get(event.app_id, ()):
            queue.offer(event, is_new_end=is_new_end)


async def ask_database(function: Callable[..., Awaitable[Any]], *args: object) -> Any:
    """Call a function with a connection, in a task of its own.

    A subscriber that leaves cancels its own task; in the middle of a query that would cost the
    pool a connection.
    """

    async def call() -> Any:
        async with connection() as db:
            return await function(db, *args)

    return await undisturbed(call())
