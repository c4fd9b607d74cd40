"""Who gets in, and what they see: every root field and every route, for every kind of token."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncpg import Connection
from graphql import get_named_type

from importers.sdk.node_id import decode_node_id
from models.app import App
from models.app_pool import AppPool
from models.audit import Action
from models.db import transaction
from models.list_statement import ListStatement
from models.row_security import SETTING
from tests.api.api_fixture import (
    ASSIGN,
    PREFLIGHT,
    Api,
    Server,
    add_cases,
    add_import,
    add_users,
    add_webhook,
    assign,
    bearer,
    change_settings,
    multipart,
    node_id,
    sql,
)
from tests.api.schema_operations import NO_LIMITS, everything, node_types, root_fields
from tests.api.websocket_client import subscriber

# The arguments of every root field: what they ask for is an app's that has a few of everything.
QUERIES = {
    "node": '(id: "{case}")',
    "nodes": '(ids: ["{case}", "{import}"])',
    "viewer": "",
    "cases": "",
    "case": '(by: {id: "{case}"})',
    "casesByTagId": '(tagIds: ["case-1"])',
    "users": "",
    "user": '(by: {id: "{user}"})',
    "usersByTagId": '(tagIds: ["user-1"])',
    "roles": "",
    "assignments": "",
    "assignment": '(case: "{case}", user: "{user}")',
    "imports": "",
    "import": '(id: "{import}")',
    "importTypes": "",
    "readers": "",
    "validators": "",
    "sampleTemplate": '(type: "assign")',
    "auditEvents": "",
    "webhooks": "",
    "tokens": "",
    "assignmentChanges": "",
}
MUTATIONS = {
    "previewFile": "(input: {file: null})",
    "createImport": '(input: {name: "a", type: "b", file: null})',
    "retryImport": '(id: "{import}")',
    "cancelImport": '(id: "{import}")',
    "applyImport": '(id: "{import}")',
    "undoImport": '(id: "{import}")',
    "releaseImport": '(id: "{import}")',
    "updateApp": "(input: {removePercent: 30})",
    "createCase": '(input: {about: "x"})',
    "updateCase": '(id: "{case}", input: {about: "x"})',
    "createUser": '(input: {email: "x@example.org"})',
    "updateUser": '(id: "{user}", input: {givenName: "x"})',
    "createWebhook": '(input: {url: "https://x.example.org", events: [IMPORT_FINISHED]})',
    "enableWebhook": '(id: "{webhook}")',
    "deleteWebhook": '(id: "{webhook}")',
    "createToken": '(input: {name: "x", permission: VIEWER})',
    "revokeToken": '(id: "{token}")',
    "createDownload": '(path: "/files/imports/{import}")',
}
# No reader of a plugin is switched on.
OFTEN_NONE = {"readers"}
FOR_VIEWERS = {"createDownload"}
SUBSCRIPTIONS = {"importUpdated": '(id: "{import}")', "importsUpdated": "", "importFinished": ""}
TABLES = {"Query": QUERIES, "Mutation": MUTATIONS, "Subscription": SUBSCRIPTIONS}
ROUTES = [
    "/files/imports/{import}",
    "/files/imports/{import}/failed-rows.csv",
    "/files/imports/{import}/results.csv",
]
EXPORT = "/files/assignments.csv?case={case}"
OPEN_ROUTES = {"/health", "/ready"}
ADMIN_ONLY = {
    name for name, field in root_fields("Query").items() if "ADMIN tokens" in field.description
}
IDENTIFIED = {
    "Assignment": "assignments",
    "AssignmentChange": "assignment_history",
    "AuditEvent": "audit_events",
    "EntityChange": "entity_history",
    "Case": "cases",
    "Import": "imports",
    "Role": "roles",
    "Token": "api_tokens",
    "User": "users",
    "Webhook": "webhooks",
}


@pytest.fixture(autouse=True)
def no_limits(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let operations select everything there is."""
    change_settings(api, monkeypatch, query=NO_LIMITS)


