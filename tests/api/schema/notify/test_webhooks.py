"""Webhooks are an ADMIN's own: created with a secret that is shown once, listed, deleted."""

from __future__ import annotations

import base64
from ipaddress import ip_network
from typing import Any

import pytest

from models.webhook import MOST_WEBHOOKS, WebhookEvent
from tests.api.api_fixture import (
    WEBHOOK_URL,
    Api,
    add_import,
    add_webhook,
    change_settings,
    node_id,
    sql,
)

CREATE = """
mutation ($input: CreateWebhookInput!) {
  createWebhook(input: $input) {
    webhook { id url events description createdAt disabledAt deliveries { totalCount } }
    secret userErrors { code field message }
  }
}
"""
DELETE = """
mutation ($id: ID!) {
  deleteWebhook(id: $id) { webhook { url } secret userErrors { code field } }
}
"""
ENABLE = """
mutation ($id: ID!) {
  enableWebhook(id: $id) { webhook { disabledAt } secret userErrors { code field } }
}
"""
LIST = """
query ($first: Int, $after: String) {
  webhooks {
    totalCount
    edges { node {
      id url events disabledAt
      deliveries(first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { node {
          id event status attempts responseStatus error nextAttemptAt createdAt import { id name }
        } }
      }
    } }
  }
}
"""


async def create(api: Api, token: str | None = None, **values: Any) -> dict[str, Any]:
    """Create a webhook, and return the payload."""
    given = {"url": WEBHOOK_URL, "events": ["IMPORT_FINISHED"], **values}
    payload: dict[str, Any] = (await api.data(CREATE, {"input": given}, token))["createWebhook"]
    return payload


async def webhooks(api: Api, **page: Any) -> list[dict[str, Any]]:
    """List the webhooks with their deliveries."""
    found = (await api.data(LIST, page))["webhooks"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def test_a_new_webhook(api: Api) -> None:
    """The answer has the secret, which nothing else shows."""
    payload = await create(api, description=" Payroll ", events=["IMPORT_HELD", "IMPORT_HELD"])
    webhook, secret = payload["webhook"], payload["secret"]
    stored = await sql("fetchval", "SELECT secret FROM webhooks")
    listed = await webhooks(api)

    assert payload["userErrors"] == []
    assert (webhook["url"], webhook["description"]) == (WEBHOOK_URL, "Payroll")
    assert (webhook["events"], webhook["disabledAt"]) == (["IMPORT_HELD"], None)
    assert webhook["deliveries"] == {"totalCount": 0}
    assert (secret, secret[:6]) == (stored, "whsec_")
    assert len(base64.b64decode(secret[6:])) == 32
    assert [each["id"] for each in listed] == [webhook["id"]]
    assert secret not in str(listed)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"url": "http://hooks.example.org/"}, "INVALID_URL", "url"),
        ({"url": "https://192.168.0.1/"}, "INVALID_URL", "url"),
        ({"url": "https://localhost/"}, "INVALID_URL", "url"),
        ({"url": " https://hooks.example.org/"}, "INVALID_URL", "url"),
        ({"events": []}, "REQUIRED", "events"),
        ({"description": "x" * 201}, "TOO_LONG", "description"),
        ({"description": "a\u0007b"}, "CONTROL_CHARACTER", "description"),
    ],
)
async def test_what_is_refused(api: Api, values: dict[str, Any], code: str, field: str) -> None:
    """Whatever is wrong with a webhook is said, and nothing is created."""
    payload = await create(api, **values)

    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [
        (code, ["input", field])
    ]
    assert (payload["webhook"], payload["secret"]) == (None, None)
    assert await webhooks(api) == []


async def test_everything_at_once(api: Api) -> None:
    """All that is wrong is said at once."""
    payload = await create(api, url="x", events=[], description="x" * 201)

    assert len(payload["userErrors"]) == 3


