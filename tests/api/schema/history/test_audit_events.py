"""The audit trail: every deed is in it once, nothing else is, and nobody can change it."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from api.schema.definition import schema
from models.app import Permission, add_role, create_token, revoke_token
from models.audit import Action
from models.imports import ImportStatus
from tests.api.api_fixture import (
    WEBHOOK_URL,
    Api,
    add_cases,
    add_import,
    add_users,
    add_webhook,
    assign,
    node_id,
    sql,
)

EVENTS = """
query ($action: [AuditAction!], $actor: String, $target: ID, $since: DateTime, $until: DateTime) {
  auditEvents(action: $action, actor: $actor, target: $target, since: $since, until: $until) {
    totalCount
    edges { node {
      action actor { tokenId name } target { objectId name } changedFields occurredAt
    } }
  }
}
"""
DEEDS = {
    "createImport": "IMPORT_CREATED",
    "retryImport": "IMPORT_RETRIED",
    "cancelImport": "IMPORT_CANCELLED",
    "applyImport": "IMPORT_APPLIED",
    "undoImport": "IMPORT_UNDONE",
    "releaseImport": "IMPORT_RELEASED",
    "updateApp": "APP_UPDATED",
    "createCase": "CASE_CREATED",
    "updateCase": "CASE_UPDATED",
    "createUser": "USER_CREATED",
    "updateUser": "USER_UPDATED",
    "createWebhook": "WEBHOOK_CREATED",
    "enableWebhook": "WEBHOOK_ENABLED",
    "deleteWebhook": "WEBHOOK_DELETED",
    "createToken": "TOKEN_CREATED",
    "revokeToken": "TOKEN_REVOKED",
}
# A link to a download changes nothing, and neither does a look at a file.
NO_DEEDS = {"createDownload", "previewFile"}


async def events(api: Api, token: str | None = None, **variables: Any) -> list[dict[str, Any]]:
    """Read the audit trail, newest first, without what the fixtures have left there."""
    found = (await api.data(EVENTS, variables, token))["auditEvents"]
    assert found["totalCount"] == len(found["edges"])
    nodes = [edge["node"] for edge in found["edges"]]
    return [node for node in nodes if node["actor"]["name"] != "command line"]


async def do(api: Api, name: str) -> str:
    """Do one deed, and return the ID of what it was done to."""
    if name == "createImport":
        return str((await api.upload(name="May"))["import"]["id"])
    [case], [user] = await add_cases(api.world.app, 1), await add_users(api.world.app, 1)
    status = {"cancelImport": ImportStatus.QUEUED, "releaseImport": ImportStatus.HELD}.get(
        name, ImportStatus.PROCESSED
    )
    imported = await add_import(
        api.world.app,
        status=status,
        failed=1,
        passed=1,
        is_dry_run=name == "applyImport",
        hold='{"code": "REMOVES_MANY", "message": "", "since": "2026-01-01T00:00:00+00:00"}',
    )
    webhook = await add_webhook(api.world.app, url=f"{WEBHOOK_URL}?key=secret")
    if name == "enableWebhook":
        await sql("execute", "UPDATE webhooks SET disabled_at = now()")
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'viewer'")
    if name == "undoImport":
        await assign(api.world.app, [case], [user], imported)
    field, input_ = {
        "applyImport": ("import", f'id: "{node_id("Import", imported)}", name: "May"'),
        "undoImport": ("import", f'id: "{node_id("Import", imported)}", name: "May"'),
        "releaseImport": ("import", f'id: "{node_id("Import", imported)}"'),
        "updateApp": ("app", "input: {removePercent: 30}"),
        "retryImport": ("import", f'id: "{node_id("Import", imported)}"'),
        "cancelImport": ("import", f'id: "{node_id("Import", imported)}"'),
        "createCase": ("case", 'input: {about: "Secret", tagId: "case-9"}'),
        "updateCase": (
            "case",
            f'id: "{node_id("Case", case)}", input: {{about: "Secret", status: CLOSED}}',
        ),
        "createUser": ("user", 'input: {email: "secret@example.org", givenName: "Secret"}'),
        "updateUser": ("user", f'id: "{node_id("User", user)}", input: {{givenName: "Secret"}}'),
        "createWebhook": (
            "webhook",
            'input: {url: "https://hooks.example.org/?key=secret", events: [IMPORT_FINISHED]}',
        ),
        "enableWebhook": ("webhook", f'id: "{node_id("Webhook", webhook)}"'),
        "deleteWebhook": ("webhook", f'id: "{node_id("Webhook", webhook)}"'),
        "createToken": ("token", 'input: {name: "viewer", permission: VIEWER}'),
        "revokeToken": ("token", f'id: "{node_id("Token", token)}"'),
    }[name]
    query = f"mutation {{ {name}({input_}) {{ {field} {{ id }} userErrors {{ code }} }} }}"
    payload = (await api.data(query))[name]
    assert payload["userErrors"] == []
    return str(payload[field]["id"])


def test_every_mutation_is_a_deed() -> None:
    """The table of deeds holds every mutation of the schema that is one."""
    mutations = schema._schema.mutation_type

    assert mutations is not None
    assert set(DEEDS) == set(mutations.fields) - NO_DEEDS


@pytest.mark.parametrize("name", DEEDS)
async def test_mutations_leave_one_event(api: Api, name: str) -> None:
    """Each mutation leaves one event, which says who and what, and no contents."""
    target = await do(api, name)
    [event] = await events(api)
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'admin'")
    stored = str([tuple(row) for row in await sql("fetch", "SELECT * FROM audit_events")])

    assert event["action"] == DEEDS[name]
    assert event["actor"] == {"tokenId": node_id("Token", token), "name": "admin"}
    names = {"Import": "May", "Webhook": WEBHOOK_URL, "Token": "viewer"}
    named = [each for kind, each in names.items() if kind in name]
    assert event["target"] == {"objectId": target, "name": named[0] if named else None}
    assert event["changedFields"] == {
        "updateCase": ["about", "status"],
        "updateUser": ["givenName"],
        "updateApp": ["removePercent"],
    }.get(name, [])
    assert "secret" not in stored.lower()
    assert "case-" not in stored


@pytest.mark.parametrize(
    "mutation",
    [
        'createCase(input: {about: "x", tagId: "case-1"}) { userErrors { code } }',
        'createUser(input: {email: "USER1@example.org"}) { userErrors { code } }',
        'updateCase(id: "{case}", input: {tagId: "other"}) { userErrors { code } }',
        'updateCase(id: "nonsense", input: {about: "x"}) { userErrors { code } }',
        'cancelImport(id: "{import}") { userErrors { code } }',
        'retryImport(id: "{import}") { userErrors { code } }',
        'applyImport(id: "{import}") { userErrors { code } }',
        'undoImport(id: "{import}") { userErrors { code } }',
        'releaseImport(id: "{import}") { userErrors { code } }',
        "updateApp(input: {removePercent: 101}) { userErrors { code } }",
    ],
)
async def test_what_is_not_done_leaves_none(api: Api, mutation: str) -> None:
    """What was refused has not happened."""
    [case], _ = await add_cases(api.world.app, 1), await add_users(api.world.app, 1)
    imported = await add_import(api.world.app)
    text = mutation.replace("{case}", node_id("Case", case))
    [payload] = (
        await api.data("mutation { " + text.replace("{import}", node_id("Import", imported)) + " }")
    ).values()

    assert payload["userErrors"]
    assert await events(api) == []


async def test_an_upload_sent_again_is_one_deed(api: Api) -> None:
    """An upload that is repeated with its key is one import, and one event."""
    for _ in range(2):
        await api.upload(name="May", idempotencyKey="k")

    assert len(await events(api)) == 1


async def test_event_and_deed_are_one_transaction(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the event can't be written, the deed has not been done."""

    async def fail(*_: object, **__: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr("models.write_one.record", fail)

    assert await api.code('mutation { createCase(input: {about: "x"}) { case { id } } }')
    assert await sql("fetchval", "SELECT count(*) FROM cases") == 0


async def test_command_line(api: Api) -> None:
    """What is done at the server itself is in the app's trail, by `command line`."""
    await sql("execute", "TRUNCATE audit_events")
    await add_role(api.world.app, "paralegal", "Paralegal")
    secret = await create_token(api.world.app, "reports", Permission.VIEWER)
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'reports'")
    for _ in range(2):
        assert await revoke_token(token) == "reports"
    found = (await api.data(EVENTS))["auditEvents"]["edges"]
    stored = str([tuple(row) for row in await sql("fetch", "SELECT * FROM audit_events")])

    assert [edge["node"]["action"] for edge in found] == [
        "TOKEN_REVOKED",
        "TOKEN_CREATED",
        "ROLE_ADDED",
    ]
    assert [edge["node"]["target"]["name"] for edge in found] == ["reports"] * 2 + ["paralegal"]
    assert found[0]["node"]["actor"] == {"tokenId": None, "name": "command line"}
    assert secret not in stored


async def test_targets_are_nodes(api: Api, statements: list[str]) -> None:
    """A target is the object itself, but for tokens and roles; a page has one read a kind."""
    await add_role(api.world.app, "paralegal", "Paralegal")
    made = await api.data(
        """mutation {
          createCase(input: {about: "x"}) { case { id } }
          createUser(input: {email: "x@example.org"}) { user { id } }
        }"""
    )
    done = [made["createCase"]["case"]["id"], made["createUser"]["user"]["id"]]
    done.append((await api.upload())["import"]["id"])
    statements.clear()

    edges = (
        await api.data(
            "{ auditEvents { edges { node { action target { objectId node { __typename id } }"
            " } } } }"
        )
    )["auditEvents"]["edges"]
    targets = {edge["node"]["action"]: edge["node"]["target"] for edge in edges}
    nodes = {action: target["node"] for action, target in targets.items()}

    assert [targets[f"{noun}_CREATED"]["objectId"] for noun in ("CASE", "USER", "IMPORT")] == done
    assert nodes.pop("TOKEN_CREATED") is nodes.pop("ROLE_ADDED") is None
    assert {
        action: (node["__typename"], node["id"] == targets[action]["objectId"])
        for action, node in nodes.items()
    } == {
        "APP_CREATED": ("App", True),
        "CASE_CREATED": ("Case", True),
        "IMPORT_CREATED": ("Import", True),
        "USER_CREATED": ("User", True),
    }
    # The token, the page, and the three kinds; the app is the token's.
    assert len(statements) == 5, statements


async def test_filters(api: Api) -> None:
    """The trail can be filtered by action, actor and time."""
    for name in ("createCase", "createImport"):
        await do(api, name)
    newest, oldest = await events(api)
    time = newest["occurredAt"]

    assert await events(api, action=["CASE_CREATED", "USER_CREATED"]) == [oldest]
    assert await events(api, action=[]) == []
    assert await events(api, actor="viewer") == []
    assert await events(api, actor="admin") == [newest, oldest]
    assert await events(api, since=time) == [newest]
    assert await events(api, until=time) == [oldest]
    assert await events(api, since="0001-01-01T00:00:00+14:00") == [newest, oldest]
    assert await events(api, until="9999-12-31T23:59:59-23:59") == [newest, oldest]


async def test_of_a_target(api: Api) -> None:
    """All that was done to one object, of which other kinds may have the same key."""
    target = await do(api, "createCase")
    [_, case] = await sql("fetch", "SELECT id FROM cases ORDER BY id")
    await sql("execute", "UPDATE users SET id = $1", case["id"])
    user_id = node_id("User", case["id"])
    for kind, each in (("Case", target), ("User", user_id)):
        field = "about" if kind == "Case" else "givenName"
        done = f'update{kind}(id: "{each}", input: {{{field}: "x"}}) {{ userErrors {{ code }} }}'
        await api.data(f"mutation {{ {done} }}")

    async def actions(**variables: Any) -> list[str]:
        return [each["action"] for each in await events(api, **variables)]

    assert await actions(target=target) == ["CASE_UPDATED", "CASE_CREATED"]
    assert await actions(target=user_id) == ["USER_UPDATED"]
    assert await actions(target=target, action=["CASE_CREATED"]) == ["CASE_CREATED"]
    for nothing in ("", "nonsense", node_id("Case", 0), node_id("Assignment", 1)):
        assert await actions(target=nothing) == []
    [token] = [each["actor"]["tokenId"] for each in await events(api, target=user_id)]
    found = (await api.data(EVENTS, {"target": token}))["auditEvents"]["edges"]
    assert [edge["node"]["action"] for edge in found] == ["TOKEN_CREATED"]


async def test_only_for_admins(api: Api) -> None:
    """A viewer can't read it, neither the list nor one event."""
    await do(api, "createCase")
    key = await sql("fetchval", "SELECT max(id) FROM audit_events")
    query = f'{{ node(id: "{node_id("AuditEvent", key)}") {{ ... on AuditEvent {{ action }} }} }}'

    assert (await api.data(query))["node"] == {"action": "CASE_CREATED"}
    assert await api.code(query, token=api.world.viewer) == "FORBIDDEN"
    assert await api.code(EVENTS, token=api.world.viewer) == "FORBIDDEN"


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit_events", "UPDATE audit_events SET actor = 'x'"]
)
async def test_append_only(api: Api, statement: str) -> None:
    """The API's role can't take an event back, nor change one."""
    await do(api, "createCase")
    async with api.server.services.pool.connection(api.world.app.id) as db:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(statement)

    assert len(await events(api)) == 1


def test_actions_have_names() -> None:
    """The API knows every action by its name, and none but these."""
    actions = schema._schema.type_map["AuditAction"].values  # type: ignore[attr-defined]

    assert set(actions) == {action.value for action in Action}
