"""Tokens are an ADMIN's own: made with a secret that is shown once, listed, revoked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from models.access import MOST_TOKENS
from models.app import Permission, create_token
from tests.api.api_fixture import Api, node_id, sql

FIELDS = "id name permission createdAt lastUsedAt expiresAt revokedAt isCurrent"
CREATE = f"""
mutation ($input: CreateTokenInput!) {{
  createToken(input: $input) {{
    token {{ {FIELDS} }} secret userErrors {{ code field message }}
  }}
}}
"""
REVOKE = """
mutation ($id: ID!) {
  revokeToken(id: $id) { token { name revokedAt } secret userErrors { code field } }
}
"""
LIST = f"""
query ($first: Int, $after: String) {{
  tokens(first: $first, after: $after) {{
    totalCount pageInfo {{ endCursor }} edges {{ node {{ {FIELDS} }} }}
  }}
}}
"""
FAR = "2999-12-31T00:00:00+00:00"


async def create(api: Api, token: str | None = None, **values: Any) -> dict[str, Any]:
    """Create a token, and return the payload."""
    given = {"name": "reports", "permission": "VIEWER", **values}
    payload: dict[str, Any] = (await api.data(CREATE, {"input": given}, token))["createToken"]
    return payload


async def revoke(api: Api, node: str, token: str | None = None) -> dict[str, Any]:
    """Revoke a token, and return the payload."""
    payload: dict[str, Any] = (await api.data(REVOKE, {"id": node}, token))["revokeToken"]
    return payload


async def tokens(api: Api, token: str | None = None, **page: Any) -> list[dict[str, Any]]:
    """List the tokens."""
    found = (await api.data(LIST, page, token))["tokens"]["edges"]
    return [edge["node"] for edge in found]


async def events(api: Api) -> list[tuple[str, str, str]]:
    """Return the audit events about tokens that tokens have caused: action, actor, target."""
    found = await api.data(
        "{ auditEvents(action: [TOKEN_CREATED, TOKEN_REVOKED]) { edges { node {"
        " action actor { tokenId name } target { objectId name } } } } }"
    )
    nodes = [edge["node"] for edge in found["auditEvents"]["edges"]]
    return [
        (node["action"], node["actor"]["name"], node["target"]["name"])
        for node in nodes
        if node["actor"]["tokenId"]
    ]


async def test_a_new_token(api: Api) -> None:
    """The answer has the secret, which works at once and which nothing else shows."""
    payload = await create(api, name=" Reports ", expiresAt=FAR)
    token, secret = payload["token"], payload["secret"]
    viewer = (await api.data("{ viewer { tokenName permission } }", token=secret))["viewer"]
    [listed, *_] = await tokens(api)
    stored = str([tuple(row) for row in await sql("fetch", "SELECT * FROM api_tokens")])

    assert payload["userErrors"] == []
    assert (token["name"], token["permission"], token["expiresAt"]) == ("Reports", "VIEWER", FAR)
    assert (token["lastUsedAt"], token["revokedAt"], token["isCurrent"]) == (None, None, False)
    assert viewer == {"tokenName": "Reports", "permission": "VIEWER"}
    assert secret.startswith("crl_")
    assert secret not in stored
    assert listed["id"] == token["id"]
    assert await events(api) == [("TOKEN_CREATED", "admin", "Reports")]


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": " "}, "REQUIRED", "name"),
        ({"name": "x" * 201}, "TOO_LONG", "name"),
        ({"name": "a\nb"}, "CONTROL_CHARACTER", "name"),
        ({"name": "Command Line"}, "NAME_TAKEN", "name"),
        ({"expiresAt": "2026-01-31T00:00:00Z"}, "OUT_OF_RANGE", "expiresAt"),
    ],
)
async def test_what_is_refused(api: Api, values: dict[str, Any], code: str, field: str) -> None:
    """What is wrong with a token is said, and nothing is created."""
    payload = await create(api, **values)

    assert (payload["token"], payload["secret"]) == (None, None)
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [
        (code, ["input", field])
    ]
    assert await sql("fetchval", "SELECT count(*) FROM api_tokens") == 3


async def test_the_most(api: Api) -> None:
    """Tokens that are revoked or expired make room."""
    live = "SELECT count(*) FROM api_tokens WHERE app_id = $1"
    add = (
        "INSERT INTO api_tokens (app_id, name, digest, permission, expires_at)"
        " SELECT $1, 'x', 'x' || n, 'VIEWER', $3 FROM generate_series(1, $2::int) n"
    )
    app = api.world.app.id
    await sql("execute", add, app, MOST_TOKENS - await sql("fetchval", live, app), None)
    refused = await create(api)
    await sql("execute", "UPDATE api_tokens SET expires_at = now() WHERE digest = 'x1'")
    accepted = await create(api)

    assert [each["code"] for each in refused["userErrors"]] == ["TOO_MANY_TOKENS"]
    assert accepted["userErrors"] == []


async def test_revoking(api: Api) -> None:
    """A revoked token opens nothing; to revoke it again changes nothing."""
    made = await create(api)
    first = await revoke(api, made["token"]["id"])
    again = await revoke(api, made["token"]["id"])
    status, _ = await api.post({"query": "{ viewer { tokenName } }"}, made["secret"])

    assert first["token"]["revokedAt"]
    assert (first["userErrors"], first["secret"]) == ([], None)
    assert again == first
    assert status == 401
    assert await events(api) == [
        ("TOKEN_REVOKED", "admin", "reports"),
        ("TOKEN_CREATED", "admin", "reports"),
    ]


async def test_the_token_that_asks(api: Api) -> None:
    """A token sees which one it is, and may end itself: that answer is its last."""
    secret = await create_token(api.world.app, "mine", Permission.ADMIN)
    [mine] = [each for each in await tokens(api, secret) if each["isCurrent"]]
    payload = await revoke(api, mine["id"], secret)
    status, _ = await api.post({"query": "{ viewer { tokenName } }"}, secret)

    assert (mine["name"], payload["token"]["name"], status) == ("mine", "mine", 401)


async def test_the_list(api: Api) -> None:
    """The list has the app's own tokens, newest first, page by page."""
    await create(api)
    found = await tokens(api)
    page = (await api.data(LIST, {"first": 1}))["tokens"]
    rest = await tokens(api, after=page["pageInfo"]["endCursor"])

    assert [each["name"] for each in found] == ["reports", "viewer", "admin"]
    assert (page["totalCount"], [*(e["node"] for e in page["edges"]), *rest]) == (3, found)
    assert [each["name"] for each in found if each["isCurrent"]] == ["admin"]
    assert (await api.data("query ($id: ID!) { node(id: $id) { id } }", {"id": found[0]["id"]}))[
        "node"
    ] == {"id": found[0]["id"]}


