"""Feeds: the events of one topic, from the database to the subscribers of their apps."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from api.events.event import EventT
from api.events.subscriber_queue import SubscriberQueue
from models.db import connection, undisturbed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
    from datetime import datetime

    from asyncpg import Record

    from api.events.topic import Topic

PAUSE_SECONDS = 0.15
# How far polls look back: longer than any transaction may take.
_HORIZON_SECONDS = 75.0
_REMEMBERED_ENDS = 10_000


class _Delivery(NamedTuple):
    """When an event of a key was last passed on, and in which phase."""

    at: float
    phase: Hashable


_NEVER = _Delivery(0, object())


class Feed(Generic[EventT]):
    """Reads each changed key of a topic once, however many subscribers there are.

    `note_change` only marks keys; `read_changed` reads all that are marked. What `note_change` is
    not called for, because a message was lost, `poll` finds by comparing versions.
    """

    def __init__(self, topic: Topic[EventT], wake: Callable[[], None]) -> None:
        self.queues: dict[int, set[SubscriberQueue[EventT]]] = defaultdict(set)
        self._topic = topic
        self._wake = wake
        # By app and key, while the app has subscribers: the newest version that they know.
        self._versions: dict[int, dict[int, int]] = {}
        self._ends: dict[int, datetime] = {}
        self._deliveries: dict[int, _Delivery] = {}
        self._held: dict[int, EventT] = {}
        self._changed: set[int] = set()
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def subscribe(
        self, app_id: int, *, key: int | None, only_ends: bool
    ) -> AsyncIterator[SubscriberQueue[EventT]]:
        """Open a queue for events of an app from now on."""
        since = await self._look_around(app_id)
        queue: SubscriberQueue[EventT] = SubscriberQueue(key=key, only_ends=only_ends, since=since)
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
        if not self._changed:
            return
        changed, self._changed = self._changed, set()
        for event in await ask_database(self._topic.read, changed):
            self._receive(event)

    async def poll(self, seconds: float) -> None:
        """Mark keys that have changed without a message.

        Args:
            seconds: since the last poll.
        """
        if self.queues:
            rows = await ask_database(
                self._topic.read_recent, list(self.queues), _HORIZON_SECONDS + seconds
            )
            self._compare(rows)

    async def _look_around(self, app_id: int) -> datetime:
        """Learn versions and ends so far when the first subscriber of an app comes.

        Returns:
            The database's time.
        """
        async with self._opening:
            if app_id not in self._versions:
                rows = await ask_database(self._topic.read_recent, [app_id], _HORIZON_SECONDS)
                self._versions[app_id] = {row["key"]: row["version"] for row in rows}
                self._ends |= {row["key"]: row["ended_at"] for row in rows if row["ended_at"]}
        now: datetime = await ask_database(_database_time)
        return now

    def _compare(self, rows: Iterable[Record]) -> None:
        """Mark what is newer than what subscribers know; forget what did not change recently."""
        recent: dict[int, dict[int, int]] = defaultdict(dict)
        for row in rows:
            app_id, key = row["app_id"], row["key"]
            known = self._versions.get(app_id, {}).get(key, 0)
            if row["version"] > known and not self.note_change(app_id, key):
                known = row["version"]
                self._ends |= {key: row["ended_at"]} if row["ended_at"] else {}
            recent[app_id][key] = known
        self._versions = {app_id: recent[app_id] for app_id in self._versions}
        recent_keys = {key for known in self._versions.values() for key in known}
        self._deliveries = {key: it for key, it in self._deliveries.items() if key in recent_keys}
        while len(self._ends) > _REMEMBERED_ENDS:
            del self._ends[next(iter(self._ends))]

    def _receive(self, event: EventT) -> None:
        """Deliver an event: at once in a new phase, else a pause after the one before."""
        key, known = event.key, self._versions.setdefault(event.app_id, {})
        if event.version <= known.get(key, 0):
            return
        known[key] = event.version
        last = self._deliveries.get(key, _NEVER)
        wait = last.at + PAUSE_SECONDS - time.monotonic()
        if wait <= 0 or event.phase != last.phase:
            self._held.pop(key, None)
            self._deliver(event)
            return
        if key not in self._held:
            asyncio.get_running_loop().call_later(wait, self._release, key)
        self._held[key] = event

    def _release(self, key: int) -> None:
        event = self._held.pop(key, None)
        if event is not None:
            self._deliver(event)

    def _deliver(self, event: EventT) -> None:
        is_new_end = event.ended_at is not None and self._ends.get(event.key) != event.ended_at
        if is_new_end and event.ended_at:
            self._ends[event.key] = event.ended_at
        self._deliveries[event.key] = _Delivery(time.monotonic(), event.phase)
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


async def _database_time(db: Any) -> Any:
    return await db.fetchval("SELECT clock_timestamp()")
