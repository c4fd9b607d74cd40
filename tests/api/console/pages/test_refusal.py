"""What a visitor sees when the server could not carry a form out."""

from __future__ import annotations

import re
from typing import NoReturn

import pytest

from api.access.authentication import unavailable
from api.console.visit import Visit
from api.errors import HttpError
from tests.api.api_fixture import sql
from tests.api.console.browser import Answer, Browser

CASE = {"about": 'A <case> & "more"', "tagId": "kept-1", "was-status": ["ACTIVE", "x"]}
PATH = "/console/cases/new?from=list"


def break_off(monkeypatch: pytest.MonkeyPatch, error: HttpError) -> None:
    """Let each operation fail."""

    async def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(Visit, "run", fail)


def kept(answer: Answer) -> list[tuple[str, str]]:
    """Return the fields that would be sent again."""
    return re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', answer.text)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (unavailable(), "look before you send it again"),
        (HttpError(429, "TOO_MANY_REQUESTS", "Too many."), "Nothing was carried out"),
    ],
)
async def test_send_again(
    admin: Browser, monkeypatch: pytest.MonkeyPatch, error: HttpError, said: str
) -> None:
    """What was typed is kept, whether or not the page had read it, and sent again by a button."""
    with monkeypatch.context() as broken:
        break_off(broken, error)
        refused = await admin.post(PATH, CASE)
    fields = dict(kept(refused))
    again = await admin.post(PATH, {"about": CASE["about"], "tagId": fields["tagId"]})

    assert (refused.status, said in refused.text) == (error.status, True)
    assert f'<form method="post" action="{PATH}"' in refused.text
    assert kept(refused) == [
        ("about", "A &lt;case&gt; &amp; &#34;more&#34;"),
        ("tagId", "kept-1"),
        ("was-status", "ACTIVE"),
        ("was-status", "x"),
    ]
    assert again.status == 303
    assert await sql("fetchval", "SELECT count(*) FROM cases WHERE tag_id = 'kept-1'") == 1


async def test_key(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form with an idempotency key is sent with the same one, and so carried out once."""
    break_off(monkeypatch, unavailable())
    refused = await admin.post("/console/imports/SW1wb3J0OjE=/undo", {"key": "same"})

    assert "it is carried out once" in refused.text
    assert kept(refused) == [("key", "same")]


async def test_away_before_it_was_read(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away no token can be looked up; the form is kept all the same."""

    async def fail(*_: object) -> NoReturn:
        raise unavailable()

    monkeypatch.setattr("api.console.routes.open_session", fail)
    refused = await admin.post(PATH, CASE)
    bare = await admin.post("/console/tokens/VG9rZW46MQ==/revoke")
    page = await admin.get("/console/imports")

    assert len(kept(refused)) == 4
    assert (page.status, kept(page)) == (503, [])
    assert "load the page again" in page.text
    assert "Send again" in bare.text
    assert "Send again" not in page.text


async def test_not_kept(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that signs in is in no page, and what another site sends is not sent on."""
    monkeypatch.setattr("api.console.pages.sign_in.context_of", lambda *_: _refuse())
    signed_in = await admin.sign_in("crl_secret")
    foreign = await admin.post(PATH, CASE, Sec_Fetch_Site="cross-site")

    assert (signed_in.status, "crl_secret" in signed_in.text) == (503, False)
    assert "Send again" not in signed_in.text + foreign.text
    assert (foreign.status, kept(foreign)) == (403, [])


def _refuse() -> NoReturn:
    raise unavailable()