def test_the_identified_are_complete() -> None:
    """Whatever has an ID is in the table above, so that an ID of another app is known as such."""
    kinds = node_types() | {action.target for action in Action}

    assert kinds - {"App"} == set(IDENTIFIED)


def operation(name: str) -> str:
    """Make an operation that selects all that a root field and the types below it have."""
    [kind] = [kind for kind, table in TABLES.items() if name in table]
    selection = everything(get_named_type(root_fields(kind)[name].type).name)
    if name in {"node", "nodes"}:
        selection = f"{{ ... on Case {everything('Case')} }}"
    return f"{kind.lower()} {{ {name}{TABLES[kind][name]} {selection} }}"


OPERATIONS = {name: operation(name) for name in (*QUERIES, *MUTATIONS)}
WATCHES = {name: operation(name) for name in SUBSCRIPTIONS}


@pytest.mark.parametrize("kind", TABLES)
def test_the_tables_are_complete(kind: str) -> None:
    """Every query, mutation and subscription of the schema is in the tables above."""
    assert set(root_fields(kind)) == set(TABLES[kind])


def test_the_routes_are_complete(server: Server) -> None:
    """Every route of the application is tried below, or is meant to be open to all."""
    paths = {route.path.replace("{import_id}", "{import}") for route in server.app.routes}
    # tests/api/console/test_routes.py looks at each of these.
    paths = {path for path in paths if path != "/" and not path.startswith("/console")}

    files = {"/files/samples/{name}", "/files/{noun}.{extension}"}
    assert paths == {"/graphql", *ROUTES, *files, *OPEN_ROUTES}


async def fill(api: Api, text: str) -> str:
    """Give the app a few of everything, and put their IDs into a text."""
    [case], [user] = await add_cases(api.world.app, 1), await add_users(api.world.app, 1)
    imported = await add_import(api.world.app, failed=1, total=1)
    await assign(api.world.app, [case], [user], imported)
    await sql(
        "execute",
        "INSERT INTO import_rows (id, app_id, status, cells) VALUES ($1 << 32 | 2, $2, 2, '[]')",
        imported,
        api.world.app.id,
    )
    keys = {"Case": case, "User": user, "Import": imported, "App": api.world.app.id}
    keys["Webhook"] = await add_webhook(api.world.app, imported)
    keys["Token"] = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'viewer'")
    await sql(
        "execute",
        "INSERT INTO entity_history (app_id, case_id, actor, after)"
        """ VALUES ($1, $2, 'admin', '{"about": "x"}')""",
        api.world.app.id,
        case,
    )
    for kind in ("Assignment", "AssignmentChange", "AuditEvent", "EntityChange"):
        found = f"SELECT max(id) FROM {IDENTIFIED[kind]} WHERE app_id = $1"
        keys[kind] = await sql("fetchval", found, api.world.app.id)
    for kind, key in keys.items():
        text = text.replace(f"{{{kind.lower()}}}", node_id(kind, key))
    return text


async def spoil(how: str, token: str) -> str:
    """Make a token that opens nothing of a good one."""
    if "revoked" in how:
        await sql("execute", "UPDATE api_tokens SET revoked_at = now()")
    if "expired" in how:
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
ENDED = ["revoked", "expired", "revoked and expired"]
SPOILS += ["revoked and expired"]
# Only who has a token that has expired is told why it is not good.
_EXPIRED = 'Bearer error="invalid_token", error_description="The token has expired"'
REFUSALS = {"expired": (_EXPIRED, "TOKEN_EXPIRED")}


@pytest.mark.parametrize("how", SPOILS)
@pytest.mark.parametrize("path", ["/graphql", *ROUTES, EXPORT, "/files/samples/assign_sample.csv"])
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

    challenge, code = REFUSALS.get(how, ("Bearer", "UNAUTHENTICATED"))
    assert (response.status, response.headers["WWW-Authenticate"]) == (401, challenge)
    assert body["errors"][0]["extensions"]["code"] == code
    assert list(body) == ["errors"]


