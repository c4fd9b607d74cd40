"""Who uploaded an import: a token, or a command at the server."""

from __future__ import annotations

import pytest

from tests.api.api_fixture import Api, add_import, node_id, sql

CREATORS = "{ imports { edges { node { %s createdBy { name tokenId } } } } }"


# The type makes the selection one that graphql-core executes, import by import.
@pytest.mark.parametrize("others", ["", "type { key }"])
async def test_created_by(api: Api, statements: list[str], others: str) -> None:
    """Each import has its actor, also one of a token that was revoked, read in one statement."""
    app, token = (
        api.world.app,
        await sql("fetchval", "SELECT id FROM api_tokens WHERE name='admin'"),
    )
    viewer = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'viewer'")
    for number, key in enumerate([token, None, viewer, token]):
        await add_import(app, f"import {number}", token_id=key)
    await sql("execute", "UPDATE api_tokens SET revoked_at = now() WHERE id = $1", viewer)
    statements.clear()

    found = await api.data(CREATORS % others)

    admin = {"name": "admin", "tokenId": node_id("Token", token)}
    assert [edge["node"]["createdBy"] for edge in found["imports"]["edges"]] == [
        admin,
        {"name": "viewer", "tokenId": node_id("Token", viewer)},
        {"name": "command line", "tokenId": None},
        admin,
    ]
    # The request's own token, the page, the tokens.
    assert len(statements) == 3, statements


async def test_an_upload_is_its_tokens(api: Api) -> None:
    """An upload's actor is the token of the request, and a viewer may know it."""
    await api.upload()

    [edge] = (await api.data(CREATORS % "", token=api.world.viewer))["imports"]["edges"]

    assert edge["node"]["createdBy"]["name"] == "admin"


async def test_of_tokens_all_but_the_digest_can_be_read(api: Api) -> None:
    """The API's role sees what `tokens` shows of the app's tokens, and never a digest."""
    async with api.server.services.pool.connection(api.world.app.id) as db:
        rows = await db.fetch("SELECT * FROM token_names")

    assert {row["name"] for row in rows} == {"admin", "viewer"}
    times = {"created_at", "last_used_at", "expires_at", "revoked_at"}
    assert set(rows[0].keys()) == {"id", "app_id", "name", "permission", *times}
