"""Turns: what one token asks at once is done bit by bit, and others are answered in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from api.access.quota import FairLock, Turn
from api.limits import TokenLimits
from models.db import connection
from tests.api.api_fixture import (
    Api,
    add_cases,
    add_import,
    bearer,
    change_settings,
    eventually,
    node_id,
    sql,
)
from tests.api.websocket_client import subscriber

VIEWER = "{ viewer { tokenName } }"
EVENTS = "subscription { importsUpdated { id } }"
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@asynccontextmanager
async def no_turns(api: Api) -> AsyncIterator[None]:
    """Take all turns of the admin's token."""
    turns = (await api.quota()).running
    for _ in range(TokenLimits().running):
        await turns.acquire()
    try:
        yield
    finally:
        for _ in range(TokenLimits().running):
            turns.release()


async def test_turns_of_events(api: Api) -> None:
    """Events are executed when it is the token's turn, and then none is missing."""
    key = await add_import(api.world.app)
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe(EVENTS)
        await peer.send({"type": "ping"})
        assert await peer.receive() == {"type": "pong"}
        await eventually(lambda: api.server.services.hub.subscribers)
        async with no_turns(api):
            await sql("execute", "UPDATE imports SET version = version + 1 WHERE id = $1", key)
            await api.server.services.queue.notify_changed(api.world.app.id, key)
            is_silent = await peer.silence()

        assert is_silent
        assert await peer.next() == {"importsUpdated": {"id": node_id("Import", key)}}


async def test_turns_of_bodies(api: Api) -> None:
    """A body is parsed when it is the token's turn: until then it is bytes."""
    headers = {**bearer(api.world.admin), "Content-Type": "application/json"}
    async with no_turns(api):
        asking = asyncio.create_task(
            api.http.post(f"{api.url}/graphql", data=b"nonsense", headers=headers)
        )
        await asyncio.sleep(0.2)
        was_refused = asking.done()

    assert not was_refused
    assert (await asking).status == 400


NESTED = "{ cases(first: 100) { edges { node { assignments(first: 20) { edges { cursor } } } } } }"


@pytest.mark.parametrize(
    "long",
    [
        {"query": "{ viewer { a_new_text: tokenName } }"},
        {"query": VIEWER, "variables": {"unused": "x" * 70_000}},
        {"query": NESTED},
    ],
    ids=["new text", "long body", "long answer"],
)
async def test_long_work_goes_one_by_one(api: Api, long: dict[str, Any]) -> None:
    """What takes its time waits for others of its token that do; what is short does not."""
    await api.data(VIEWER)
    await api.data(NESTED)
    async with (await api.quota()).long_work:
        waiting = asyncio.create_task(api.post(long))
        await asyncio.sleep(0.2)
        short = await api.post({"query": VIEWER})
        still_waits = not waiting.done()

    assert short[0] == 200
    assert still_waits
    assert "errors" not in (await waiting)[1]


async def test_pause_between_long_work() -> None:
    """After long work others have a while before there is more of it."""
    gate, now, ends, begins = FairLock(), asyncio.get_running_loop().time, [], []

    async def work() -> None:
        async with gate:
            begins.append(now())
            await asyncio.sleep(0.1)
            ends.append(now())

    await asyncio.gather(*(work() for _ in range(3)))

    pauses = [begin - end for end, begin in zip(ends, begins[1:], strict=False)]
    assert all(pause > 0.0095 for pause in pauses)
    assert len(ends) == 3


@pytest.mark.parametrize(("seconds", "is_pausing"), [(0.009, False), (0.011, True)])
async def test_pause_after_what_was_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float, is_pausing: bool
) -> None:
    """Work that was short, though it might have been long, makes the next wait for no pause."""
    times = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr("api.access.quota.time", SimpleNamespace(monotonic=lambda: next(times)))
    gate = FairLock()

    async with gate:
        pass

    assert gate._lock.locked() == is_pausing


async def test_long_answers_overlap_reads(api: Api) -> None:
    """While the database works for a long answer, another one is made."""
    imports = "{ imports(first: 100) { edges { node { rows(first: 20) { edges { cursor } } } } } }"
    await add_cases(api.world.app, 1)
    await api.data(NESTED)
    await api.data(imports)
    async with connection() as db, db.transaction():
        await db.execute("LOCK TABLE cases")
        waiting = asyncio.create_task(api.data(NESTED))
        while not await sql("fetchval", WAITING):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
        other = await api.data(imports)
        still_waits = not waiting.done()

    assert other["imports"]
    assert still_waits
    assert (await waiting)["cases"]["edges"]