@pytest.mark.parametrize("how", ["none", "unknown", *ENDED])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_operations_without_a_good_token(api: Api, name: str, how: str) -> None:
    """No query and no mutation is answered or carried out without a good token."""
    query = await fill(api, OPERATIONS[name])
    before = await contents()
    authorization = await spoil(how, api.world.admin)
    headers = {"Authorization": authorization} if authorization else {}

    async with api.http.post(
        f"{api.url}/graphql", json={"query": query}, headers=headers
    ) as response:
        body = await response.json()

    assert (response.status, list(body)) == (401, ["errors"])
    assert body["errors"][0]["extensions"]["code"] == REFUSALS.get(how, ("", "UNAUTHENTICATED"))[1]
    assert await contents() == before


@pytest.mark.parametrize("how", ["none", "unknown", *ENDED])
@pytest.mark.parametrize("name", WATCHES)
async def test_subscriptions_without_a_good_token(api: Api, name: str, how: str) -> None:
    """No subscription begins without a good token: its connection is closed instead."""
    query = await fill(api, WATCHES[name])
    async with subscriber(api) as peer:
        authorization = await spoil(how, api.world.admin)
        payload = {"Authorization": authorization}
        await peer.send({"type": "connection_init", "payload": payload})
        await peer.subscribe(query)

        assert (await peer.closed())[0] == 4403


@pytest.mark.parametrize("name", QUERIES)
async def test_viewer_reads(api: Api, name: str) -> None:
    """A viewer reads everything but what only ADMIN tokens may."""
    query = await fill(api, OPERATIONS[name])
    if name in ADMIN_ONLY:
        assert await api.code(query, token=api.world.viewer) == "FORBIDDEN"
        return

    data = await api.data(query, token=api.world.viewer)

    assert data[name] or name in OFTEN_NONE


@pytest.mark.parametrize("name", sorted(set(MUTATIONS) - FOR_VIEWERS))
async def test_viewer_changes_nothing(api: Api, name: str) -> None:
    """A viewer can't change anything."""
    query = await fill(api, OPERATIONS[name].replace("file: null", "file: $file"))
    if "$file" in query:
        query = query.replace("mutation", "mutation ($file: Upload!)")
    before = await contents()

    assert await api.code(query, {"file": None}, api.world.viewer) == "FORBIDDEN"
    assert await contents() == before


async def test_viewer_changes_nothing_beside(api: Api) -> None:
    """A mutation that is for viewers brings no other one along, under whatever name."""
    text = await fill(
        api,
        """mutation Both {
          createDownload(path: "/files/x") { url } cancelImport(id: "{import}") { import { id } }
        }
        mutation Hidden { ... { cancelImport(id: "{import}") { import { id } } } }
        mutation Renamed { createDownload: cancelImport(id: "{import}") { import { id } } }
        mutation Allowed { __typename link: createDownload(path: "/files/x") { url } }""",
    )
    before = await contents()
    results = {}
    for name in ("Both", "Hidden", "Renamed", "Allowed"):
        _, body = await api.post({"query": text, "operationName": name}, api.world.viewer)
        results[name] = [each["extensions"]["code"] for each in body.get("errors", ())]

    assert results == {
        "Both": ["FORBIDDEN"],
        "Hidden": ["FORBIDDEN"],
        "Renamed": ["FORBIDDEN"],
        "Allowed": [],
    }
    assert await contents() == before


