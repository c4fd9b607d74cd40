"""What has an ID: one object of one type each, found alone or with many others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_named_type

from models.app import Permission, add_role, create_token
from models.db import transaction
from models.row import RowResult, RowStatus, write_rows
from tests.api.api_fixture import (
    Api,
    add_cases,
    add_import,
    add_users,
    add_webhook,
    assign,
    change_settings,
    node_id,
    sql,
)
from tests.api.schema_operations import NO_LIMITS, everything, node_types, root_fields

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
# The arguments of root fields that need some; ADMIN tokens may use all fields.
ARGUMENTS = {
    "node": '(id: "{case}")',
    "nodes": '(ids: ["{case}", "{user}", "{import}", "{app}"])',
    "case": '(by: {tagId: "case-1"})',
    "casesByTagId": '(tagIds: ["case-1", "case-2"])',
    "user": '(by: {email: "user1@example.org"})',
    "usersByTagId": '(tagIds: ["user-1"])',
    "assignment": '(case: "{case}", user: "{user}")',
    "import": '(id: "{import}")',
    "sampleTemplate": '(type: "assign")',
}
CHANGES = [
    'createCase(input: {about: "x"}) { case { __typename id } }',
    'updateUser(id: "{user}", input: {givenName: "x"}) { user { __typename id } }',
    'retryImport(id: "{import}") { import { __typename id } }',
]


async def fill(api: Api) -> dict[str, str]:
    """Give the app some of everything, and return the IDs of one each."""
    app = api.world.app
    cases, users = await add_cases(app, 2), await add_users(app, 2)
    imported = await add_import(app, failed=1, total=1)
    await assign(app, cases, users, imported)
    error = {"code": "NOT_FOUND", "message": "no", "column": "case_id", "value": "x"}
    async with transaction() as db:
        row = RowResult(2, b'["x","y"]', RowStatus.FAILED, errors=[error])
        await write_rows(db, app.id, imported, [row])
    await add_role(app, "paralegal", "Paralegal")
    await create_token(app, "reports", Permission.VIEWER)
    await add_webhook(app, imported)
    return {
        "case": node_id("Case", cases[0]),
        "user": node_id("User", users[0]),
        "import": node_id("Import", imported),
        "app": node_id("App", app.id),
    }


def filled_in(text: str, ids: dict[str, str]) -> str:
    for kind, each in ids.items():
        text = text.replace(f"{{{kind}}}", each)
    return text


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Walk through all objects of an answer."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from objects(each)


async def test_an_id_names_one_object_of_one_type(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked, an `id` comes with the same type: clients store objects by it."""
    change_settings(api, monkeypatch, query=NO_LIMITS)
    ids = await fill(api)
    answers = [await api.data(f"mutation {{ {filled_in(each, ids)} }}") for each in CHANGES]
    for name, field in root_fields("Query").items():
        selection = everything(get_named_type(field.type).name)
        query = f"{{ {name}{filled_in(ARGUMENTS.get(name, ''), ids)} {selection} }}"
        answers.append(await api.data(query))
    types = defaultdict(set)
    for each in objects(answers):
        if "id" in each:
            types[each["id"]].add(each["__typename"])

    assert {key: kinds for key, kinds in types.items() if len(kinds) > 1} == {}
    assert set().union(*types.values()) == node_types() | {"WebhookDelivery"}


async def test_nodes(api: Api, statements: list[str]) -> None:
    """Many objects come in the order asked for, null for each unknown, one statement a kind."""
    ids = await fill(api)
    [theirs] = await add_cases(api.world.other, 1)
    unknown = [node_id("Case", theirs), node_id("Role", 1), "nonsense", "", node_id("User", 0)]
    wanted = [ids["user"], *unknown, ids["case"], ids["import"], ids["user"], ids["app"]]
    statements.clear()

    found = (await api.data(NODES, {"ids": wanted}))["nodes"]

    user = {"__typename": "User", "id": ids["user"]}
    assert found[0] == found[8] == user
    assert found[1:6] == [None] * 5
    assert [each["__typename"] for each in found[6:]] == ["Case", "Import", "User", "App"]
    # The token, and a statement for cases, for users and for imports.
    assert len(statements) == 4, statements


async def test_nodes_that_are_forbidden(api: Api) -> None:
    """A node that the token may not read is the error of its place alone."""
    ids = await fill(api)
    event = node_id("AuditEvent", await sql("fetchval", "SELECT max(id) FROM audit_events"))

    result = await api.execute(NODES, {"ids": [event, ids["case"]]}, api.world.viewer)

    assert [each["extensions"]["code"] for each in result["errors"]] == ["FORBIDDEN"]
    assert result["errors"][0]["path"] == ["nodes", 0]
    assert [each and each["id"] for each in result["data"]["nodes"]] == [None, ids["case"]]


async def test_number_of_nodes(api: Api) -> None:
    """A thousand at the most."""
    most = (await api.data(NODES, {"ids": [""] * 1_000}))["nodes"]

    assert most == [None] * 1_000
    assert await api.code(NODES, {"ids": [""] * 1_001}) == "TOO_MANY_IDS"
    assert (await api.data(NODES, {"ids": []})) == {"nodes": []}
    assert (await api.data(NODES, {"ids": "x"})) == {"nodes": [None]}
