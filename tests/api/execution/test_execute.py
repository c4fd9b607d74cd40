"""What an answer says beside its data, if it is asked to."""

from __future__ import annotations

import gc
import json
import warnings
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.api_fixture import Api, add_cases, add_import
from tests.api.websocket_client import subscriber

CASES = "query ($first: Int) { cases(first: $first) { edges { node { id about } } } }"


def body(query: str, extensions: Any, **variables: Any) -> dict[str, Any]:
    return {"query": query, "variables": variables, "extensions": extensions}


async def test_cost(api: Api) -> None:
    """An answer that is asked to says what the operation costs, and what the token has left."""
    await add_cases(api.world.app, 1)

    _, one = await api.post(body(CASES, {"cost": True}, first=1))
    _, many = await api.post(body(CASES, {"cost": True}, first=100))

    assert len(many["data"]["cases"]["edges"]) == 1
    assert one["extensions"]["cost"] == {"values": 5, "most": 200_000}
    assert many["extensions"]["cost"] == {"values": 401, "most": 200_000}
    assert one["extensions"]["rate"]["perSecond"] == 1_000
    assert 9_900 < many["extensions"]["rate"]["left"] <= 10_000


@pytest.mark.parametrize("extensions", [None, {}, {"cost": False}, {"cost": 1}, {"other": True}])
async def test_unasked(api: Api, extensions: Any) -> None:
    """An answer says nothing of it unless it is asked to."""
    _, answer = await api.post(body("{ viewer { tokenName } }", extensions))

    assert answer == {"data": {"viewer": {"tokenName": "admin"}}}


async def test_cost_of_what_fails(api: Api) -> None:
    """A query that fails while it is executed says its cost; one that is refused has none."""
    _, failed = await api.post(body("{ cases(first: -1) { totalCount } }", {"cost": True}))
    _, refused = await api.post(body("{ nothing }", {"cost": True}))

    assert failed["extensions"]["cost"]["values"] == 1
    assert "extensions" not in refused


async def test_cost_by_get(api: Api) -> None:
    """A query by GET can ask, too."""
    query = urlencode({"query": "{ viewer { tokenName } }", "extensions": '{"cost": true}'})
    _, answer, _ = await api.get(f"/graphql?{query}")

    assert json.loads(answer)["extensions"]["cost"]["values"] == 2


async def test_cost_over_websockets(api: Api) -> None:
    """A query over a WebSocket can ask, too."""
    async with subscriber(api, token=api.world.admin) as peer:
        payload = body("{ viewer { tokenName } }", {"cost": True})
        await peer.send({"id": "1", "type": "subscribe", "payload": payload})
        answer = (await peer.receive())["payload"]

    assert answer["data"] == {"viewer": {"tokenName": "admin"}}
    assert answer["extensions"]["cost"]["values"] == 2


@pytest.mark.parametrize(
    "query",
    [
        '{ auditEvents(before: "x") { totalCount } importTypes { description sampleTemplate {'
        " content } } }",
        '{ cases(after: "x") { totalCount } users { edges { node { assignments { totalCount } } }'
        " pageInfo { hasNextPage } totalCount } }",
        '{ imports { edges { node { a: rows(before: "x") { totalCount } b: rows { totalCount }'
        " type { description } } } totalCount pageInfo { hasNextPage } } }",
    ],
)
async def test_what_a_failure_leaves(api: Api, query: str) -> None:
    """Where a field fails, no coroutine beside it is dropped: Python would warn of each on stderr,
    wherever it is collected."""
    await add_cases(api.world.app, 2)
    await add_import(api.world.app)
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        code = await api.code(query)
        gc.collect()

    assert code == "BAD_CURSOR"
    assert [str(each.message) for each in caught if "awaited" in str(each.message)] == []
