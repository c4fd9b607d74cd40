"""The mails of an import."""

from __future__ import annotations

import pytest

from tests.api.api_fixture import Api, add_import, node_id, sql

QUERY = """
query ($id: ID!) { import(id: $id) { mails { waiting sent failed unknown isComplete } } }
"""
MAILS = "INSERT INTO mails (app_id, import_id, state) SELECT $1, $2, unnest($3::text[])"
STATES = ["PENDING", "SENDING", "SENT", "SENT", "SENT", "FAILED", "UNKNOWN"]


async def test_by_state(api: Api) -> None:
    """Mails are counted by what became of them; those of other imports are not."""
    key, other = [await add_import(api.world.app, name) for name in ("May", "June")]
    await sql("execute", MAILS, api.world.app.id, key, STATES)
    await sql("execute", MAILS, api.world.app.id, other, STATES)
    found = await api.data(QUERY, {"id": node_id("Import", key)})

    assert found["import"]["mails"] == {
        "waiting": 2, "sent": 3, "failed": 1, "unknown": 1, "isComplete": True
    }  # fmt: skip


async def test_very_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more mails than are counted, it is said that there are more."""
    monkeypatch.setattr("models.mail.MOST_COUNTED", 4)
    key = await add_import(api.world.app)
    await sql("execute", MAILS, api.world.app.id, key, ["SENT"] * 5)
    found = await api.data(QUERY, {"id": node_id("Import", key)})

    assert not found["import"]["mails"]["isComplete"]
