"""Tokens: made and shown once, listed, revoked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from api.console.pages.tokens import token_state
from tests.api.api_fixture import Api, node_id, sql
from tests.api.console.browser import Browser, open_browser

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("revoked", "ends", "state"),
    [
        (None, None, "VALID"),
        (None, NOW + timedelta(1), "VALID"),
        (None, NOW, "EXPIRED"),
        (NOW, NOW + timedelta(1), "REVOKED"),
    ],
)
def test_state(revoked: datetime | None, ends: datetime | None, state: str) -> None:
    """A revoked token is that, whether it would have expired or not."""
    token = {
        "revokedAt": revoked and revoked.isoformat(),
        "expiresAt": ends and ends.isoformat(),
    }

    assert token_state(token, NOW) == state


async def test_make(api: Api, admin: Browser) -> None:
    """A token is shown once, with a link that signs in; it may and lasts as was chosen."""
    made = await admin.post(
        "/console/tokens/new",
        {"name": "Jo", "permission": "VIEWER", "days": "30"},
        Origin="https://desk.example",
    )
    assert made.location == "/console/tokens/made"
    made = await admin.get(made.location)
    [link] = re.findall(r'id="link" readonly value="(.*?)"', made.text)
    [secret] = re.findall(r'id="secret" readonly value="(.*?)"', made.text)
    row = await sql("fetchrow", "SELECT * FROM api_tokens WHERE name = 'Jo'")
    listed = await admin.get("/console/tokens")

    assert link == f"https://desk.example/console/sign-in#token={secret}"
    assert row["permission"] == "VIEWER"
    assert timedelta(days=29) < row["expires_at"] - row["created_at"] < timedelta(days=31)
    assert secret not in listed.text
    async with open_browser(api) as other:
        assert (await other.sign_in(secret)).location == "/console/imports"


async def test_shown_once(admin: Browser) -> None:
    """The token waits in a cookie for its page alone, which takes it away: a reload has none."""
    made = await admin.post("/console/tokens/new", {"name": "Jo", "days": "7"})
    cookie = made.headers["Set-Cookie"]
    pages = [await admin.get("/console/tokens/made") for _ in range(2)]

    assert "crl_" not in made.location
    for part in ("HttpOnly", "Max-Age=60", "Path=/console/tokens/made", "SameSite=strict"):
        assert part in cookie
    assert [page.status for page in pages] == [200, 410]
    assert ["crl_" in page.text for page in pages] == [True, False]
    assert await sql("fetchval", "SELECT count(*) FROM api_tokens WHERE name = 'Jo'") == 1


async def test_for_ever(admin: Browser) -> None:
    """A token can be made that does not expire; behind no proxy, the link is as the page's."""
    made = await admin.post(
        "/console/tokens/new", {"name": "Robot", "permission": "ADMIN", "days": ""}
    )
    made = await admin.get(made.location)

    assert await sql("fetchval", "SELECT expires_at FROM api_tokens WHERE name = 'Robot'") is None
    assert re.search(r'value="http://127\.0\.0\.1:\d+/console/sign-in#token=crl_', made.text)


async def test_what_was_not_chosen(admin: Browser) -> None:
    """A form with other choices than the page has makes a token that may and lasts least."""
    await admin.post("/console/tokens/new", {"name": "x", "permission": "ROOT", "days": "999999"})
    row = await sql("fetchrow", "SELECT * FROM api_tokens WHERE name = 'x'")

    assert row["permission"] == "VIEWER"
    assert row["expires_at"] - row["created_at"] < timedelta(days=8)


async def test_problems(admin: Browser) -> None:
    """What is wrong comes back at its field, with what was typed and chosen."""
    answer = await admin.post(
        "/console/tokens/new", {"name": "command line", "permission": "ADMIN", "days": "365"}
    )

    assert answer.status == 422
    assert "choose another name" in answer.text
    assert 'value="command line"' in answer.text
    assert 'value="ADMIN" checked' in answer.text
    assert '<option value="365" selected>' in answer.text


async def test_revoke(api: Api, admin: Browser, viewer: Browser) -> None:
    """A token is revoked after a question, and opens nothing from then on."""
    key = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'viewer'")
    path = f"/console/tokens/{node_id('Token', key)}/revoke"
    asked = await admin.get(path)
    valid = await viewer.get("/console/users")
    revoked = await admin.post(path)

    assert "Revoke <bdi" in asked.text
    assert "You are signed in with this token" not in asked.text
    assert (valid.status, revoked.location) == (200, "/console/tokens")
    assert await sql("fetchval", "SELECT revoked_at IS NOT NULL FROM api_tokens WHERE id = $1", key)
    assert "Revoked" in (await admin.get("/console/tokens")).text


async def test_ones_own(api: Api, admin: Browser) -> None:
    """To revoke the token one is signed in with needs a warning, and leads to sign-in."""
    key = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'admin'")
    path = f"/console/tokens/{node_id('Token', key)}/revoke"

    assert "You are signed in with this token" in (await admin.get(path)).text
    assert (await admin.post(path)).location == "/console/tokens"


@pytest.mark.parametrize("path", ["tokens", "tokens/new", "tokens/VG9rZW46MQ==/revoke"])
async def test_viewers(viewer: Browser, path: str) -> None:
    """A viewer is told that only admins read and make tokens."""
    answer = await viewer.get(f"/console/{path}")

    assert answer.status == 403
    assert "Only ADMIN tokens may" in answer.text


@pytest.mark.parametrize("key", ["nonsense", node_id("Token", 999_999), node_id("Case", 1)])
async def test_no_such_token(admin: Browser, key: str) -> None:
    """What the app has not is no page."""
    path = f"/console/tokens/{key}/revoke"

    assert [(await admin.get(path)).status, (await admin.post(path)).status] == [404, 404]


async def test_without_fields(admin: Browser) -> None:
    """A form that lacks its fields is shown again, with what is missing."""
    answer = await admin.post("/console/tokens/new")

    assert answer.status == 422
    assert "can&#39;t be blank" in answer.text
