"""Subscriptions: the state first, every change, and never a missed end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.events.feed import PAUSE_SECONDS
from models.imports import ImportStatus
from tests.api.api_fixture import Api, add_import, node_id, sql
from tests.api.websocket_client import Subscriber, subscriber

ONE = "subscription ($id: ID!) { importUpdated(id: $id) { id status passed progress } }"
ALL = "subscription { importsUpdated { id name status passed } }"
ENDS = "subscription { importFinished { id name status } }"
RUNNING = ImportStatus.PROCESSING
GONE = "The token is no longer valid"
EXPIRED = "The token has expired on 2026-01-31 at 17:05 UTC"


async def change(api: Api, key: int, *, tell: bool = True, **columns: Any) -> None:
    """Change an import as a worker does, and publish that it has changed."""
    values = {**columns, "changed_at": None}
    if columns.get("status") in ("PROCESSED", "FAILED", "CANCELLED"):
        values["finished_at"] = None
    sets = [
        f"{name} = clock_timestamp()" if value is None else f"{name} = '{value}'"
        for name, value in values.items()
    ]
    await sql(
        "execute", f"UPDATE imports SET {', '.join(sets)}, version = version + 1 WHERE id = $1", key
    )
    if tell:
        app_id = await sql("fetchval", "SELECT app_id FROM imports WHERE id = $1", key)
        await api.server.services.queue.notify_changed(app_id, key)


async def watch(api: Api, peer: Subscriber, query: str, key: int | None = None) -> None:
    """Subscribe, and wait until the queue is open."""
    before = api.server.services.hub.subscribers
    await peer.subscribe(query, None if key is None else {"id": node_id("Import", key)})
    await subscribers_are(api, before + 1)


async def subscribers_are(api: Api, count: int) -> None:
    """Wait until so many subscribers have a queue."""
    for _ in range(200):
        if api.server.services.hub.subscribers == count:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"there are {api.server.services.hub.subscribers} subscribers, not {count}")


@pytest.fixture(autouse=True)
async def listening(api: Api) -> None:
    """Wait until the hub hears what is published."""
    client = api.server.services.queue._broker.client
    for _ in range(200):
        if await asyncio.to_thread(client.pubsub_numpat):
            return
        await asyncio.sleep(0.02)
    pytest.fail("the hub does not listen")


async def test_one_import(api: Api) -> None:
    """A subscriber of one import gets its state, then changes, and is done with its end."""
    key = await add_import(api.world.app, status=RUNNING)
    async with subscriber(api, token=api.world.viewer) as peer:
        await watch(api, peer, ONE, key)
        first = await peer.next()
        await change(api, key, passed=5)
        second = await peer.next(1)
        await change(api, key, passed=9, status="PROCESSED")
        third = await peer.next(1)
        end = await peer.receive()

    states = [event["importUpdated"] for event in (first, second, third)]
    assert [(state["status"], state["passed"]) for state in states] == [
        ("PROCESSING", 0),
        ("PROCESSING", 5),
        ("PROCESSED", 9),
    ]
    assert end == {"id": "1", "type": "complete"}
    assert api.server.services.hub.subscribers == 0


# The type makes the selection one that graphql-core executes.
@pytest.mark.parametrize("others", ["", "type { key }"])
async def test_what_is_loaded_beside(api: Api, others: str) -> None:
    """Events also have what is read from other tables: whose an import is, and its place."""
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'admin'")
    key = await add_import(api.world.app, status=ImportStatus.QUEUED, token_id=token)
    query = ONE.replace("progress", f"createdBy {{ name }} queuePosition {others}")
    async with subscriber(api, token=api.world.viewer) as peer:
        await watch(api, peer, query, key)
        first = await peer.next()
        await change(api, key, status=RUNNING, split_attempts=1)
        second = await peer.next()

    events = [each["importUpdated"] for each in (first, second)]
    assert [each["createdBy"] for each in events] == [{"name": "admin"}] * 2
    assert [each["queuePosition"] for each in events] == [1, None]


@pytest.mark.parametrize("status", ["PROCESSED", "FAILED", "CANCELLED"])
async def test_finished_import(api: Api, status: str) -> None:
    """Of a finished import the state comes, and that is all."""
    key = await add_import(api.world.app, status=ImportStatus(status))
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe(ONE, {"id": node_id("Import", key)})

        assert (await peer.next())["importUpdated"]["status"] == status
        assert (await peer.receive())["type"] == "complete"


async def test_unknown_imports(api: Api) -> None:
    """An import of another app, or of none, is not found."""
    theirs = await add_import(api.world.other, status=RUNNING)
    async with subscriber(api, token=api.world.admin) as peer:
        for node in (node_id("Import", theirs), node_id("Import", 0), "nonsense"):
            await peer.subscribe(ONE, {"id": node})
            message = await peer.receive()
            [error] = (
                message["payload"]["errors"] if message["type"] == "next" else message["payload"]
            )
            assert error["extensions"]["code"] == "NOT_FOUND"
            if message["type"] == "next":
                await peer.receive()


async def test_all_imports(api: Api) -> None:
    """A subscriber of all gets changes of every import of its app, new ones too, and no others."""
    old = await add_import(api.world.app, "old", RUNNING)
    theirs = await add_import(api.world.other, "theirs", RUNNING)
    async with subscriber(api, token=api.world.viewer) as peer:
        await watch(api, peer, ALL)
        assert await peer.silence(0.2)
        await change(api, theirs, passed=1)
        await change(api, old, passed=1)
        changed = await peer.next(1)
        await api.upload(name="new")
        made = await peer.next(1)

        assert (changed["importsUpdated"]["name"], changed["importsUpdated"]["passed"]) == (
            "old",
            1,
        )
        assert (made["importsUpdated"]["name"], made["importsUpdated"]["status"]) == (
            "new",
            "QUEUED",
        )
        assert await peer.silence()


async def test_ends(api: Api) -> None:
    """A subscriber of ends gets each once: not changes, not earlier ends, not what follows."""
    earlier = await add_import(api.world.app, "earlier", RUNNING)
    key = await add_import(api.world.app, "now", RUNNING)
    await change(api, earlier, status="PROCESSED")
    async with subscriber(api, token=api.world.viewer) as peer:
        await watch(api, peer, ENDS)
        await change(api, earlier)
        await change(api, key, passed=1)
        await change(api, key, status="PROCESSED")
        end = await peer.next(1)
        await change(api, key)
        await change(api, key)

        assert (end["importFinished"]["name"], end["importFinished"]["status"]) == (
            "now",
            "PROCESSED",
        )
        assert await peer.silence(2.6)

        await change(api, key, status="PROCESSING")
        await change(api, key, status="PROCESSED")
        assert (await peer.next())["importFinished"]["name"] == "now"


async def test_lost_messages(api: Api) -> None:
    """What no message told of is found by the next poll: a change, and an end."""
    key = await add_import(api.world.app, status=RUNNING)
    async with (
        subscriber(api, token=api.world.admin) as one,
        subscriber(api, token=api.world.admin) as everything,
        subscriber(api, token=api.world.admin) as ends,
    ):
        await watch(api, one, ONE, key)
        await watch(api, everything, ALL)
        await watch(api, ends, ENDS)
        await one.next()
        await change(api, key, tell=False, passed=1)
        assert (await one.next())["importUpdated"]["passed"] == 1
        assert (await everything.next())["importsUpdated"]["passed"] == 1
        await change(api, key, tell=False, status="FAILED")

        assert (await one.next())["importUpdated"]["status"] == "FAILED"
        assert (await everything.next())["importsUpdated"]["status"] == "FAILED"
        assert (await ends.next())["importFinished"]["status"] == "FAILED"


async def test_one_read_per_event(api: Api, statements: list[str]) -> None:
    """An event costs one read of the import, however many subscribers it has."""
    key = await add_import(api.world.app, status=RUNNING)
    async with subscriber(api, token=api.world.admin) as peer:
        for number in range(20):
            await peer.subscribe(ALL, name=str(number))
        await subscribers_are(api, 20)
        statements.clear()
        await change(api, key, passed=1)
        for _ in range(20):
            await peer.next(1)

    reads = [each for each in statements if "FROM imports WHERE id = ANY" in each]
    # The poll, which makes up for lost messages, may find it at the same moment.
    assert len(reads) in (1, 2)


async def test_bursts_are_thinned_out(api: Api) -> None:
    """Of many quick changes a subscriber gets a few a second, the newest, and the end at once."""
    key = await add_import(api.world.app, status=RUNNING)
    async with subscriber(api, token=api.world.admin) as peer:
        await watch(api, peer, ALL)
        started = asyncio.get_running_loop().time()
        for number in range(1, 61):
            await change(api, key, passed=number)
            await asyncio.sleep(0.01)
        await change(api, key, passed=61, status="PROCESSED")
        ended = asyncio.get_running_loop().time()
        events = []
        while not events or events[-1]["status"] != "PROCESSED":
            events.append((await peer.next(1))["importsUpdated"])
        delay = asyncio.get_running_loop().time() - ended
        assert await peer.silence()

    seconds = ended - started
    assert len(events) <= 2 + seconds / PAUSE_SECONDS
    assert [event["passed"] for event in events] == sorted({event["passed"] for event in events})
    assert events[-1]["passed"] == 61
    assert delay < 0.2


async def test_late_news_do_not_come_after_newer_ones(api: Api) -> None:
    """The same state is told once, however often it is announced."""
    key = await add_import(api.world.app, status=RUNNING)
    async with subscriber(api, token=api.world.admin) as peer:
        await watch(api, peer, ONE, key)
        await peer.next()
        for _ in range(5):
            await api.server.services.queue.notify_changed(api.world.app.id, key)
        assert await peer.silence(0.4)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        pytest.param("revoked_at = now()", GONE, id="revoked"),
        pytest.param("expires_at = '2026-01-31 17:05Z'", EXPIRED, id="expired"),
        pytest.param("expires_at = '2026-01-31 17:05Z', revoked_at = now()", GONE, id="both"),
    ],
)
async def test_token_that_ends(api: Api, ending: str, reason: str) -> None:
    """When its token is revoked or expires, a subscription's connection is closed within seconds,
    saying so; those of other tokens go on."""
    key = await add_import(api.world.app, status=RUNNING)
    async with (
        subscriber(api, token=api.world.viewer) as peer,
        subscriber(api, token=api.world.admin) as other,
    ):
        await watch(api, peer, ALL)
        await watch(api, other, ONE, key)
        await sql("execute", f"UPDATE api_tokens SET {ending} WHERE name = 'viewer'")

        assert await peer.closed() == (4403, reason)
        assert (await other.next())["importUpdated"]
        assert api.server.services.hub.subscribers == 1


async def test_idle_socket_of_a_token_that_ends(api: Api) -> None:
    """A connection on which nothing is under way is closed as well."""
    async with subscriber(api, token=api.world.viewer) as peer:
        await sql("execute", "UPDATE api_tokens SET revoked_at = now() WHERE name = 'viewer'")

        assert await peer.closed() == (4403, GONE)
    assert api.server.services.hub._watchers == {}


async def test_nonsense_on_the_channel(api: Api) -> None:
    """Odd messages on the channel are passed over."""
    key = await add_import(api.world.app, status=RUNNING)
    client = api.server.services.queue._broker.client
    async with subscriber(api, token=api.world.admin) as peer:
        await watch(api, peer, ALL)
        for channel, text in (("x", "1"), (str(api.world.app.id), "x"), ("", ""), ("1:2", "{}")):
            await asyncio.to_thread(client.publish, f"caseroll:imports:{channel}", text)
        await change(api, key, passed=1)

        assert (await peer.next(1))["importsUpdated"]["passed"] == 1


async def test_slow_subscriber_holds_nobody_up(api: Api) -> None:
    """One that does not read gets the newest state later; others get theirs at once."""
    key = await add_import(api.world.app, status=RUNNING)
    async with (
        subscriber(api, token=api.world.admin) as slow,
        subscriber(api, token=api.world.admin) as quick,
    ):
        await watch(api, slow, ALL)
        await watch(api, quick, ALL)
        slow.socket.transport.pause_reading()
        for number in range(1, 4):
            await change(api, key, passed=number)
            assert (await quick.next(1))["importsUpdated"]["passed"] == number
            await asyncio.sleep(0.3)
        slow.socket.transport.resume_reading()

        seen = [(await slow.next())["importsUpdated"]["passed"]]
        while seen[-1] != 3:
            seen.append((await slow.next())["importsUpdated"]["passed"])


async def test_cut_off_from_redis(api: Api) -> None:
    """When Redis drops the connection, the hub comes back and hears again."""
    key = await add_import(api.world.app, status=RUNNING)
    client = api.server.services.queue._broker.client
    async with subscriber(api, token=api.world.admin) as peer:
        await watch(api, peer, ONE, key)
        await peer.next()
        await asyncio.to_thread(client.execute_command, "CLIENT", "KILL", "TYPE", "pubsub")
        await change(api, key, passed=7, status="PROCESSED")

        assert (await peer.next())["importUpdated"]["passed"] == 7
