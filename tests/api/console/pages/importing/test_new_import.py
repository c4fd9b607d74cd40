"""Imports that are made by the form, as browsers send it with and without scripts."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import aiohttp
import pytest

from api.console.pages.refusal import FROM_SCRIPT
from importers.reading.limits import Limits
from models.imports import ImportStatus
from tests.api.api_fixture import ASSIGN, Api, add_import, change_settings, sql
from tests.api.console.browser import OWN, Answer, Browser

NEW = "/console/imports/new"
BEFORE = {"key": "k1", "type": "assign"}
BEHIND = {"name": "May", "then": "rehearse"}
SCRIPT = {FROM_SCRIPT: "console"}


def form(
    before: Mapping[str, str], content: bytes, behind: Mapping[str, str], filename: str = "May.csv"
) -> aiohttp.FormData:
    """Fill in a form with a file between its fields."""
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in before.items():
        data.add_field(name, value)
    data.add_field("file", io.BytesIO(content), filename=filename, content_type="text/csv")
    for name, value in behind.items():
        data.add_field(name, value)
    return data


async def send(
    api: Api, browser: Browser, data: aiohttp.FormData, path: str = NEW, **headers: str
) -> Answer:
    """Send the form, and follow no redirect."""
    async with browser.http.post(
        f"{api.url}{path}", data=data, headers={**OWN, **headers}, allow_redirects=False
    ) as got:
        return Answer(got.status, await got.text(), got.headers)


async def stored(api: Api) -> list[tuple[str, bool, str]]:
    """Return name, dry run and source of all imports."""
    rows = await sql("fetch", "SELECT name, is_dry_run, source FROM imports ORDER BY id")
    return [tuple(row) for row in rows]


async def test_without_scripts(api: Api, admin: Browser) -> None:
    """The page's order puts the name behind the file; the answer leads to the import."""
    answer = await send(api, admin, form(BEFORE, ASSIGN, BEHIND))

    assert answer.status == 303
    assert re.fullmatch(r"/console/imports/[\w=%-]+", answer.location)
    assert await stored(api) == [("May", True, "console")]


async def test_with_scripts(api: Api, admin: Browser) -> None:
    """A script is told the address, and does not load the page twice."""
    fields = BEFORE | BEHIND | {"then": "run"}
    answer = await send(api, admin, form(fields, ASSIGN, {}), **SCRIPT)

    assert (answer.status, answer.text) == (201, "")
    assert answer.location.startswith("/console/imports/")
    assert await stored(api) == [("May", False, "console")]


async def test_a_double_click(api: Api, admin: Browser) -> None:
    """The same form twice is one import, with either button another one."""
    answers = [await send(api, admin, form(BEFORE, ASSIGN, BEHIND)) for _ in range(2)]
    named = BEHIND | {"name": "Other"}
    other = await send(api, admin, form(BEFORE, ASSIGN, named | {"then": "run"}))

    assert answers[0].location == answers[1].location != other.location
    assert [name for name, _, _ in await stored(api)] == ["May", "Other"]


async def test_errors_stand_at_their_fields(api: Api, admin: Browser) -> None:
    """What was typed stays, and the first field that is wrong has the focus."""
    await add_import(api.world.app, "May", ImportStatus.QUEUED)
    wrong = ASSIGN.replace(b"case_id", b"case_idd")
    answer = await send(api, admin, form(BEFORE | {"notify": "x"}, wrong, BEHIND))

    assert answer.status == 422
    for field in ("file", "name", "notify"):
        assert re.search(
            rf'<p class="problem" id="problem-{field}"><span>[^<]+</span>', answer.text
        )
    assert re.findall(r'id="(\w+)"[^>]* autofocus', answer.text) == ["notify"]
    assert 'value="assign" required checked' in answer.text
    assert 'name="name" required maxlength="200" value="May"' in answer.text
    assert len(await stored(api)) == 1


async def test_too_large(api: Api, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body over the limit is refused on the form, with what has come of it."""
    change_settings(api, monkeypatch, limits=Limits(max_bytes=1_000), max_request_bytes=100)
    answer = await send(api, admin, form(BEFORE, ASSIGN * 100, BEHIND))

    assert answer.status == 413
    assert "The request is larger than" in answer.text


async def test_an_encoding_is_missing(api: Api, admin: Browser) -> None:
    """Without scripts, the options are open where the answer is to be given."""
    content = ASSIGN.replace(b"user", "jüngst".encode("windows-1252"))
    answer = await send(api, admin, form(BEFORE, content, BEHIND))

    assert answer.status == 422
    assert "say which encoding it has, for example windows-1252." in answer.text
    assert '<details class="options" open>' in answer.text


async def test_no_file(api: Api, admin: Browser) -> None:
    """A form without its file says so at the field."""
    data = aiohttp.FormData(BEFORE | BEHIND, default_to_multipart=True)
    answer = await send(api, admin, data)

    assert answer.status == 422
    assert '<p class="problem" id="problem-file"><span>Choose a file.</span>' in answer.text


async def test_the_same_file_again(api: Api, admin: Browser) -> None:
    """A file that has run leads to a page that says so; not where that was known, or tried."""
    first = await send(api, admin, form(BEFORE, ASSIGN, BEHIND | {"then": "run"}))
    places = [
        (await send(api, admin, form({**BEFORE, **more}, ASSIGN, {"name": name, "then": then})))
        for name, then, more in (
            ("Two", "run", {}),
            ("Three", "rehearse", {}),
            ("Four", "run", {"again": "yes"}),
        )
    ]
    page = await admin.get(places[0].location)

    assert "same-file" not in first.location
    assert ["same-file" in answer.location for answer in places] == [True, False, False]
    assert page.status == 200
    assert 'imported as “<bdi dir="auto">May</bdi>”' in page.text


async def test_after_signing_in_again(api: Api, admin: Browser) -> None:
    """The fields come back without the file, and the form asks for that alone."""
    answer = await admin.post(NEW, BEFORE | BEHIND | {"atomic": "yes"})

    assert answer.status == 422
    assert "Choose the file again" in answer.text
    assert 'value="May"' in answer.text
    assert re.search(r'name="atomic"[^>]* checked', answer.text)


async def test_a_token_that_has_ended(api: Api, stranger: Browser) -> None:
    """The fields of a form with a file are kept over the sign-in; those of a large one are not."""
    kept = await send(api, stranger, form(BEFORE, ASSIGN, BEHIND))
    lost = await send(api, stranger, form(BEFORE, ASSIGN * 30_000, BEHIND))

    assert (kept.status, lost.status) == (401, 401)
    assert '<input type="hidden" name="resumed-name" value="May">' in kept.text
    assert "what you typed is kept" in kept.text
    assert "what you typed is kept" not in lost.text
    assert "send the form again" in lost.text


async def test_a_viewer(api: Api, viewer: Browser) -> None:
    """A token that may only read sees no form, and its upload is refused."""
    page = await viewer.get(NEW)
    answer = await send(api, viewer, form(BEFORE, ASSIGN, BEHIND))

    assert page.status == 200
    assert 'type="file"' not in page.text
    assert answer.status == 403
    assert await stored(api) == []


async def test_a_type_in_the_address(admin: Browser) -> None:
    """A link can choose the type."""
    page = await admin.get(f"{NEW}?type=remove")

    assert 'value="remove" required checked' in page.text
