"""Live parts: a subscription's events, rendered and sent to each visitor who watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest

from api.console import live
from models.app import ApiToken
from tests.api.api_fixture import ASSIGN, Api, eventually
from tests.api.console.browser import Browser


@asynccontextmanager
async def watching(
    browser: Browser, url: str, language: str = "en"
) -> AsyncIterator[aiohttp.StreamReader]:
    """Open the stream of all imports, and wait until it is open."""
    headers = {"Accept": "text/event-stream", "Accept-Language": language}
    async with browser.http.get(f"{url}/console/imports/live", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert await answer.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
        yield answer.content


async def next_event(stream: aiohttp.StreamReader) -> str:
    """Read an event; comments keep connections open, and say nothing."""
    async with asyncio.timeout(10):
        while (event := (await stream.readuntil(b"\n\n")).decode()).startswith(":"):
            pass
    return event


async def test_change(api: Api, admin: Browser) -> None:
    """A change comes as the parts of the page that show it."""
    async with watching(admin, api.url) as stream:
        await eventually(lambda: api.server.services.hub.subscribers == 1)
        uploaded = (await api.upload(ASSIGN))["import"]
        event = await next_event(stream)

    assert event.startswith("event: fragment\ndata: ")
    assert f'<tr id="import-{uploaded["id"]}" data-status="QUEUED">' in event
    assert all(line.startswith(("event: ", "data: ")) for line in event.strip().splitlines())


async def test_rendered_once(api: Api, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many watch, an event is rendered once for all who see the same."""
    rendered = []
    render = live.render

    def count(*args: object, **values: object) -> str:
        rendered.append(args)
        return render(*args, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(live, "render", count)
    async with watching(admin, api.url) as one, watching(admin, api.url) as two:
        await eventually(lambda: api.server.services.hub.subscribers == 2)
        await api.upload(ASSIGN)
        events = [await next_event(one), await next_event(two)]

    assert events[0] == events[1]
    assert len(rendered) == 1


async def test_in_two_languages(api: Api, admin: Browser) -> None:
    """Each visitor gets an event in the language of the page, also in what the API says."""
    async with watching(admin, api.url) as one, watching(admin, api.url, "es") as two:
        await eventually(lambda: api.server.services.hub.subscribers == 2)
        await api.upload(ASSIGN)
        english, spanish = await next_event(one), await next_event(two)

    assert "Assign users to cases" in english
    assert "Asignar usuarios a casos" in spanish


async def test_token_ends(api: Api, admin: Browser) -> None:
    """When the token is revoked, the page hears that it is signed out."""
    async with watching(admin, api.url) as stream:
        await eventually(lambda: api.server.services.hub.subscribers == 1)
        await ApiToken.filter(app_id=api.world.app.id).update(revoked_at=datetime.now(UTC))
        event = await next_event(stream)

    assert event == "event: signed-out\ndata: \n\n"


async def test_nothing_happens(api: Api, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page hears from the server all the same, so that it knows of a lost connection."""
    monkeypatch.setattr(live, "_IDLE_SECONDS", 0.01)
    async with watching(admin, api.url) as stream:
        assert await next_event(stream) == "event: ping\ndata: \n\n"


async def test_too_many_streams(api: Api, admin: Browser) -> None:
    """A stream beyond those that a token may have is refused; none breaks off after its head."""
    quota = await api.quota()
    with quota.sockets.reserve(api.server.services.settings.token.sockets):
        answer = await admin.get("/console/imports/live", Accept="text/event-stream")

    assert answer.status == 429
    assert "end one first" in answer.text


async def test_viewer_leaves(api: Api, admin: Browser) -> None:
    """Of a visitor who has left, nothing stays."""
    async with watching(admin, api.url):
        await eventually(lambda: api.server.services.hub.subscribers == 1)
    quota = await api.quota()
    await eventually(lambda: api.server.services.hub.subscribers == 0)

    assert (quota.sockets.taken, quota.subscriptions.taken) == (0, 0)


async def test_the_server_stops(api: Api, admin: Browser) -> None:
    """A server that stops closes streams, which would never end; it does not wait for them."""
    async with watching(admin, api.url) as stream:
        await eventually(lambda: api.server.services.hub.subscribers == 1)
        for connection in set(api.server.connections):
            connection.shutdown()
        with pytest.raises(aiohttp.ClientPayloadError):
            await stream.read()

    await eventually(lambda: api.server.services.hub.subscribers == 0)