async def test_an_allowed_network(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's setting opens private networks."""
    change_settings(api, monkeypatch, webhook_networks=(ip_network("127.0.0.0/8"),))

    assert (await create(api, url="http://127.0.0.1:8080/in"))["webhook"]
    assert (await create(api, url="https://10.0.0.1/"))["userErrors"]


async def test_the_most(api: Api) -> None:
    """An app has so many webhooks at the most; another app's don't count."""
    for _ in range(MOST_WEBHOOKS):
        await add_webhook(api.world.app)
    payload = await create(api)
    theirs = await create(api, token=api.world.stranger)

    assert [each["code"] for each in payload["userErrors"]] == ["TOO_MANY_WEBHOOKS"]
    assert theirs["webhook"]


async def test_deliveries(api: Api) -> None:
    """Each message is shown with what became of it, newest first, a page at a time."""
    imports = [await add_import(api.world.app, name) for name in ("May", "June", "July")]
    await add_webhook(api.world.app, *imports)
    await sql(
        "execute",
        "UPDATE webhook_deliveries SET status = 'FAILED', attempts = 11, response_status = 500,"
        " error = 'the answer was 500' WHERE import_id = $1",
        imports[1],
    )
    [first] = [each["deliveries"] for each in await webhooks(api, first=2)]
    after = first["pageInfo"]["endCursor"]
    [second] = [each["deliveries"] for each in await webhooks(api, first=2, after=after)]
    july, june = [edge["node"] for edge in first["edges"]]
    keys = [row["id"] for row in await sql("fetch", "SELECT id FROM webhook_deliveries ORDER BY 1")]

    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert july["id"] == node_id("WebhookDelivery", keys[2])
    assert july["import"] == {"id": node_id("Import", imports[2]), "name": "July"}
    assert (july["event"], july["status"], july["attempts"]) == ("IMPORT_FINISHED", "PENDING", 0)
    assert (july["responseStatus"], july["error"]) == (None, None)
    assert july["nextAttemptAt"] == july["createdAt"]
    assert (june["status"], june["attempts"], june["nextAttemptAt"]) == ("FAILED", 11, None)
    assert (june["responseStatus"], june["error"]) == (500, "the answer was 500")
    assert [edge["node"]["import"]["name"] for edge in second["edges"]] == ["May"]


async def test_pages_of_all_webhooks_are_one_read(api: Api, statements: list[str]) -> None:
    """The deliveries of several webhooks, and their imports, are read together."""
    for _ in range(3):
        await add_webhook(api.world.app)
    await add_webhook(api.world.app, *[await add_import(api.world.app, name) for name in "abc"])
    statements.clear()
    await api.data(LIST.replace("totalCount", "__typename"))

    assert len([each for each in statements if "webhook_deliveries" in each]) == 1
    assert len([each for each in statements if "FROM imports" in each]) == 1


async def test_deleted(api: Api) -> None:
    """A deleted webhook is gone, with its messages."""
    imported = await add_import(api.world.app)
    key = await add_webhook(api.world.app, imported)
    kept = await add_webhook(api.world.app, url="https://other.example.org/")
    payloads = [
        (await api.data(DELETE, {"id": node_id("Webhook", key)}))["deleteWebhook"] for _ in range(2)
    ]

    assert payloads == [
        {"webhook": {"url": WEBHOOK_URL}, "secret": None, "userErrors": []},
        {"webhook": None, "secret": None, "userErrors": [{"code": "NOT_FOUND", "field": ["id"]}]},
    ]
    assert [each["id"] for each in await webhooks(api)] == [node_id("Webhook", kept)]
    assert await sql("fetchval", "SELECT count(*) FROM webhook_deliveries") == 0


async def test_enabled(api: Api) -> None:
    """A disabled webhook gets messages again; one that is not disabled stays as it is."""
    key = node_id("Webhook", await add_webhook(api.world.app))
    await sql("execute", "UPDATE webhooks SET disabled_at = now()")
    answers = [(await api.data(ENABLE, {"id": key}))["enableWebhook"] for _ in range(2)]

    assert answers == [{"webhook": {"disabledAt": None}, "secret": None, "userErrors": []}] * 2
    actions = "SELECT count(*) FROM audit_events WHERE action = 'WEBHOOK_ENABLED'"
    assert await sql("fetchval", actions) == 1


async def test_none_such(api: Api) -> None:
    """An ID of something else, or of nothing, names no webhook."""
    for each in (node_id("Import", await add_import(api.world.app)), "nonsense"):
        payloads = (await api.data(DELETE, {"id": each})) | (await api.data(ENABLE, {"id": each}))
        for payload in payloads.values():
            assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]


async def test_a_node(api: Api) -> None:
    """`node` finds a webhook for admins, and for no viewer."""
    key = node_id("Webhook", await add_webhook(api.world.app))
    query = f'{{ node(id: "{key}") {{ ... on Webhook {{ url }} }} }}'

    assert await api.data(query) == {"node": {"url": WEBHOOK_URL}}
    assert await api.code(query, token=api.world.viewer) == "FORBIDDEN"


async def test_events_of_the_schema(api: Api) -> None:
    """The schema's events are those that deliveries may have, and say what they mean."""
    kind = (await api.data('{ __type(name: "WebhookEvent") { enumValues { name description } } }'))[
        "__type"
    ]

    assert kind["enumValues"] == [
        {"name": each.name, "description": each.description} for each in WebhookEvent
    ]
