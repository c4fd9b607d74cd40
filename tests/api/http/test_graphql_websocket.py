"""The WebSocket protocol: who gets in, and what becomes of messages that should not be."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Any

import pytest

from api.limits import Patience, TokenLimits
from tests.api.api_fixture import Api, change_settings, eventually, sql
from tests.api.websocket_client import subscriber

VIEWER = "{ viewer { tokenName } }"


@pytest.fixture(autouse=True)
def no_errors(caplog: pytest.LogCaptureFixture) -> Any:
    """Whatever a peer sends, nothing is logged as an error."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("protocol", [None, "graphql-ws", "something"])
async def test_other_protocols(api: Api, protocol: str | None) -> None:
    """Only graphql-transport-ws is spoken here."""
    from websockets.exceptions import NegotiationError

    try:
        async with subscriber(api, protocol=protocol) as peer:
            assert (await peer.closed())[0] == 4406
    except NegotiationError:
        pass


@pytest.mark.parametrize("name", ["Authorization", "authorization", "token"])
async def test_token_in_the_first_message(api: Api, name: str) -> None:
    """The token comes in the payload of the first message."""
    value = api.world.viewer if name == "token" else f"Bearer {api.world.viewer}"
    async with subscriber(api) as peer:
        await peer.send({"type": "connection_init", "payload": {name: value}})

        assert await peer.receive() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        [],
        "text",
        7,
        {"Authorization": None},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": 7},
        {"Authorization": ["Bearer"]},
        {"token": {}},
    ],
)
async def test_without_a_good_token(api: Api, payload: Any) -> None:
    """Without a good token the connection is closed as forbidden."""
    async with subscriber(api) as peer:
        await peer.send({"type": "connection_init", "payload": payload})

        assert await peer.closed() == (4403, "Forbidden")


async def test_revoked_token(api: Api) -> None:
    """A revoked token does not get in."""
    await sql("execute", "UPDATE api_tokens SET revoked_at = now()")
    async with subscriber(api) as peer:
        await peer.send({"type": "connection_init", "payload": {"token": api.world.admin}})

        assert await peer.closed() == (4403, "Forbidden")


async def test_expired_token(api: Api) -> None:
    """A token that has expired does not get in; its holder is told."""
    await sql("execute", "UPDATE api_tokens SET expires_at = '2026-01-31 17:05Z'")
    async with subscriber(api) as peer:
        await peer.send({"type": "connection_init", "payload": {"token": api.world.admin}})

        assert await peer.closed() == (4403, "The token has expired on 2026-01-31 at 17:05 UTC")


