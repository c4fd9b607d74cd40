"""What each address of the console asks of a request, whichever page answers it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from starlette.routing import Route

from api.app import create_app
from api.console.routes import console_routes
from tests.api.api_fixture import Api, Server, change_settings
from tests.api.console.browser import Browser

OPEN = {"/", "/console", "/console/", "/console/sign-in", "/console/static/{version}/{name}"}
# What needs no token changes nothing but the visitor's own cookies.
OWN = {"/console/api", "/console/imports/import_id/problems/leave-out"}
OPEN_FORMS = {"/console/sign-in", "/console/sign-out", "/console/language"}


def paths(method: str, but: set[str]) -> list[str]:
    """Return the addresses of a method, with something in each variable part."""
    found = [route for route in console_routes() if isinstance(route, Route)]
    return [
        route.path.replace("{", "").replace("}", "")
        for route in found
        if method in (route.methods or ()) and route.path not in but
    ]


@pytest.mark.parametrize("path", paths("GET", OPEN))
async def test_pages_need_a_token(stranger: Browser, path: str) -> None:
    """Without a token, a page leads to the sign-in form, which leads back."""
    answer = await stranger.get(path)

    assert answer.status == 303
    assert answer.location.startswith("/console/sign-in?next=%2Fconsole%2F")


@pytest.mark.parametrize("path", paths("POST", OPEN_FORMS))
async def test_forms_need_a_token(stranger: Browser, path: str) -> None:
    """Without a token, a form is not carried out; the visitor signs in, and its fields are kept."""
    answer = await stranger.post(path, {"about": "kept"})

    assert answer.status == 401
    assert '<input type="hidden" name="resumed-about" value="kept">' in answer.text


@pytest.mark.parametrize("path", paths("POST", set()))
async def test_forms_of_other_sites(admin: Browser, path: str) -> None:
    """A form that another site sends is refused, whatever the browser says of itself."""
    foreign = {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}
    statuses = [(await admin.post(path, **headers)).status for headers in foreign]

    assert statuses == [403, 403]


@pytest.mark.parametrize("path", paths("POST", OPEN_FORMS))
async def test_viewers_change_nothing(viewer: Browser, path: str) -> None:
    """A form of a token that may only read is refused, in words."""
    answer = await viewer.post(path)

    assert answer.status in (400, 403, 404, 422) or path in OWN


@pytest.mark.parametrize("path", ["nothing", "imports/", "sign-out", "users/new/more"])
async def test_no_such_page(admin: Browser, path: str) -> None:
    """An address that leads nowhere has a page that says so, and leads on."""
    answer = await admin.get(f"/console/{path}")

    assert answer.status == 404
    assert '<h1 tabindex="-1">There is no such page</h1>' in answer.text
    assert '<a href="/console/imports">' in answer.text


async def test_lead_to_imports(stranger: Browser) -> None:
    """The shortest addresses lead to the first screen."""
    places = [(await stranger.get(path)).location for path in ("/", "/console", "/console/")]

    assert places == ["/console/imports"] * 3


async def test_below_a_path(api: Api, stranger: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy that removes a path, all addresses and the cookie begin with that path."""
    change_settings(api, monkeypatch, root_path="/caseroll")
    signed_in = await stranger.sign_in(api.world.admin)
    cookie = {"Cookie": f"caseroll_token={api.world.admin}"}
    page = await stranger.get("/console/imports", **cookie)
    addresses = re.findall(r'(?:href|src|action)="([^"#?][^"]*)"', page.text)

    assert signed_in.location == "/caseroll/console/imports"
    assert "Path=/caseroll/console;" in signed_in.headers["Set-Cookie"]
    assert len(addresses) > 20
    assert [each for each in addresses if not each.startswith("/caseroll/console/")] == []


def test_without_a_console(server: Server) -> None:
    """CASEROLL_CONSOLE=off leaves nothing of it."""
    settings = replace(server.services.settings, has_console=False)
    found = [getattr(route, "path", "") for route in create_app(settings).routes]

    assert "/graphql" in found
    assert [path for path in found if path == "/" or path.startswith("/console")] == []


async def test_old_browser(admin: Browser) -> None:
    """A browser without Sec-Fetch-Site is asked for its Origin; nothing at all is refused."""
    async with (
        admin.http.post(f"{admin._url}/console/language", allow_redirects=False) as silent,
        admin.http.post(
            f"{admin._url}/console/language", headers={"Origin": admin._url}, allow_redirects=False
        ) as own,
        admin.http.post(
            f"{admin._url}/console/language",
            headers={"Origin": "https://evil.example"},
            allow_redirects=False,
        ) as foreign,
    ):
        assert [silent.status, own.status, foreign.status] == [403, 303, 403]


async def test_cookie_opens_the_console_alone(api: Api, admin: Browser) -> None:
    """To the API and its downloads, the console's cookie means nothing."""
    body = {"query": "{ viewer { tokenName } }"}
    cookie = {"Cookie": f"caseroll_token={api.world.admin}"}
    async with admin.http.post(f"{api.url}/graphql", json=body, headers=cookie) as answer:
        assert answer.status == 401
    async with admin.http.get(f"{api.url}/files/samples/assign_sample.csv", headers=cookie) as got:
        assert got.status == 401


async def test_downloads(admin: Browser) -> None:
    """Below the console's path, the cookie opens downloads."""
    answer = await admin.get("/console/files/samples/assign_sample.csv")

    assert (answer.status, answer.text[:8]) == (200, "case_id,")


async def test_headers(admin: Browser) -> None:
    """Pages run no script but ours, load nothing from elsewhere, and are kept by nobody."""
    headers = (await admin.get("/console/imports")).headers

    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["Cache-Control"] == "private, no-store"


async def test_bugs_are_pages(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug shows a page with the number of its entry in the log, and nothing else of itself."""

    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("api.console.pages.imports.page_links", fail)
    answer = await admin.get("/console/imports")

    assert answer.status == 500
    assert "quote incident" in answer.text
    assert "secret" not in answer.text