async def test_turn_is_taken_once() -> None:
    """Reads of one operation that end together go on in the same turn."""
    lock, read = FairLock(), asyncio.Event()
    async with Turn(lock) as turn:
        reads = asyncio.gather(*(turn.wait_for(read.wait()) for _ in range(3)))
        await asyncio.sleep(0)
        was_free = not lock._lock.locked()
        read.set()
        ended = await reads
        is_held = lock._lock.locked()

    assert ended == [True, True, True]
    assert was_free
    assert is_held
    assert not lock._lock.locked()


@pytest.mark.parametrize("is_contended", [False, True])
async def test_read_outlasts_its_turn(*, is_contended: bool) -> None:
    """A read that ends after its operation, which has failed, takes no turn that nothing ends."""
    lock, read = FairLock(), asyncio.Event()
    async with Turn(lock) as turn:
        late = asyncio.create_task(turn.wait_for(read.wait()))
        await asyncio.sleep(0)
        if is_contended:
            await lock.acquire()
            read.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    if is_contended:
        lock.release()
    read.set()
    await late

    assert not lock._lock.locked()


async def test_failed_read_leaves_its_turn() -> None:
    """An operation whose read fails ends without the lock."""
    lock = FairLock()
    read = asyncio.get_running_loop().create_future()
    read.set_exception(OSError("gone"))
    async with Turn(lock) as turn:
        with pytest.raises(OSError, match="gone"):
            await turn.wait_for(read)
        is_held = lock._lock.locked()

    assert not is_held
    assert not lock._lock.locked()


async def test_flood(api: Api) -> None:
    """However many requests one token sends at once, another's is answered in its turn."""
    await add_cases(api.world.app, 100)
    query = "{ cases(first: 100) { edges { node { id about assignments { totalCount } } } } }"
    flood = [asyncio.create_task(api.execute(query)) for _ in range(300)]
    await asyncio.sleep(0.2)
    async with aiohttp.ClientSession() as other:
        started = asyncio.get_running_loop().time()
        stranger = bearer(api.world.stranger)
        async with other.post(
            f"{api.url}/graphql", json={"query": VIEWER}, headers=stranger
        ) as response:
            assert response.status == 200
        took = asyncio.get_running_loop().time() - started
    left = sum(not each.done() for each in flood)
    results = await asyncio.gather(*flood)
    whole = asyncio.get_running_loop().time() - started

    assert left > 50
    assert all("errors" not in result for result in results)
    assert took < whole / 3


async def test_flood_of_new_queries(api: Api) -> None:
    """Queries that no one has sent before, which take their time to be looked at and are refused
    in the end, hold up nobody else either."""
    fields = " ".join(f"nothing{number}" for number in range(250))
    flood = [
        asyncio.create_task(api.execute(f"{{ roles {{ {fields} x{number} }} }}"))
        for number in range(150)
    ]
    await asyncio.sleep(0.2)
    async with aiohttp.ClientSession() as other:
        stranger = bearer(api.world.stranger)
        async with other.post(
            f"{api.url}/graphql", json={"query": VIEWER}, headers=stranger
        ) as response:
            assert response.status == 200
    left = sum(not each.done() for each in flood)
    results = await asyncio.gather(*flood)

    assert left > 20
    assert all(result["errors"] for result in results)


async def test_connections(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """One token never has all connections of the database, however much it asks for at once: here
    by fields of one query, while nobody can read users."""
    change_settings(api, monkeypatch, token=TokenLimits(running=9))
    asked = " ".join(f"u{first}: users(first: {first}) {{ totalCount }}" for first in range(1, 13))
    async with connection() as db, db.transaction():
        await db.execute("LOCK TABLE users")
        waiting = asyncio.create_task(api.execute(f"{{ {asked} }}"))
        while await sql("fetchval", WAITING) < 9:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
        async with aiohttp.ClientSession() as other:
            stranger = bearer(api.world.stranger)
            async with other.post(
                f"{api.url}/graphql", json={"query": "{ roles { key } }"}, headers=stranger
            ) as response:
                answer = await response.json()
        still = await sql("fetchval", WAITING)
    result = await waiting

    assert answer["data"]["roles"]
    assert still == 9
    assert "errors" not in result