async def test_silence(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not say who is there in time has to go, whatever else is said."""
    change_settings(api, monkeypatch, patience=Patience(init_seconds=0.3))
    async with subscriber(api) as peer:
        await peer.send({"type": "ping"})
        await peer.receive()

        assert (await peer.closed())[0] == 4408


async def test_subscribe_before_init(api: Api) -> None:
    """Nothing is executed before it is known who is there."""
    async with subscriber(api) as peer:
        await peer.subscribe(VIEWER)

        assert await peer.closed() == (4401, "Unauthorized")


ODD = [
    (b"binary", 4400),
    ("", 4400),
    ("nonsense", 4400),
    ("null", 4400),
    ("[]", 4400),
    ('"text"', 4400),
    ("7", 4400),
    ("{}", 4400),
    ('{"type": 7}', 4400),
    ('{"type": null}', 4400),
    ('{"type": []}', 4400),
    ('{"type": "nonsense"}', 4400),
    ("[" * 10_000, 4400),
    ('{"type": "' + "x" * 2_000_000 + '"}', 1009),
]
ODD_OPERATIONS = [
    {},
    {"id": None, "payload": {"query": VIEWER}},
    {"id": 7, "payload": {"query": VIEWER}},
    {"id": {}, "payload": {"query": VIEWER}},
    {"id": "", "payload": {"query": VIEWER}},
    {"id": "x" * 500, "payload": {"query": VIEWER}},
    {"id": "1"},
    {"id": "1", "payload": None},
    {"id": "1", "payload": []},
    {"id": "1", "payload": "text"},
    {"id": "1", "payload": {}},
    {"id": "1", "payload": {"query": None}},
    {"id": "1", "payload": {"query": 7}},
    {"id": "1", "payload": {"query": ""}},
    {"id": "1", "payload": {"query": VIEWER, "variables": []}},
    {"id": "1", "payload": {"query": VIEWER, "operationName": 7}},
    {"id": "1", "payload": {"query": VIEWER, "extensions": {"persistedQuery": 7}}},
]


@pytest.mark.parametrize("begins", [False, True], ids=["before init", "after init"])
@pytest.mark.parametrize(("message", "code"), ODD, ids=lambda value: repr(value)[:30])
async def test_odd_messages(api: Api, *, message: object, code: int, begins: bool) -> None:
    """A message that is none ends the connection with the protocol's code."""
    async with subscriber(api, token=api.world.admin if begins else None) as peer:
        await peer.send(message)

        assert (await peer.closed())[0] == code


@pytest.mark.parametrize("message", ODD_OPERATIONS, ids=lambda value: repr(value)[:60])
async def test_odd_operations(api: Api, message: dict[str, Any]) -> None:
    """An operation that is none ends the connection, too."""
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.send({"type": "subscribe", **message})

        assert (await peer.closed())[0] == 4400


async def test_persisted_query(api: Api) -> None:
    """A query may be named by its hash; an unknown hash ends the operation alone."""
    reference = {"version": 1, "sha256Hash": hashlib.sha256(VIEWER.encode()).hexdigest()}
    named = {"extensions": {"persistedQuery": reference}}
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.send({"id": "1", "type": "subscribe", "payload": named})
        unknown = await peer.receive()
        for payload in ({**named, "query": VIEWER}, named):
            await peer.send({"id": "1", "type": "subscribe", "payload": payload})
            assert await peer.next() == {"viewer": {"tokenName": "admin"}}
            assert await peer.receive() == {"id": "1", "type": "complete"}

    assert unknown == {
        "id": "1",
        "type": "error",
        "payload": [
            {
                "message": "PersistedQueryNotFound",
                "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
            }
        ],
    }


@pytest.mark.parametrize("message", [{}, {"id": 7}, {"id": None}])
async def test_odd_completes(api: Api, message: dict[str, Any]) -> None:
    """Completing something without an id ends the connection."""
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.send({"type": "complete", **message})

        assert (await peer.closed())[0] == 4400


async def test_second_init(api: Api) -> None:
    """One may say who is there only once."""
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.send({"type": "connection_init"})

        assert (await peer.closed())[0] == 4429


async def test_pings(api: Api) -> None:
    """A ping is answered at any time; a pong and the end of nothing are not."""
    async with subscriber(api) as peer:
        await peer.send({"type": "ping", "payload": {"a": 1}})
        assert await peer.receive() == {"type": "pong"}
        await peer.begin(api.world.viewer)
        await peer.send({"type": "pong"})
        await peer.send({"type": "complete", "id": "nothing"})
        await peer.send({"type": "ping"})

        assert await peer.receive() == {"type": "pong"}


async def test_queries(api: Api) -> None:
    """Queries and mutations work here, too, several at a time."""
    async with subscriber(api, token=api.world.admin) as peer:
        for name in "abc":
            await peer.subscribe(VIEWER, name=name)
        messages = [await peer.receive() for _ in range(6)]

    data = {"viewer": {"tokenName": "admin"}}
    for name in "abc":
        assert [message for message in messages if message["id"] == name] == [
            {"id": name, "type": "next", "payload": {"data": data}},
            {"id": name, "type": "complete"},
        ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "SYNTAX_ERROR"),
        ("{ " + "\u00e9" * 300 + " }", "SYNTAX_ERROR"),
        ("{ nothing }", "BAD_REQUEST"),
        ("fragment f on Query { viewer { tokenName } }", "BAD_REQUEST"),
        ("subscription { importUpdated(id: 7.5) { id } }", "BAD_REQUEST"),
        ("subscription { a: importsUpdated { id } b: importsUpdated { id } }", "BAD_REQUEST"),
        ('subscription { importUpdated(id: "nonsense") { id } }', "NOT_FOUND"),
        ("{" * 300, "SYNTAX_ERROR"),
        ("{ " + "a" * 90_000 + " }", "BAD_REQUEST"),
    ],
    ids=lambda value: value[:30],
)
async def test_operations_that_fail(api: Api, query: str, code: str) -> None:
    """An operation that can't be executed is answered under its id, and the connection lives on."""
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe(query, name="a")
        message = await peer.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert (message["id"], errors[0]["extensions"]["code"]) == ("a", code)
        if message["type"] == "next":
            assert (await peer.receive())["type"] == "complete"

        await peer.subscribe(VIEWER, name="a")
        assert await peer.next()


