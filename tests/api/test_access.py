"""Who gets in, and what they see: every root field and every route, for every kind of token."""

from __future__ import annotations

from typing import Any

import pytest

from api.schema import schema
from tests.api.world import (
    ASSIGN,
    PREFLIGHT,
    Api,
    add_cases,
    add_import,
    add_users,
    bearer,
    multipart,
    node_id,
    sql,
)

QUERIES = {
    "node": 'node(id: "{case}") { id }',
    "viewer": "viewer { tokenName }",
    "cases": "cases { edges { node { id } } totalCount }",
    "case": 'case(by: {id: "{case}"}) { id }',
    "users": "users { edges { node { id } } totalCount }",
    "user": 'user(by: {id: "{user}"}) { id }',
    "roles": "roles { key }",
    "imports": "imports { edges { node { id } } totalCount }",
    "import": 'import(id: "{import}") { id }',
    "importTypes": "importTypes { key }",
    "sampleTemplate": 'sampleTemplate(type: "assign") { filename }',
}
MUTATIONS = {
    "createImport": 'createImport(input: {name: "a", type: "b", file: null}) { import { id } }',
    "retryImport": 'retryImport(id: "{import}") { import { id } userErrors { code } }',
    "cancelImport": 'cancelImport(id: "{import}") { import { id } userErrors { code } }',
    "createCase": 'createCase(input: {about: "x"}) { case { id } userErrors { code } }',
    "updateCase": 'updateCase(id: "{case}", input: {about: "x"})'
    " { case { id } userErrors { code } }",
    "createUser": 'createUser(input: {email: "x@example.org"}) { user { id } userErrors { code } }',
    "updateUser": 'updateUser(id: "{user}", input: {givenName: "x"})'
    " { user { id } userErrors { code } }",
}
OPERATIONS = {
    **{name: f"{{ {text} }}" for name, text in QUERIES.items()},
    **{name: f"mutation {{ {text} }}" for name, text in MUTATIONS.items()},
}
ROUTES = ["/files/imports/{import}", "/files/imports/{import}/failed-rows.csv"]
SEEN_BY_ALL = {"viewer", "roles", "importTypes", "sampleTemplate"}


def test_the_tables_are_complete() -> None:
    """Every query and mutation of the schema is in the tables below."""
    kinds = schema._schema

    assert kinds.query_type is not None
    assert kinds.mutation_type is not None
    assert {*kinds.query_type.fields, *kinds.mutation_type.fields} == set(OPERATIONS)


async def fill(api: Api, text: str) -> str:
    """Add a case, a user and an import, and put their IDs into a text."""
    [case], [user] = await add_cases(api.world.app, 1), await add_users(api.world.app, 1)
    imported = await add_import(api.world.app, failed=1)
    for kind, key in (("Case", case), ("User", user), ("Import", imported)):
        text = text.replace(f"{{{kind.lower()}}}", node_id(kind, key))
    return text


async def spoil(how: str, token: str) -> str:
    """Make a token that opens nothing of a good one."""
    if how == "revoked":
        await sql("execute", "UPDATE api_tokens SET revoked_at = now()")
    if how == "expired":
        await sql("execute", "UPDATE api_tokens SET expires_at = now() - interval '1 second'")
    return {
        "none": "",
        "unknown": "Bearer crl_" + "x" * 43,
        "other scheme": f"Basic {token}",
        "bare": token,
        "empty": "Bearer ",
        "long": "Bearer " + "x" * 5000,
        "odd": "Bearer \u00e9\u00e9",
    }.get(how, f"Bearer {token}")


SPOILS = ["none", "unknown", "other scheme", "bare", "empty", "long", "odd", "revoked", "expired"]


