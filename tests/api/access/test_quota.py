"""Each limit of what a client may cost: just below it, just above it, and what others notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
from starlette.types import Message

from api.access.quota import BURST_SECONDS, MEMORY_BYTES, ConcurrencyLimit
from api.execution.prepare import _length_variables, _numbers
from api.http.responses import CountedResponse
from api.limits import QueryLimits, TokenLimits
from tests.api.api_fixture import (
    ASSIGN,
    Api,
    bearer,
    change_settings,
    eventually,
)
from tests.api.http.multipart.test_request import upload
from tests.api.websocket_client import subscriber

VIEWER = "{ viewer { tokenName } }"
CASES = "{{ cases(first: {}) {{ edges {{ node {{ id }} }} }} }}"
EVENTS = "subscription { importsUpdated { id } }"


async def refusal(api: Api, query: str) -> str | None:
    """Run a query; return the message when it is refused."""
    result = await api.execute(query)
    if "errors" not in result:
        return None
    [error] = result["errors"]
    assert error["extensions"]["code"] in ("TOO_COMPLEX", "SYNTAX_ERROR")
    return str(error["message"])


@pytest.mark.parametrize(
    ("limit", "at_it", "over_it"),
    [
        ({"characters": 24}, VIEWER, VIEWER + " "),
        ({"tokens": 6}, VIEWER, "{ viewer { tokenName permission } }"),
        ({"depth": 2}, VIEWER, "{ viewer { app { slug } } }"),
        ({"aliases": 1}, "{ a: viewer { tokenName } }", "{ a: viewer { b: tokenName } }"),
        ({"root_fields": 1}, VIEWER, "{ viewer { tokenName } roles { key } }"),
        ({"fields": 2}, VIEWER, "{ viewer { tokenName permission } }"),
        ({"objects": 5}, CASES.format(5), CASES.format(6)),
        # The list, and of each page's place `edges`, `node` and `id`.
        ({"values": 16}, CASES.format(5), CASES.format(6)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_queries(
    api: Api, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int], at_it: str, over_it: str
) -> None:
    """A query at a limit is answered; one that is just over it is told the limit."""
    change_settings(api, monkeypatch, query=QueryLimits(**limit))
    [number] = limit.values()

    assert await refusal(api, at_it) is None
    assert f"{number}" in (await refusal(api, over_it) or "")


async def test_pages(api: Api) -> None:
    """A page has a hundred objects at most, and the message says so."""
    over = await api.execute("{ cases(first: 101) { totalCount } }")

    assert await refusal(api, "{ cases(first: 100) { totalCount } }") is None
    assert over["errors"][0]["extensions"]["code"] == "BAD_PAGE"
    assert "from 0 to 100" in over["errors"][0]["message"]


async def test_json_bytes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JSON body at the limit is read, one byte more is not, whether its length is said or not."""
    body = b'{"query": "{ viewer { tokenName } }"}'
    change_settings(api, monkeypatch, max_request_bytes=len(body))

    async def chunks() -> Any:
        yield body[:9]
        yield body[9:] + b" "

    headers = {**bearer(api.world.admin), "Content-Type": "application/json"}
    statuses = []
    for data in (body, body + b" ", chunks()):
        async with api.http.post(f"{api.url}/graphql", data=data, headers=headers) as response:
            statuses.append(response.status)
            answer = await response.json()

    assert statuses == [200, 413, 413]
    assert answer["errors"][0]["extensions"]["code"] == "TOO_LARGE"
    assert f"{len(body)} bytes" in answer["errors"][0]["message"]


async def test_message_bytes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket's message at the limit is read, one byte more closes it with 1009."""
    change_settings(api, monkeypatch, max_request_bytes=200)
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.send('{"type": "ping"}'.ljust(200))
        assert await peer.receive() == {"type": "pong"}
        await peer.send('{"type": "ping"}'.ljust(201))

        assert await peer.closed() == (1009, "The message is larger than 200 bytes, the most")


