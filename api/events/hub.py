"""The hub: one per API process, tells subscribers of changed imports."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.broker import events_channel
from api.errors import say_expired
from api.events.import_state import Update
from api.events.subscriber_queue import Kind, Mailbox
from models.access import ended_tokens
from models.db import connection, undisturbed
from models.import_changes import read_imports, recent_changes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
    from datetime import datetime

    from asyncpg import Record


log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
PAUSE_SECONDS = 0.15
# How far polls look back: longer than any transaction may take.
_HORIZON_SECONDS = 75.0
_REMEMBERED_ENDS = 10_000
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 10.0
_IDLE_SECONDS = 10.0


class _Told(NamedTuple):
    """When which status of an import was told."""

    at: float
    status: str


_NOTHING = _Told(0, "")


class Hub:
    """Reads each changed import once, however many subscribers there are, and fills mailboxes.

    A message only says where to look. What it could not say, because it was lost or Redis is
    away, the next poll finds.
    """

    def __init__(self) -> None:
        self._mailboxes: dict[int, set[Mailbox]] = defaultdict(set)
        self._guests: dict[int, set[Callable[[str], None]]] = defaultdict(set)
        self._versions: dict[int, dict[int, int]] = {}
        self._ends: dict[int, datetime] = {}
        self._told: dict[int, _Told] = {}
        self._held: dict[int, Record] = {}
        self._changed: set[int] = set()
        self._wake = asyncio.Event()
        self._opening = asyncio.Lock()
        self._polled_at = time.monotonic()

    @asynccontextmanager
    async def mailbox(
        self, app_id: int, kind: Kind, import_id: int | None = None
    ) -> AsyncIterator[Mailbox]:
        """Open a mailbox for changes of an app's imports from now on."""
        since = await self._look_around(app_id)
        mailbox = Mailbox(kind, import_id, since)
        self._mailboxes[app_id].add(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes[app_id].discard(mailbox)
            if not self._mailboxes[app_id]:
                del self._mailboxes[app_id]
                self._versions.pop(app_id, None)

    @contextmanager
    def guest(self, token_id: int, leave: Callable[[str], None]) -> Iterator[None]:
        """Watch a token; if it opens nothing any more before the block ends, say so, and why."""
        self._guests[token_id].add(leave)
        try:
            yield
        finally:
            self._guests[token_id].discard(leave)
            if not self._guests[token_id]:
                del self._guests[token_id]

    def note(self, app_id: int, import_id: int) -> bool:
        """Hear that an import has changed; tell whether anybody wants to know."""
        if not any(mailbox.wants(import_id) for mailbox in self._mailboxes.get(app_id, ())):
            return False
        self._changed.add(import_id)
        self._wake.set()
        return True

    async def read_round(self) -> None:
        """Wait for changes, read all of them at once, and pass them on."""
        await self._wake.wait()
        self._wake.clear()
        changed, self._changed = self._changed, set()
        for row in await _ask(read_imports, changed):
            self._receive(row)

    async def poll_round(self) -> None:
        """Find changes that no message told of, and guests whose tokens are no longer good."""
        await asyncio.sleep(POLL_SECONDS)
        started = time.monotonic()
        if self._mailboxes:
            look_back = _HORIZON_SECONDS + started - self._polled_at
            self._compare(await _ask(recent_changes, list(self._mailboxes), look_back))
        if self._guests:
            await self._check_tokens()
        self._polled_at = started

    async def _look_around(self, app_id: int) -> datetime:
        """Learn what has happened already when the first subscriber of an app comes.

        Returns:
            The database's time.
        """
        async with self._opening:
            if app_id not in self._versions:
                rows = await _ask(recent_changes, [app_id], _HORIZON_SECONDS)
                self._versions[app_id] = {row["id"]: row["version"] for row in rows}
                self._ends |= {row["id"]: row["finished_at"] for row in rows if row["finished_at"]}
        now: datetime = await _ask(_database_time)
        return now

    def _compare(self, rows: Iterable[Record]) -> None:
        """Note what is newer than what subscribers know; forget what has not changed for long."""
        recent: dict[int, dict[int, int]] = defaultdict(dict)
        for row in rows:
            app_id, import_id = row["app_id"], row["id"]
            known = self._versions.get(app_id, {}).get(import_id, 0)
            if row["version"] > known and not self.note(app_id, import_id):
                known = row["version"]
                self._ends |= {import_id: row["finished_at"]} if row["finished_at"] else {}
            recent[app_id][import_id] = known
        self._versions = {app_id: recent[app_id] for app_id in self._versions}
        unforgotten = {import_id for known in self._versions.values() for import_id in known}
        self._told = {key: told for key, told in self._told.items() if key in unforgotten}
        while len(self._ends) > _REMEMBERED_ENDS:
            del self._ends[next(iter(self._ends))]

    async def _check_tokens(self) -> None:
        found = await _ask(ended_tokens, set(self._guests))
        reasons = dict.fromkeys(found.revoked, "The token is no longer valid")
        reasons |= {token_id: say_expired(ended) for token_id, ended in found.expired.items()}
        for token_id, reason in reasons.items():
            for leave in list(self._guests.get(token_id, ())):
                leave(reason)

    def _receive(self, row: Record) -> None:
        """Pass a state on: at once if its status is news, else a while after the one before."""
        import_id, known = row["id"], self._versions.setdefault(row["app_id"], {})
        if row["version"] <= known.get(import_id, 0):
            return
        known[import_id] = row["version"]
        told = self._told.get(import_id, _NOTHING)
        wait = told.at + PAUSE_SECONDS - time.monotonic()
        if wait <= 0 or row["status"] != told.status:
            self._held.pop(import_id, None)
            self._tell(row)
            return
        if import_id not in self._held:
            asyncio.get_running_loop().call_later(wait, self._release, import_id)
        self._held[import_id] = row

    def _release(self, import_id: int) -> None:
        row = self._held.pop(import_id, None)
        if row is not None:
            self._tell(row)

    def _tell(self, row: Record) -> None:
        import_id, end = row["id"], row["finished_at"]
        is_new_end = end is not None and self._ends.get(import_id) != end
        if is_new_end:
            self._ends[import_id] = end
        self._told[import_id] = _Told(time.monotonic(), row["status"])
        update = Update(row)
        for mailbox in self._mailboxes.get(row["app_id"], ()):
            mailbox.offer(update, is_new_end=is_new_end)


@asynccontextmanager
async def open_hub(redis_url: str) -> AsyncIterator[Hub]:
    """Run a hub for as long as the block."""
    hub = Hub()
    tasks = [
        asyncio.create_task(_for_ever(hub.read_round)),
        asyncio.create_task(_for_ever(hub.poll_round)),
        asyncio.create_task(_listen(redis_url, hub.note)),
    ]
    try:
        yield hub
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Repeat a round whatever happens in it; polls find again what a failed round has lost."""
    while True:
        try:
            await work()
        except Exception:
            log.warning("a round of the event hub failed; the next poll makes up", exc_info=True)
            await asyncio.sleep(_FIRST_DELAY)


async def _listen(redis_url: str, note: Callable[[int, int], bool]) -> None:
    """Pass messages on for ever, connecting again whenever the connection is lost."""
    delay = _FIRST_DELAY
    while True:
        try:
            async with (
                Redis.from_url(redis_url, socket_connect_timeout=3) as client,
                client.pubsub(ignore_subscribe_messages=True) as channel,
            ):
                await channel.psubscribe(events_channel("*"))
                while True:
                    message = await channel.get_message(timeout=_IDLE_SECONDS)
                    delay = _FIRST_DELAY
                    if message is None:
                        await channel.ping()
                    else:
                        _read_message(message, note)
        except (RedisError, OSError) as error:
            log.warning("no events from Redis (%s); connecting again in %.1f s", error, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)


def _read_message(message: dict[str, Any], note: Callable[[int, int], bool]) -> None:
    try:
        app_id = int(message["channel"].rpartition(b":")[2])
        import_id = int(message["data"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return
    note(app_id, import_id)


async def _ask(function: Callable[..., Awaitable[Any]], *args: object) -> Any:
    """Read the database in a task of its own."""

    async def call() -> Any:
        async with connection() as db:
            return await function(db, *args)

    return await undisturbed(call())


async def _database_time(db: Any) -> Any:
    return await db.fetchval("SELECT clock_timestamp()")
