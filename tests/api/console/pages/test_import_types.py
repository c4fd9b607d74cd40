"""The import types: complete, and safe whatever plugins say."""

from __future__ import annotations

import re

from importers.plugins.plugin_status import PluginStatus
from tests.api.api_fixture import Api
from tests.api.console.browser import Browser
from tests.api.third_party_plugins import (
    HOSTILE,
    Hostile,
    HostileValidator,
    Mute,
    Nonsense,
    Roster,
    Walls,
    offering,
    registry_of,
)
from tests.importers.reading.isolated.hostile_readers import Lines
from tests.importers.sdk.test_setting import titled

BROKEN = PluginStatus(kind="importer", name="broken", state="broken", problems=("secret",))


async def test_a_type(viewer: Browser) -> None:
    """A type comes with its columns, its sample, and both files to download."""
    page = (await viewer.get("/console/types")).text
    [section] = re.findall(r'<section id="assign">(.*?)</section>', page, re.DOTALL)

    assert '<code><bdi dir="auto">case_role_id</bdi></code>' in section
    assert 'href="/console/files/samples/assign_sample.csv"' in section
    assert 'href="/console/files/samples/assign_sample.csv?format=xlsx"' in section
    assert "case_id,user_id,case_role_order,case_role_id,case_notify" in section


async def test_hostile_plugin(api: Api, admin: Browser) -> None:
    """Whatever a plugin says is text, wherever it stands on the page."""
    registry = registry_of(Hostile(HOSTILE), validators=[HostileValidator(HOSTILE)])
    with offering(api.server, registry):
        page = (await admin.get("/console/types")).text

    assert "<script>" not in page
    assert not re.findall(r"<[^>]+\son\w+=", page)
    assert page.count("&lt;script&gt;") > 3


async def test_nonsense(api: Api, admin: Browser) -> None:
    """A plugin that can't say what it is has a place on the page, as have the others."""
    registry = registry_of(Nonsense("nonsense"), Mute("mute"), Roster("roster"))
    with offering(api.server, registry):
        page = (await admin.get("/console/types")).text

    assert [f'<section id="{key}">' in page for key in ("nonsense", "mute", "roster")] == [True] * 3
    assert "mute_sample.csv" not in page


async def test_broken_plugins(api: Api, admin: Browser, viewer: Browser) -> None:
    """Admins see what is broken, and why; others only that it is."""
    registry = registry_of(Roster("roster"), validators=[Walls("walls")], more=[BROKEN])
    with offering(api.server, registry):
        shown, hidden = [(await each.get("/console/types")).text for each in (admin, viewer)]

    assert "broken is broken" in shown
    assert "secret" in shown
    assert "secret" not in hidden
    assert "Keep walls between teams." in hidden


async def test_readers(api: Api, viewer: Browser) -> None:
    """What other formats a file may have is said once, for all types."""
    with offering(api.server, registry_of(Roster("roster"), readers=[Lines("lines")])):
        page = (await viewer.get("/console/types")).text
    [section] = re.findall(r'<section id="formats">(.*?)</section>', page, re.DOTALL)

    assert "<code>lines</code>" in section
    assert "Reads JSON arrays" in section


async def test_choices_of_settings(api: Api, admin: Browser) -> None:
    """The words of a setting are listed, and what stands between several of them."""
    with offering(api.server, registry_of(titled())):
        pages = [(await admin.get(f"/console/{each}")).text for each in ("types", "imports/new")]

    assert [page.count("Any of: en, de, with ; between them.") for page in pages] == [1, 1]
    assert "One of: Dr., Prof." in pages[1]


async def test_nothing_is_on(api: Api, admin: Browser) -> None:
    """Without plugins there is a page all the same."""
    with offering(api.server, registry_of()):
        page = (await admin.get("/console/types")).text

    assert "No import type is switched on." in page
