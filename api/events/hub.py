"""The hub: one per API process, passes events on to subscribers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.broker import events_channel
from api.errors import say_expired
from api.events.feed import Feed, ask_database
from models.access import ended_tokens
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from api.events.event import Topic
    from api.events.feed import SubscriberQueue

log = logging.getLogger(__name__)

# How late an event is whose message was lost, and how long a revoked token keeps a WebSocket.
POLL_SECONDS = 2.0
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 10.0
# After so long without a message, a ping finds out whether the connection is still there.
_IDLE_SECONDS = 10.0


class Hub:
    """Has a feed of each topic that was subscribed to, and watches the tokens of open WebSockets.

    A message only says which key has changed. What messages did not say, because one was lost or
    Redis is out of reach, the next poll finds.
    """

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}
        self._watchers: dict[int, set[Callable[[str], None]]] = defaultdict(set)
        self._wake = asyncio.Event()
        self._polled_at = time.monotonic()

    def subscribe(
        self, topic: Topic, app_id: int, *, key: int | None = None, only_ends: bool = False
    ) -> AbstractAsyncContextManager[SubscriberQueue]:
        """Open a queue for events of an app from now on.

        Args:
            key: only events of this key.
            only_ends: only the events with which something ends, each once.
        """
        if topic.name not in self._feeds:
            self._feeds[topic.name] = Feed(topic, self._wake.set)
        return self._feeds[topic.name].subscribe(app_id, key=key, only_ends=only_ends)

    @property
    def subscribers(self) -> int:
        """How many queues are open."""
        return sum(len(some) for feed in self._feeds.values() for some in feed.queues.values())

    @contextmanager
    def watch_token(self, token_id: int, end: Callable[[str], None]) -> Iterator[None]:
        """Call `end` with the reason if the token is revoked or expires within the block."""
        self._watchers[token_id].add(end)
        try:
            yield
        finally:
            self._watchers[token_id].discard(end)
            if not self._watchers[token_id]:
                del self._watchers[token_id]

    def note_change(self, topic: str, app_id: int, key: int) -> None:
        """Note that a key has changed; without subscribers to its topic nothing happens."""
        if topic in self._feeds:
            self._feeds[topic].note_change(app_id, key)

    async def read_round(self) -> None:
        """Wait for changes, read all of them at once, and pass them on."""
        await self._wake.wait()
        # Before the reads, so that a change during them wakes the next round.
        self._wake.clear()
        for feed in list(self._feeds.values()):
            await feed.read_changed()

    async def poll_round(self) -> None:
        """Find changes that no message has told of, and tokens that have ended."""
        await asyncio.sleep(POLL_SECONDS)
        started = time.monotonic()
        for feed in list(self._feeds.values()):
            await feed.poll(started - self._polled_at)
        if self._watchers:
            found = await ask_database(ended_tokens, set(self._watchers))
            reasons = dict.fromkeys(found.revoked, "The token is no longer valid")
            reasons |= {token_id: say_expired(ended) for token_id, ended in found.expired.items()}
            for token_id, reason in reasons.items():
                for end in list(self._watchers.get(token_id, ())):
                    end(reason)
        # Not reached if a read fails: the next poll then looks back further.
        self._polled_at = started


@asynccontextmanager
async def open_hub(redis_url: str) -> AsyncIterator[Hub]:
    """Run a hub for as long as the block."""
    hub = Hub()
    tasks = [
        asyncio.create_task(_repeat(hub.read_round)),
        asyncio.create_task(_repeat(hub.poll_round)),
        asyncio.create_task(_listen(redis_url, hub.note_change)),
    ]
    try:
        yield hub
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(work: Callable[[], Awaitable[None]]) -> None:
    """Repeat a round for ever, also after one that failed; polls find what that has lost."""
    while True:
        try:
            await work()
        except Exception as error:
            what = "a round of the event hub failed (%r); the next poll makes up"
            log.warning(what, error, exc_info=not is_passing(error))
            await asyncio.sleep(_FIRST_DELAY)


async def _listen(redis_url: str, note: Callable[[str, int, int], None]) -> None:
    """Pass messages on for ever, connecting again whenever the connection is lost.

    The channel of a message names topic and app, its data is a key; others are ignored.
    """
    delay = _FIRST_DELAY
    while True:
        try:
            async with (
                Redis.from_url(redis_url, socket_connect_timeout=3) as client,
                client.pubsub(ignore_subscribe_messages=True) as channel,
            ):
                # One pattern for all apps: a subscription in Redis for each app would have to
                # follow those that come and go here. What has no subscriber is dropped at once.
                await channel.psubscribe(events_channel("*", "*"))
                while True:
                    message = await channel.get_message(timeout=_IDLE_SECONDS)
                    delay = _FIRST_DELAY
                    if message is None:
                        await channel.ping()
                        continue
                    with suppress(KeyError, TypeError, ValueError, AttributeError):
                        _, topic, app_id = message["channel"].decode().split(":")
                        note(topic, int(app_id), int(message["data"]))
        except (RedisError, OSError) as error:
            log.warning("no events from Redis (%s); connecting again in %.1f s", error, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