@pytest.mark.parametrize("how", SPOILS)
@pytest.mark.parametrize("path", ["/graphql", *ROUTES, "/files/samples/assign_sample.csv"])
async def test_without_a_good_token(api: Api, path: str, how: str) -> None:
    """Without a good token nothing is answered but 401, in GraphQL's shape."""
    path = await fill(api, path)
    authorization = await spoil(how, api.world.admin)
    headers = {"Authorization": authorization} if authorization else {}
    method = "POST" if path == "/graphql" else "GET"

    async with api.http.request(
        method, api.url + path, headers=headers, data=b"not looked at"
    ) as response:
        body = await response.json()

    assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert list(body) == ["errors"]


@pytest.mark.parametrize("name", QUERIES)
async def test_viewer_reads(api: Api, name: str) -> None:
    """A viewer reads everything."""
    query = await fill(api, OPERATIONS[name])

    data = await api.data(query, token=api.world.viewer)

    assert data[name]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_viewer_changes_nothing(api: Api, name: str) -> None:
    """A viewer can't change anything."""
    mutation = MUTATIONS[name].replace("file: null", "file: $file")
    variables = "($file: Upload!)" if "$file" in mutation else ""
    query = await fill(api, f"mutation {variables} {{ {mutation} }}")

    assert await api.code(query, {"file": None}, api.world.viewer) == "FORBIDDEN"


async def test_viewer_uploads_nothing(api: Api) -> None:
    """A viewer's upload is refused before it is read."""
    form = multipart({"query": "{ viewer { tokenName } }"}, {})
    headers = {**bearer(api.world.viewer), **PREFLIGHT}

    async with api.http.post(f"{api.url}/graphql", data=form, headers=headers) as response:
        body = await response.json()

    assert (response.status, body["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


def is_nothing(value: Any) -> bool:
    """Tell whether a result shows nothing of an app."""
    if isinstance(value, dict) and "userErrors" in value:
        return bool([error["code"] for error in value["userErrors"]] == ["NOT_FOUND"])
    return value is None or value == {"edges": [], "totalCount": 0}


@pytest.mark.parametrize(
    "name", sorted(set(OPERATIONS) - SEEN_BY_ALL - {"createImport", "createCase", "createUser"})
)
async def test_stranger_sees_nothing(api: Api, name: str) -> None:
    """What belongs to another app looks as if it did not exist, and stays as it is."""
    query = await fill(api, OPERATIONS[name])

    data = await api.data(query, token=api.world.stranger)

    assert is_nothing(data[name]), data
    assert await sql("fetchval", "SELECT about FROM cases") == "About 1"
    assert await sql("fetchval", "SELECT given_name FROM users") == "Name1"
    assert await sql("fetchval", "SELECT version FROM imports") == 1


@pytest.mark.parametrize("path", ROUTES)
async def test_stranger_downloads_nothing(api: Api, path: str) -> None:
    """Files of another app are not found."""
    status, _, _ = await api.get(await fill(api, path), api.world.stranger)

    assert status == 404


async def test_stranger_shares_no_names(api: Api) -> None:
    """Tag IDs, e-mail addresses, names of imports and idempotency keys are an app's own."""
    await add_cases(api.world.app, 1)
    await add_users(api.world.app, 1)
    await api.upload(name="May", idempotencyKey="k")

    mine = await api.upload(name="May", idempotencyKey="k", token=api.world.stranger)
    data = await api.data(
        """mutation {
          createCase(input: {about: "x", tagId: "case-1"}) { userErrors { code } }
          createUser(input: {email: "user1@example.org", tagId: "user-1"}) { userErrors { code } }
        }""",
        token=api.world.stranger,
    )

    assert mine["import"] is not None
    assert [] == data["createCase"]["userErrors"] == data["createUser"]["userErrors"]


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_health_needs_no_token(api: Api, path: str) -> None:
    """Whether the service lives and can work is no secret."""
    status, body, _ = await api.get(path, None)

    assert (status, b'"status":"ok"' in body) == (200, True)


async def test_upload_is_the_tokens_own(api: Api) -> None:
    """An import remembers whose token uploaded it."""
    await api.upload(ASSIGN)

    assert (
        await sql("fetchval", "SELECT t.name FROM imports i JOIN api_tokens t ON t.id = i.token_id")
        == "admin"
    )
