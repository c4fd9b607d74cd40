"""Signing in, coming back, and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.console.pages.sign_in import _own_path
from models.app import ApiToken, Permission, create_token, token_digest
from tests.api.api_fixture import Api
from tests.api.console.browser import Browser


async def test_cookie(api: Api, stranger: Browser) -> None:
    """The cookie is for the console alone, no script reads it, and no other site sends it."""
    answer = await stranger.sign_in(api.world.admin)
    cookie = answer.headers["Set-Cookie"]

    assert (answer.status, answer.location) == (303, "/console/imports")
    assert cookie == (f"caseroll_token={api.world.admin}; HttpOnly; Path=/console; SameSite=strict")


async def test_wrong_token(stranger: Browser) -> None:
    """A wrong token is said to be one, beside the field."""
    answer = await stranger.sign_in("crl_nonsense")

    assert answer.status == 401
    assert 'aria-invalid="true"' in answer.text
    assert "Set-Cookie" not in answer.headers


async def test_expired_token(api: Api, stranger: Browser) -> None:
    """A token that expires while one works says so, and leads back to the page."""
    token = await create_token(api.world.app, "short", Permission.ADMIN)
    await stranger.sign_in(token)
    ended = datetime.now(UTC) - timedelta(seconds=1)
    await ApiToken.filter(digest=token_digest(token)).update(expires_at=ended)
    answer = await stranger.get("/console/imports?status=FAILED")
    page = await stranger.get(answer.location)

    assert answer.location == (
        "/console/sign-in?next=%2Fconsole%2Fimports%3Fstatus%3DFAILED&why=expired"
    )
    assert "This token has expired." in page.text


async def test_revoked_token(api: Api, stranger: Browser) -> None:
    """A token that is revoked while one works says so, too."""
    token = await create_token(api.world.app, "left", Permission.ADMIN)
    await stranger.sign_in(token)
    await ApiToken.filter(digest=token_digest(token)).update(revoked_at=datetime.now(UTC))
    answer = await stranger.get("/console/users")
    page = await stranger.get(answer.location)

    assert answer.location == "/console/sign-in?next=%2Fconsole%2Fusers&why=refused"
    assert "Your token does not work any more." in page.text


async def test_what_was_typed_is_kept(api: Api, stranger: Browser) -> None:
    """A form that was sent without a valid token can be sent again after signing in."""
    refused = await stranger.post("/console/api", {"query": "{ viewer { tokenName } }"})
    resumed = {"resume": "/console/api", "resumed-query": "{ viewer { tokenName } }"}
    answer = await stranger.post("/console/sign-in", {"token": api.world.admin, **resumed})

    assert 'name="resumed-query" value="{ viewer { tokenName } }"' in refused.text
    assert (answer.status, "Set-Cookie" in answer.headers) == (200, True)
    assert '<form method="post" action="/console/api">' in answer.text
    assert '<input type="hidden" name="query" value="{ viewer { tokenName } }">' in answer.text


async def test_sign_out(admin: Browser) -> None:
    """After signing out, the cookie is gone."""
    answer = await admin.post("/console/sign-out")
    after = await admin.get("/console/imports")

    assert answer.location == "/console/sign-in?why=signed-out"
    assert after.status == 303


async def test_a_link_in_a_mail(admin: Browser) -> None:
    """A link on another site comes without the cookie; the page then asks again from itself."""
    admin.http.cookie_jar.clear()
    answer = await admin.get("/console/imports", Sec_Fetch_Site="cross-site")

    assert answer.status == 200
    assert '<meta http-equiv="refresh" content="0">' in answer.text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/console/users?search=x", "/console/users?search=x"),
        ("http://127.0.0.1:8000/console/users", "/console/users"),
        ("//evil.example/console/users", None),
        ("/console/\\evil.example", None),
        ("https://evil.example/", None),
        ("/graphql", None),
        ("javascript:alert(1)//console/", None),
        ("", None),
    ],
)
def test_leads_nowhere_else(text: str, path: str | None) -> None:
    """After signing in, only pages of the console follow."""
    assert _own_path(text, "/console") == path
