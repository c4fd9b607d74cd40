"""The page of import types: complete, alone, and safe whatever plugins say."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest

from api.files.text_workbook import XLSX_TYPE
from api.http.import_types_html import fill, render_types_page
from importers import Importer, RoleRef
from importers.builtin.assign import AssignUsers
from importers.builtin.users_per_case import UsersPerCase
from importers.plugins.plugin_status import PluginStatus
from importers.plugins.registry import MissingValidator
from tests.api.api_fixture import Api
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

PATH = "/docs/import-types"
OFF = PluginStatus(kind="importer", name="switched-off", state="off", problems=("secret",))
BROKEN = PluginStatus(kind="importer", name="broken", state="broken", problems=("secret",))


class Reader(HTMLParser):
    """Reads a page as a browser does: its elements, and the text in each kind of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._inside[-1] if self._inside else "", []).append(data)

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [found[name] for each, found in self.elements if each == tag and name in found]


async def page_of(*importers: Any, **more: Any) -> str:
    return await render_types_page(registry_of(*importers, **more))


def rows(page: str) -> list[list[str]]:
    """Return the text of each cell of each row of the tables."""
    found = re.findall(r"<tr>(.*?)</tr>", page)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]
    return [[re.sub("<[^>]+>", "", cell).strip() for cell in row] for row in cells]


async def test_a_type() -> None:
    """A type comes with its columns and its sample, which can be copied and downloaded."""
    page = await page_of(AssignUsers("assign"))
    reader = Reader(page)
    address, workbook = [each for each in reader.attributes("a", "href") if each and each[0] != "#"]

    assert rows(page) == [
        ["Column", "What goes in", "Example", "Choices"],
        ["case_id required", "Tag ID of the case, or the ID that the API shows for it.",
         "trv-001", ""],
        ["user_id required", "Tag ID of the user, or the ID that the API shows for the user.",
         "jack-001", ""],
        ["case_role_order optional", "Leave this cell blank.", "", ""],
        ["case_role_id required", "What the user is on the case: a role of the app.", "staff",
         "a role of the app"],
        ["case_notify optional", "1 sends the user an e-mail, 0 does not. Blank is 0.", "0",
         "0 1"],
    ]  # fmt: skip
    assert "Assign users to cases " in reader.texts["h2"]
    assert reader.attributes("a", "download") == ["assign_sample.csv", "assign_sample.xlsx"]
    assert unquote(address) == (
        "data:text/csv;charset=utf-8,"
        "case_id,user_id,case_role_order,case_role_id,case_notify\r\ntrv-001,jack-001,,staff,0\r\n"
    )
    media_type, _, content = workbook.partition(";base64,")
    sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(content))).active
    assert sheet
    assert media_type == f"data:{XLSX_TYPE}"
    assert [cell.value for cell in sheet[2]] == ["trv-001", "jack-001", None, "staff", "0"]
    assert (
        "case_id,user_id,case_role_order,case_role_id,case_notify\ntrv-001,jack-001,,staff,0"
        in reader.texts["code"]
    )


async def test_choices_of_ones_own() -> None:
    """Choices that a plugin fixes are listed, and roles are not taken for such."""

    class Mixed(RoleRef):
        def choices_for(self, roles: Any) -> Any:
            return ["nobody", *roles]

    class Seats(Importer):
        label = "Seats"
        seat = RoleRef(choices={"lead": "staff", "guest": "default"})
        other = Mixed()

    found = rows(await page_of(Seats("seats")))

    assert [row[3] for row in found[1:]] == ["lead guest", "nobody or a role of the app"]


async def test_only_what_is_on() -> None:
    """Of plugins that are off or broken the page says nothing."""
    page = await page_of(
        Roster("roster"),
        validators=[Walls("walls"), MissingValidator("gone")],
        more=[OFF, BROKEN],
    )

    assert list(Reader(page).texts["a"]) == [
        "Roster", "Checks", "roster_sample.csv", "roster_sample.xlsx",
    ]  # fmt: skip
    assert "Keep walls between teams." in Reader(page).texts["dd"]
    for word in ("switched-off", "broken", "gone", "secret", "acme"):
        assert word not in page