async def test_viewer_uploads_nothing(api: Api) -> None:
    """A viewer's upload is refused before it is read."""
    form = multipart({"query": "{ viewer { tokenName } }"}, {})
    headers = {**bearer(api.world.viewer), **PREFLIGHT}

    async with api.http.post(f"{api.url}/graphql", data=form, headers=headers) as response:
        body = await response.json()

    assert (response.status, body["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def contents() -> list[str]:
    """Return every row that a mutation could add or change, as text."""
    tables = ("cases", "users", "imports", "assignments", "audit_events", "webhooks")
    return [
        f"{table} {row[0]}"
        for table in tables
        for row in await sql("fetch", f"SELECT t::text FROM {table} t ORDER BY id")
    ]


def names_of(text: str) -> list[str]:
    """List the IDs in a text that holds answers or operations."""
    return [each for each in re.findall(r'"([A-Za-z0-9+/=]{8,})"', text) if decode_node_id(each)]


async def own_ids(app: App) -> set[str]:
    """Return the IDs of all that an app has."""
    found = {node_id("App", app.id)}
    for kind, table in IDENTIFIED.items():
        rows = await sql("fetch", f"SELECT id FROM {table} WHERE app_id = $1", app.id)
        found |= {node_id(kind, row["id"]) for row in rows}
    return found


@asynccontextmanager
async def all_seeing(_: AppPool, app_id: int) -> AsyncIterator[Connection]:
    """Lend a connection of the database's owner, to whom every row is shown."""
    async with transaction() as db:
        await db.execute(f"SET LOCAL {SETTING} = {app_id}")
        yield db


@pytest.fixture(params=["both walls", "filters alone", "row-level security alone"])
def walls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take one wall down: the role, or the app in the conditions of every list and look-up."""
    where = ListStatement.where

    def forgetful(*arguments: Any, **options: Any) -> str:
        return where(*arguments, **options).replace("t.app_id = $1", "$1::bigint IS NOT NULL")

    if request.param == "filters alone":
        monkeypatch.setattr(AppPool, "connection", all_seeing)
        monkeypatch.setattr(AppPool, "transaction", all_seeing)
    if request.param == "row-level security alone":
        monkeypatch.setattr(ListStatement, "where", forgetful)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("name", sorted({*QUERIES, *MUTATIONS} - {"createImport", "previewFile"}))
async def test_stranger_sees_nothing(api: Api, name: str) -> None:
    """What belongs to another app looks as if it did not exist, and stays as it is."""
    query = await fill(api, OPERATIONS[name])
    before = await contents()
    theirs = await own_ids(api.world.app)

    result = await api.execute(query, token=api.world.stranger)
    shown = set(names_of(json.dumps(result)))

    assert "errors" not in result, result
    assert not shown & theirs
    assert "case-1" not in str(result)
    assert "user1@" not in str(result)
    assert set(before) <= set(await contents())
    if "id:" in MUTATIONS.get(name, ""):
        assert [each["code"] for each in result["data"][name]["userErrors"]] == ["NOT_FOUND"]


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(
    "name", sorted(set(QUERIES) & {"node", "nodes", "case", "user", "import", "assignment"})
)
async def test_owner_sees_it(api: Api, name: str) -> None:
    """The same operations show an app what it has: strangers see nothing for no other reason."""
    query = await fill(api, OPERATIONS[name])

    data = await api.data(query)

    assert set(names_of(json.dumps(data))) & await own_ids(api.world.app)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("kind", sorted(node_types()))
async def test_nodes_of_strangers(api: Api, kind: str) -> None:
    """`node` finds an object of any type for its own app, and for no other."""
    selection = f"... on {kind} {everything(kind)}"
    query = await fill(api, f'{{ node(id: "{{{kind.lower()}}}") {{ {selection} }} }}')

    assert (await api.data(query))["node"]
    assert (await api.data(query, token=api.world.stranger))["node"] is None


@pytest.mark.parametrize("name", WATCHES)
async def test_stranger_watches_nothing(api: Api, name: str) -> None:
    """No event of another app's import comes, whatever is subscribed to."""
    query = await fill(api, WATCHES[name])
    key = await sql("fetchval", "SELECT id FROM imports")
    async with subscriber(api, token=api.world.stranger) as peer:
        await peer.subscribe(query)
        if name == "importUpdated":
            message = await peer.receive()
            assert message["payload"]["data"] is None
            assert message["payload"]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
            assert (await peer.receive())["type"] == "complete"
        await sql(
            "execute",
            "UPDATE imports SET version = version + 1, changed_at = clock_timestamp(),"
            " finished_at = clock_timestamp()",
        )
        await api.server.services.queue.notify_changed(api.world.app.id, key)

        assert await peer.silence(2.5)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("path", [*ROUTES, EXPORT])
async def test_stranger_downloads_nothing(api: Api, path: str) -> None:
    """Files of another app are not found, not even if the import's app were not asked for."""
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