async def test_rate(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token has ten seconds' worth of requests at once, and then is told to wait."""
    change_settings(api, monkeypatch, token=TokenLimits(requests_per_second=1))
    answers = [await api.post({"query": VIEWER}) for _ in range(BURST_SECONDS)]
    async with api.http.get(
        f"{api.url}/files/samples/assign_sample.csv", headers=bearer(api.world.admin)
    ) as response:
        refused = await response.json()

    assert [status for status, _ in answers] == [200] * BURST_SECONDS
    assert (response.status, response.headers["Retry-After"]) == (429, "1")
    assert refused["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert "1 requests a second" in refused["errors"][0]["message"]
    assert (await api.post({"query": VIEWER}, api.world.viewer))[0] == 200


async def test_rate_comes_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has waited may ask again."""
    change_settings(api, monkeypatch, token=TokenLimits(requests_per_second=5))
    asked = [api.post({"query": VIEWER}) for _ in range(BURST_SECONDS * 5 + 50)]
    statuses = [status for status, _ in await asyncio.gather(*asked)]
    await asyncio.sleep(1)

    assert statuses.count(200) >= BURST_SECONDS * 5
    assert 429 in statuses
    assert (await api.post({"query": VIEWER}))[0] == 200


async def test_rate_of_messages(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations on a WebSocket count, too, and are refused one by one; other floods end it."""
    change_settings(api, monkeypatch, token=TokenLimits(requests_per_second=1))
    async with subscriber(api, token=api.world.admin) as peer:
        for _ in range(BURST_SECONDS):
            await peer.send({"type": "ping"})
            assert await peer.receive() == {"type": "pong"}
        await peer.subscribe(VIEWER)
        refused = await peer.receive()
        await peer.send({"type": "ping"})

        assert (await peer.closed())[0] == 1013
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"


async def test_sockets(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token has so many WebSockets; one more is closed, and a closed one makes room."""
    change_settings(api, monkeypatch, token=TokenLimits(sockets=2))
    async with subscriber(api, token=api.world.admin):
        async with subscriber(api, token=api.world.admin), subscriber(api) as third:
            payload = {"token": api.world.admin}
            await third.send({"type": "connection_init", "payload": payload})
            assert await third.closed() == (
                1013,
                "This token has 2 open WebSockets, the most; end one first.",
            )
        async with subscriber(api, token=api.world.viewer):
            pass
        quota = await api.quota()
        await eventually(lambda: quota.sockets.taken == 1)
        async with subscriber(api, token=api.world.admin):
            pass


async def test_subscriptions(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token has so many subscriptions, on whatever WebSockets; one more is refused."""
    change_settings(api, monkeypatch, token=TokenLimits(subscriptions=2))
    async with AsyncExitStack() as stack:
        peers = [
            await stack.enter_async_context(subscriber(api, token=api.world.admin))
            for _ in range(3)
        ]
        for peer in peers[:2]:
            await peer.subscribe(EVENTS)
            await peer.send({"type": "ping"})
            assert await peer.receive() == {"type": "pong"}
        quota = await api.quota()
        await eventually(lambda: quota.subscriptions.taken == 2)
        await peers[2].subscribe(EVENTS)
        refused = await peers[2].receive()
        await peers[0].send({"type": "complete", "id": "1"})
        await eventually(lambda: quota.subscriptions.taken == 1)
        await peers[2].subscribe(EVENTS, name="2")

        assert await peers[2].silence()
    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert "2 subscriptions" in refused["payload"][0]["message"]


async def test_operations(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket has so many operations at a time, and the message says how many."""
    change_settings(api, monkeypatch, token=TokenLimits(operations=2))
    async with subscriber(api, token=api.world.admin) as peer:
        for name in "abc":
            await peer.subscribe(EVENTS, name=name)
        message = await peer.receive()

        assert await peer.silence()
    assert (message["id"], message["type"]) == ("c", "error")
    assert "2 operations" in message["payload"][0]["message"]


async def test_operations_in_bytes(api: Api) -> None:
    """What a token's messages begin counts in bytes, whatever WebSockets they are on; what ends
    frees its own."""
    quota = await api.quota()
    long = {"unused": "x" * 500_000}
    async with subscriber(api, token=api.world.admin) as peer:
        with quota.memory.hold(MEMORY_BYTES - 20_480_000):
            for number in range(50):
                await peer.subscribe(EVENTS, long, name=f"{number}")
            first = await peer.receive()
            held = quota.memory.taken
            await peer.send({"type": "complete", "id": "0"})
            await peer.subscribe(EVENTS, long, name="again")
            others = [await peer.receive() for _ in range(49 - int(first["id"]))]

            assert await peer.silence()
    assert first["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert "67,108,864 bytes" in first["payload"][0]["message"]
    assert held <= MEMORY_BYTES
    assert {each["id"] for each in others} == {f"{n}" for n in range(int(first["id"]) + 1, 50)}
    await eventually(lambda: quota.memory.taken == 0)


async def test_length_of_messages_before_init(api: Api) -> None:
    """Nobody makes long speeches before saying who is there."""
    async with subscriber(api) as peer:
        await peer.send({"type": "connection_init", "payload": {"x": "x" * 17_000}})

        assert (await peer.closed())[0] == 1009


async def test_messages_before_init(api: Api) -> None:
    """Nobody chats before saying who is there."""
    async with subscriber(api) as peer:
        for _ in range(10):
            await peer.send({"type": "pong"})

        assert (await peer.closed())[0] == 4400


async def test_uploads(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token has so many uploads on their way; one more is refused, others' are not."""
    change_settings(api, monkeypatch, token=TokenLimits(uploads=1))
    async with upload(api) as first:
        quota = await api.quota()
        await first.send(ASSIGN)
        await eventually(lambda: quota.uploads.taken == 1)
        async with upload(api) as second:
            status, answer = await second.answer()
        mine = await api.upload(token=api.world.stranger)
    await eventually(lambda: quota.uploads.taken == 0)

    assert (status, answer["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "1 uploads" in answer["errors"][0]["message"]
    assert mine["import"]
    assert (await api.upload())["import"]


async def test_downloads(api: Api) -> None:
    """A token has so many downloads on their way at a time, and may have more once they end."""
    uploaded = (await api.upload())["import"]
    data = await api.data("query ($id: ID!) { import(id: $id) { file { url } } }", uploaded)
    url = data["import"]["file"]["url"]
    quota = await api.quota()
    with ExitStack() as taken:
        for _ in range(64):
            taken.enter_context(quota.memory.reserve(MEMORY_BYTES // 64))
        refused = (await api.get(url))[0]
    allowed = (await api.get(url))[0]

    assert (refused, allowed) == (429, 200)
    assert quota.memory.taken == 0


async def test_downloads_at_once() -> None:
    """Of two that are let in before either has begun, one is refused as such."""
    memory, may_end = ConcurrencyLimit(1, "downloads"), asyncio.Event()
    statuses: list[int] = []

    async def blocks() -> AsyncIterator[bytes]:
        yield b"x"
        await may_end.wait()

    async def receive() -> Message:
        await may_end.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    both = [CountedResponse(blocks(), {}, memory.reserve(1)) for _ in range(2)]
    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    sending = [asyncio.create_task(each(scope, receive, send)) for each in both]
    await asyncio.wait(sending, timeout=1, return_when=asyncio.FIRST_COMPLETED)
    may_end.set()
    await asyncio.gather(*sending)

    assert sorted(statuses) == [200, 429]
    assert memory.taken == 0


@pytest.mark.parametrize("size", [100.0, 100])
async def test_sizes_of_pages_in_variables(api: Api, size: float) -> None:
    """A page's size counts as GraphQL takes it, written as a whole number or not."""
    query = """query ($n: Int = 1) { cases(first: $n) { edges { node {
      assignments(first: $n) { edges { node { user {
        assignments(first: $n) { edges { node { case { about } } } } } } } } } } } }"""

    assert "TOO_COMPLEX" in str(await api.execute(query, {"n": size}))


def test_other_variables_are_not_remembered() -> None:
    """What a query is measured with are the sizes of its pages alone."""
    names = _length_variables("query ($a: Int, $b: Int) { cases(first: $a) { totalCount } }", 1_000)

    assert _numbers({"a": 2.0, "b": 3, "0": 1}, names) == {("a", 2)}


async def test_ready_is_asked_of_the_servers_once_at_a_time(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may ask `/ready`; however many do at once, the servers are asked once, and who asks
    later gets an answer of that time."""
    asked, at_once, most = 0, 0, 0

    async def ask() -> None:
        nonlocal asked, at_once, most
        asked, at_once = asked + 1, at_once + 1
        most = max(most, at_once)
        await asyncio.sleep(0.2)
        at_once -= 1

    monkeypatch.setattr("api.http.health._ask_database", ask)
    answers = await asyncio.gather(*(api.get("/ready", None) for _ in range(50)))
    many = asked
    await api.get("/ready", None)

    assert {status for status, *_ in answers} == {200}
    assert most == 1
    assert many < 10
    assert asked == many + 1
