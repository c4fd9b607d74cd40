"""A feed forgets no version that its subscribers know, whatever happens while it polls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from api.events.event import Event, Topic
from api.events.feed import Feed, SubscriberQueue


class Table:
    """A table of one import for each app, and a pause in which it is read."""

    def __init__(self) -> None:
        self.versions = {1: 5, 2: 5}
        self.is_reading = asyncio.Event()
        self.is_going_on = asyncio.Event()
        self.is_going_on.set()

    async def read(self, db: Any, keys: Collection[int]) -> list[Event]:
        events = [Event(app_id=key, key=key, version=self.versions[key]) for key in keys]
        await self._pause()
        return events

    async def read_recent(self, db: Any, app_ids: Collection[int], seconds: float) -> list[Any]:
        found = [
            {"app_id": key, "key": key, "version": version, "ended_at": None}
            for key, version in self.versions.items()
            if key in app_ids and version
        ]
        await self._pause()
        return found

    async def _pause(self) -> None:
        self.is_reading.set()
        await self.is_going_on.wait()

    async def during(self, work: Awaitable[None], meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Do something after the table is read for some work, and before that goes on with it."""
        self.is_going_on.clear()
        self.is_reading.clear()
        task = asyncio.ensure_future(work)
        await self.is_reading.wait()
        self.is_going_on.set()
        await meanwhile()
        await task


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    async def ask(function: Callable[..., Awaitable[Any]], *args: object) -> Any:
        return await function(Clock(), *args)

    monkeypatch.setattr("api.events.feed.ask_database", ask)
    monkeypatch.setattr("api.events.feed.PAUSE_SECONDS", 0.0)
    return Table()


class Clock:
    async def fetchval(self, query: str) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def feed(table: Table) -> Feed:
    return Feed(Topic("tests", table.read, table.read_recent), lambda: None)


def waiting(queue: SubscriberQueue) -> list[int]:
    return [event.version for event in queue._waiting.values()]


async def test_a_subscriber_that_comes_during_a_poll(feed: Feed, table: Table) -> None:
    """What it was told is old stays old."""
    async with feed.subscribe(1, key=None, only_ends=False):
        entered: list[SubscriberQueue] = []
        other = feed.subscribe(2, key=None, only_ends=False)

        async def come() -> None:
            entered.append(await other.__aenter__())

        await table.during(feed.poll(2.0), come)
        await feed.poll(2.0)
        await feed.read_changed()
        found = waiting(entered[0])
        await other.__aexit__(None, None, None)

    assert found == []


async def test_an_event_that_comes_during_a_poll(feed: Feed, table: Table) -> None:
    """It is delivered once, though the poll did not see it."""
    async with feed.subscribe(1, key=None, only_ends=False) as queue:
        table.versions = {1: 0}

        async def change() -> None:
            table.versions = {1: 6}
            feed.note_change(1, 1)
            await feed.read_changed()

        feed._versions[1].clear()
        await table.during(feed.poll(2.0), change)
        first = waiting(queue)
        queue._waiting.clear()
        await feed.poll(2.0)
        await feed.read_changed()
        second = waiting(queue)

    assert (first, second) == ([6], [])


async def test_a_subscriber_that_leaves_during_a_read(feed: Feed, table: Table) -> None:
    """The next one learns anew what is old."""
    leaving = feed.subscribe(1, key=None, only_ends=False)
    await leaving.__aenter__()
    table.versions = {1: 6}
    feed.note_change(1, 1)

    async def leave() -> None:
        await leaving.__aexit__(None, None, None)

    await table.during(feed.read_changed(), leave)
    assert feed._versions == {}
    async with feed.subscribe(1, key=None, only_ends=False) as queue:
        await feed.poll(2.0)
        await feed.read_changed()
        found = waiting(queue)

    assert found == []
