"""Making links to downloads, by GraphQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.api_fixture import Api, add_cases, add_import, node_id, sql

CREATE = """mutation ($path: String!) {
  createDownload(path: $path) { url expiresAt userErrors { code message field } }
}"""


async def link(api: Api, path: str, token: str | None = None) -> dict[str, Any]:
    payload: dict[str, Any] = (await api.data(CREATE, {"path": path}, token))["createDownload"]
    return payload


async def test_links_of_viewers(api: Api) -> None:
    """A viewer makes links as an admin does."""
    await add_cases(api.world.app, 2)
    made = await link(api, "/files/cases.csv", api.world.viewer)

    assert len((await api.get(made["url"], None))[1].splitlines()) == 3


async def test_strangers(api: Api) -> None:
    """A link to a file of another app is made, as its path is not looked at, and opens nothing."""
    key = await add_import(api.world.app)
    made = await link(api, f"/files/imports/{node_id('Import', key)}", api.world.stranger)

    assert made["userErrors"] == []
    assert (await api.get(made["url"], None))[0] == 404


async def test_what_a_link_says_of_itself(api: Api) -> None:
    """It ends in a minute, and its secret is stored nowhere."""
    before = datetime.now(UTC)
    payload = await link(api, "/files/cases.csv?type=add-cases")

    left = datetime.fromisoformat(payload["expiresAt"]) - before
    secret = payload["url"].partition("&link=")[2]
    assert timedelta(seconds=50) < left < timedelta(seconds=70)
    assert payload["url"].startswith("/files/cases.csv?type=add-cases&link=crl_")
    assert len(secret) > 40
    assert secret not in str(await sql("fetch", "SELECT t::text FROM download_links t"))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "NOT_FOUND"),
        ("/graphql", "NOT_FOUND"),
        ("files/cases.csv", "NOT_FOUND"),
        ("https://example.org/files/cases.csv", "NOT_FOUND"),
        ("//example.org/files/cases.csv", "NOT_FOUND"),
        ("/files/cases.csv#x", "NOT_FOUND"),
        ("/files/a b", "NOT_FOUND"),
        ("/files/\u00e9", "NOT_FOUND"),
        ("/files/a\nb", "NOT_FOUND"),
        ("/files/" + "x" * 2_000, "TOO_LONG"),
    ],
)
async def test_paths_that_are_none(api: Api, path: str, code: str) -> None:
    """What is no path of a download is refused, naming the argument."""
    payload = await link(api, path)

    assert (payload["url"], payload["expiresAt"]) == (None, None)
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [(code, ["path"])]
    assert await sql("fetchval", "SELECT count(*) FROM download_links") == 0