async def test_when_it_was_used(api: Api) -> None:
    """A token's use is noted a moment later, to the minute, and shown."""
    for _ in range(2):
        await tokens(api)
        await api.server.services.tokens.uses.write()
    first, second = (await tokens(api)), (await tokens(api))
    used = {each["name"]: each["lastUsedAt"] is not None for each in first}

    assert used == {"viewer": False, "admin": True}
    assert first == second


async def test_use_is_noted_by_itself(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer notes what was used; what expired is not used."""
    await api.server.services.tokens.uses.write()
    noted: asyncio.Queue[set[int]] = asyncio.Queue()

    async def note(_: object, token_ids: set[int]) -> None:
        noted.put_nowait(token_ids)

    monkeypatch.setattr("api.access.token_uses._PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("api.access.token_uses.note_use", note)
    await sql("execute", "UPDATE api_tokens SET expires_at = now() WHERE name = 'viewer'")
    await api.post({"query": "{ viewer { tokenName } }"}, api.world.viewer)
    await tokens(api)

    admin = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'admin'")
    assert await asyncio.wait_for(noted.get(), 10) == {admin}


async def test_use_that_cannot_be_noted(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and the API goes on."""

    async def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("api.access.token_uses.note_use", fail)
    await tokens(api)
    await api.server.services.tokens.uses.write()

    assert "was not noted" in caplog.text


async def test_what_is_not_the_apps(api: Api) -> None:
    """Tokens of another app are not seen, and not revoked; nor is what is no token."""
    key = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'stranger'")
    payloads = [
        await revoke(api, node) for node in (node_id("Token", key), node_id("Case", 1), "x")
    ]

    assert [each["userErrors"] for each in payloads] == [
        [{"code": "NOT_FOUND", "field": ["id"]}]
    ] * 3
    assert await sql("fetchval", "SELECT revoked_at FROM api_tokens WHERE id = $1", key) is None


async def test_viewers(api: Api) -> None:
    """A token that may only read neither makes tokens nor sees them."""
    given = {"input": {"name": "x", "permission": "VIEWER"}}

    assert await api.code(CREATE, given, api.world.viewer) == "FORBIDDEN"
    assert await api.code(LIST, None, api.world.viewer) == "FORBIDDEN"
    assert await sql("fetchval", "SELECT count(*) FROM api_tokens") == 3
