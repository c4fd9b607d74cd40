"""The hub passes on events of any topic: nothing in it knows imports."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from api.broker import events_channel
from api.events.event import Event, Topic
from api.events.hub import _repeat
from models.audit import COMMAND_LINE, Action, record
from models.db import transaction
from tests.api.api_fixture import Api, sql


async def read_events(db: Any, keys: Collection[int]) -> list[Event]:
    rows = await db.fetch("SELECT * FROM audit_events WHERE id = ANY($1::bigint[])", list(keys))
    return [Event(app_id=row["app_id"], key=row["id"], version=1) for row in rows]


async def read_recent(db: Any, app_ids: Collection[int], seconds: float) -> list[Any]:
    rows: list[Any] = await db.fetch(
        """
        SELECT app_id, id AS key, 1 AS version, NULL::timestamptz AS ended_at FROM audit_events
        WHERE app_id = ANY($1::bigint[])
          AND occurred_at > clock_timestamp() - $2::float * interval '1 second'
        """,
        list(app_ids),
        seconds,
    )
    return rows


AUDIT = Topic(name="audit", read=read_events, read_recent=read_recent)


async def add(app_id: int) -> int:
    """Record something; return its key."""
    async with transaction() as db:
        await record(db, app_id, COMMAND_LINE, Action.CASE_CREATED, 1, name="x")
        return int(await db.fetchval("SELECT max(id) FROM audit_events"))


@pytest.mark.parametrize("is_published", [True, False], ids=["published", "polled"])
async def test_another_topic(api: Api, is_published: bool) -> None:
    """Events of a topic come to the subscribers of their app, with a message and without."""
    app_id, hub = api.world.app.id, api.server.services.hub
    await add(app_id)
    async with hub.subscribe(AUDIT, app_id) as queue:
        theirs = await add(api.world.other.id)
        key = await add(app_id)
        if is_published:
            client = api.server.services.queue._broker.client
            for app, each in ((app_id, theirs), (app_id, key)):
                channel = events_channel(app, "audit")
                await asyncio.to_thread(client.publish, channel, str(each))
        async with asyncio.timeout(5):
            event = await anext(queue)

        assert (event.app_id, event.key, event.version) == (app_id, key, 1)
        assert hub.subscribers == 1
    assert hub.subscribers == 0


async def test_topics_do_not_mix(api: Api) -> None:
    """A message about one topic is none about another, and one without subscribers is ignored."""
    app_id, hub = api.world.app.id, api.server.services.hub
    async with hub.subscribe(AUDIT, app_id) as queue:
        key = await add(app_id)
        hub.note_change("imports", app_id, key)
        hub.note_change("nothing", app_id, key)
        hub.note_change("audit", app_id, key)
        async with asyncio.timeout(5):
            event = await anext(queue)

        assert event.key == key


async def test_phases(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """States of one phase are thinned out, a new phase comes at once, and an end once."""
    monkeypatch.setattr("api.events.feed.PAUSE_SECONDS", 600.0)
    now = await sql("fetchval", "SELECT clock_timestamp()")
    app_id, hub = api.world.app.id, api.server.services.hub
    phases = [("a", None), ("a", None), ("a", None), ("b", now), ("c", now)]
    states = [
        Event(app_id=app_id, key=1, version=version, phase=phase, ended_at=ended_at)
        for version, (phase, ended_at) in enumerate(phases, 1)
    ]
    unread = iter(states)

    async def read(db: Any, keys: Collection[int]) -> list[Event]:
        return [next(unread)]

    async def read_nothing(db: Any, app_ids: Collection[int], seconds: float) -> list[Any]:
        return []

    topic = Topic(name="states", read=read, read_recent=read_nothing)
    async with (
        hub.subscribe(topic, app_id) as queue,
        hub.subscribe(topic, app_id, only_ends=True) as ends,
    ):
        feed = hub._feeds["states"]
        seen = []
        for state in states:
            hub.note_change("states", app_id, 1)
            while feed._versions[app_id].get(1, 0) < state.version:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
            seen += list(queue._waiting.values())
            queue._waiting.clear()
        end = await anext(ends)

    assert [event.version for event in seen] == [1, 4, 5]
    assert end.version == 4
    assert not ends._waiting


async def test_rounds_that_fail(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that the database fails is a line in the log, a bug a traceback."""
    monkeypatch.setattr("api.events.hub._FIRST_DELAY", 0.0)
    errors = [OSError("lost"), KeyError("bug")]
    is_over = asyncio.Event()

    async def work() -> None:
        if errors:
            raise errors.pop(0)
        is_over.set()
        await asyncio.Future()

    repeating = asyncio.create_task(_repeat(work))
    await is_over.wait()
    repeating.cancel()
    await asyncio.wait([repeating])

    assert [bool(record.exc_info) for record in caplog.records] == [False, True]
    assert "OSError('lost')" in caplog.text