async def test_viewer_changes_nothing(api: Api) -> None:
    """A viewer can't change anything here either."""
    async with subscriber(api, token=api.world.viewer) as peer:
        await peer.subscribe('mutation { createCase(input: {about: "x"}) { case { id } } }')
        message = await peer.receive()

    assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")


async def test_same_id_twice(api: Api) -> None:
    """Two operations under one id end the connection."""
    async with subscriber(api, token=api.world.admin) as peer:
        for _ in range(2):
            await peer.subscribe("subscription { importsUpdated { id } }")

        assert (await peer.closed())[0] == 4409


async def test_id_can_be_used_again(api: Api) -> None:
    """An id is free again when its operation is over or was given up."""
    async with subscriber(api, token=api.world.admin) as peer:
        for _ in range(3):
            await peer.subscribe("subscription { importsUpdated { id } }")
            await peer.send({"type": "complete", "id": "1"})
        await peer.subscribe(VIEWER)

        assert await peer.next()


async def test_many_operations(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection has so many operations at a time and no more."""
    change_settings(api, monkeypatch, token=TokenLimits(operations=3))
    async with subscriber(api, token=api.world.admin) as peer:
        for number in range(4):
            await peer.subscribe("subscription { importsUpdated { id } }", name=str(number))
        message = await peer.receive()

    assert (message["id"], message["type"]) == ("3", "error")


async def test_peer_that_leaves(api: Api) -> None:
    """When a peer leaves without a word, its subscriptions end."""
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe("subscription { importsUpdated { id } }")
        await eventually(lambda: api.server.services.hub.subscribers)
        peer.socket.transport.abort()
        await eventually(lambda: not api.server.services.hub.subscribers)

    assert not api.server.services.hub.subscribers


async def test_peer_that_does_not_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that takes nothing for too long is let go, and keeps nobody waiting."""
    change_settings(api, monkeypatch, patience=Patience(idle_seconds=0.3))
    query = "{ __schema { types { description fields { description } } } }"
    async with subscriber(api, token=api.world.admin) as peer:
        peer.socket.transport.pause_reading()
        for number in range(3_000):
            await peer.subscribe(query, name=str(number))
            if number % 40 == 0:
                await asyncio.sleep(0.01)
            if peer.socket.transport.is_closing():
                break
        await asyncio.sleep(1)
        assert (await api.data(VIEWER))["viewer"]
        peer.socket.transport.abort()


async def test_token_revoked_meanwhile(api: Api) -> None:
    """An operation that begins after the token was revoked is refused."""
    async with subscriber(api, token=api.world.admin) as peer:
        await sql("execute", "UPDATE api_tokens SET revoked_at = now()")
        await peer.subscribe(VIEWER)

        assert (await peer.closed())[0] == 4403