async def test_nothing_is_on() -> None:
    """Without plugins there is a page all the same."""
    assert "No import type is switched on." in await page_of()


async def test_hostile_plugin() -> None:
    """Whatever a plugin says is text, wherever it stands on the page."""
    page = await page_of(Hostile(HOSTILE), validators=[HostileValidator(HOSTILE)])
    reader = Reader(page)

    assert "<script" not in page
    assert "script" not in {tag for tag, _ in reader.elements}
    assert not [name for _, found in reader.elements for name in found if name.startswith("on")]
    assert {tag for tag, text in reader.texts.items() if any(HOSTILE in each for each in text)} >= {
        "a", "code", "dd", "h2", "p", "td",
    }  # fmt: skip
    assert set(reader.attributes("section", "id")) == {HOSTILE, "validators"}


async def test_nonsense(caplog: pytest.LogCaptureFixture) -> None:
    """A plugin that can't say what it is has a place on the page, as have the others."""
    page = await page_of(Nonsense("nonsense"), Mute("mute"), Roster("roster"))

    assert [row[0] for row in rows(page) if row[0] != "Column"] == [
        "sulking optional", "odd optional", "lone optional", "a optional", "matter required",
        "seat optional",
    ]  # fmt: skip
    assert "mute_sample.csv" not in page
    assert "importer 'nonsense' fails when it is asked for: description" in caplog.text


async def test_it_stands_alone() -> None:
    """The page loads nothing: no address on it leads out of it."""
    page = await page_of(AssignUsers("assign"), validators=[UsersPerCase("users-per-case")])
    reader = Reader(page)
    addresses = [
        value for _, found in reader.elements for key, value in found.items()
        if key in ("href", "src", "action", "srcset", "style")
    ]  # fmt: skip

    starts = ("#", "data:text/csv", f"data:{XLSX_TYPE}")
    assert all(address and address.startswith(starts) for address in addresses)
    assert "://" not in page
    assert "url(" not in page
    assert "@import" not in page
    for tag in ("script", "img", "link", "iframe", "form"):
        assert tag not in {each for each, _ in reader.elements}
    targets = {f"#{each}" for each in reader.attributes("section", "id")}
    assert {each for each in addresses if each and each.startswith("#")} == targets


async def test_served(api: Api) -> None:
    """Anybody can read the page, under a policy that lets nothing run but its own style."""
    status, body, headers = await api.get(PATH, token=None)
    page = body.decode()
    [style] = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Modify users assigned to cases" in page


async def test_other_methods(api: Api) -> None:
    """The page can only be read."""
    async with api.http.head(f"{api.url}{PATH}") as head, api.http.post(f"{api.url}{PATH}") as post:
        assert (head.status, post.status) == (200, 405)
        assert await head.read() == b""


async def test_written_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the page is asked for, plugins are asked once a minute; new ones at once."""
    asked = []

    class Noting(Roster):
        @property
        def description(self) -> str:
            asked.append(self.key)
            return self.key

    with offering(api.server, registry_of(Noting("first"))):
        pages = await asyncio.gather(*[api.get(PATH, token=None) for _ in range(5)])
    monkeypatch.setattr("api.http.import_types_page._KEPT_SECONDS", 0.0)
    with offering(api.server, registry_of(Noting("second"))):
        after = [(await api.get(PATH, token=None))[1] for _ in range(2)]

    assert len({body for _, body, _ in pages}) == 1
    assert all(b"second" in body for body in after)
    assert asked == ["first", "second", "second"]


def test_fill() -> None:
    """Text and attributes are escaped, markup is not escaped again."""
    made = fill(
        '<p class="{sum}">{parts}</p>', sum='"x"', parts=["a<b & ", fill("<b>{c}</b>", c="'c'")]
    )

    assert made == '<p class="&quot;x&quot;">a&lt;b &amp; <b>&#x27;c&#x27;</b></p>'
