"""Answers: no larger than allowed, and counted until they are taken."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import pytest

from api.limits import QueryLimits
from tests.api.api_fixture import Api, add_cases, add_import, bearer, change_settings, node_id, sql
from tests.api.websocket_client import subscriber

VIEWER = "{ viewer { tokenName } }"
MANY = " ".join(f"a{number}: about" for number in range(20))
LARGE = f"{{ cases(first: 10) {{ edges {{ node {{ {MANY} }} }} }} }}"
SLOW = f"{{ cases(first: 10) {{ edges {{ node {{ {MANY} }} }} pageInfo {{ hasNextPage }} }} }}"


@pytest.mark.parametrize("query", [LARGE, SLOW], ids=["plain", "by graphql-core"])
async def test_size_of_answers(api: Api, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """An answer over the limit is not sent, however its characters come together; the client is
    told, and what is smaller is still answered."""
    change_settings(api, monkeypatch, query=QueryLimits(answer_characters=90_000))
    await add_cases(api.world.app, 10)
    await sql("execute", "UPDATE cases SET about = repeat('x', 1000)")
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe(query)
        told = await peer.receive()

    accept = {**bearer(api.world.admin), "Accept": "application/graphql-response+json"}
    async with api.http.post(
        f"{api.url}/graphql", json={"query": query}, headers=accept
    ) as response:
        [error] = (await response.json())["errors"]

    assert await api.code(query) == "ANSWER_TOO_LARGE"
    # A refusal would have been 400: but this was executed, and might have been a mutation.
    assert (response.status, error["extensions"]["code"]) == (200, "ANSWER_TOO_LARGE")
    assert told["payload"]["errors"][0]["extensions"]["code"] == "ANSWER_TOO_LARGE"
    assert told["payload"]["data"] is None
    assert await api.data(query.replace("first: 10", "first: 4"))


async def test_size_of_events(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is an event."""
    change_settings(api, monkeypatch, query=QueryLimits(answer_characters=900))
    key = node_id("Import", await add_import(api.world.app, name="x" * 100))
    names = " ".join(f"a{number}: name" for number in range(10))
    query = f"subscription ($id: ID!) {{ importUpdated(id: $id) {{ {names} }} }}"
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe(query, {"id": key})
        told = await peer.receive()

    assert told["payload"]["errors"][0]["extensions"]["code"] == "ANSWER_TOO_LARGE"


async def test_size_of_names(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are as long as the query says, so that too many are refused before."""
    change_settings(api, monkeypatch, query=QueryLimits(answer_characters=90_000))
    query = "{ cases(first: %d) { edges { node { %s: tagId } } } }"

    assert await api.code(query % (10, "x" * 10_000)) == "TOO_COMPLEX"
    assert await api.data(query % (8, "x" * 10_000))


async def test_answers_that_are_not_taken(api: Api) -> None:
    """Answers count until they are taken; whoever lets too many wait is not answered."""
    await add_cases(api.world.app, 100)
    await sql("execute", "UPDATE cases SET about = repeat('x', 2500)")
    query = f"{{ cases(first: 100) {{ edges {{ node {{ {MANY} }} }} }} }}"
    quota = await api.quota()
    size = len(orjson.dumps(await api.execute(query)))
    connection = aiohttp.TCPConnector()
    async with aiohttp.ClientSession(connector=connection, read_bufsize=1024) as slow:
        headers = bearer(api.world.admin)
        async with slow.post(
            f"{api.url}/graphql", json={"query": query}, headers=headers
        ) as response:
            waiting = quota.memory.taken
            with quota.memory.hold(64 * 1024 * 1024):
                refused = await api.post({"query": VIEWER})
            assert len(await response.read()) == size
    await asyncio.sleep(0.1)

    assert waiting == size
    assert refused[0] == 429
    assert "67,108,864 bytes of answers" in refused[1]["errors"][0]["message"]
    assert quota.memory.taken == 0
    assert (await api.post({"query": VIEWER}))[0] == 200
