"""The doors of the web: other sites, methods, incidents, and what every response carries."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.settings import Settings
from tests.api.api_fixture import ASSIGN, Api, Server, add_import, bearer, node_id, serve
from tests.api.websocket_client import PROTOCOL

VIEWER = {"query": "{ viewer { tokenName } }"}
FRIEND = "https://cases.example.org"
APP = "capacitor://localhost"
FOE = "https://evil.example.org"


@pytest.fixture(scope="module")
async def friendly(module_settings: Settings) -> AsyncIterator[Server]:
    """An API that pages of one other site and of an app may use."""
    settings = replace(module_settings, origins=(FRIEND, APP), origin_headers=("X-Request-ID",))
    async with serve(settings) as server:
        yield server


def preflight(
    origin: str, headers: str = "authorization,content-type,graphql-preflight"
) -> dict[str, str]:
    """Return what a browser asks before it sends a token."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": headers,
    }


async def allowed(api: Api, url: str, origin: str) -> str | None:
    """Ask as a browser does; return the origin that may go on."""
    async with api.http.options(f"{url}/graphql", headers=preflight(origin)) as response:
        return response.headers.get("Access-Control-Allow-Origin")


async def test_other_sites(api: Api, friendly: Server) -> None:
    """No page of another site may send a token here, but for those that are named."""
    assert await allowed(api, api.url, FRIEND) is None
    assert await allowed(api, friendly.url, FOE) is None
    assert await allowed(api, friendly.url, FRIEND) == FRIEND


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("traceparent", 200),
        ("tracestate", 200),
        ("baggage", 200),
        ("sentry-trace", 200),
        ("apollographql-client-name", 200),
        ("apollographql-client-version", 200),
        ("x-request-id", 200),
        ("x-other", 400),
    ],
)
async def test_headers_of_other_sites(api: Api, friendly: Server, header: str, status: int) -> None:
    """Pages may send what tracing and clients add by themselves, and what a setting names."""
    headers = preflight(APP, f"authorization,{header}")
    async with api.http.options(f"{friendly.url}/graphql", headers=headers) as response:
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == APP


async def test_answers_to_other_sites(api: Api, friendly: Server) -> None:
    """A named site's page may read the answer, and no browser is told to send cookies along."""
    headers = {**bearer(api.world.admin), "Origin": FRIEND}
    async with api.http.post(f"{friendly.url}/graphql", json=VIEWER, headers=headers) as response:
        assert response.status == 200
        found = response.headers

    assert found["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Credentials" not in found


async def opens(server: Server, origin: str | None) -> bool:
    """Tell whether a page of an origin can open a WebSocket."""
    url = server.url.replace("http://", "ws://") + "/graphql"
    try:
        async with connect(
            url,
            subprotocols=[Subprotocol(PROTOCOL)],
            origin=None if origin is None else Origin(origin),
            proxy=None,
        ):
            return True
    except InvalidStatus as error:
        return not (
            error.response.status_code == 403 and b"CASEROLL_ORIGINS" in error.response.body
        )


@pytest.mark.parametrize("origin", [FOE, f"{FRIEND}.evil.org", "null", "", "file://", "nonsense"])
async def test_sockets_of_other_sites(
    api: Api, friendly: Server, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A WebSocket that a page of another site opens is refused; any page can try, so quietly."""
    with caplog.at_level(logging.WARNING):
        assert not await opens(api.server, origin)
        assert not await opens(friendly, origin)

    assert caplog.text == ""


async def test_sockets_of_named_sites(api: Api, friendly: Server) -> None:
    """A WebSocket of a page of this host, of a named site, or of no page is let in."""
    assert await opens(friendly, FRIEND)
    assert await opens(friendly, APP)
    assert await opens(friendly, friendly.url)
    assert await opens(friendly, None)
    assert not await opens(api.server, FRIEND)


async def test_cookies_mean_nothing(api: Api) -> None:
    """What a browser sends along by itself opens nothing."""
    headers = {"Cookie": f"token={api.world.admin}; Authorization=Bearer {api.world.admin}"}
    async with api.http.post(f"{api.url}/graphql", json=VIEWER, headers=headers) as response:
        assert response.status == 401


async def test_tokens_are_found_by_their_hash(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is looked up by its hash and compared with nothing, so a guess that is right but for
    its end takes no other time than any guess: its hash has nothing in common."""
    asked: list[str] = []

    async def find(_: object, digests: Any) -> dict[str, Any]:
        asked.extend(digests)
        return {}

    monkeypatch.setattr("api.access.authentication.find_tokens", find)
    near = api.world.admin[:-1] + ("a" if api.world.admin[-1] != "a" else "b")
    for token in (api.world.admin, near):
        async with api.http.post(
            f"{api.url}/graphql", json=VIEWER, headers=bearer(token)
        ) as response:
            assert response.status == 401

    assert asked == [
        hashlib.sha256(token.encode()).hexdigest() for token in (api.world.admin, near)
    ]
    assert asked[0][:8] != asked[1][:8]


async def test_tokens_in_urls_mean_nothing(api: Api) -> None:
    """A token in a URL, where logs and histories would keep it, opens nothing."""
    url = f"{api.url}/graphql?token={api.world.admin}&access_token={api.world.admin}"
    async with api.http.post(url, json=VIEWER) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "path",
    ["/graphql", "/files/imports/{import}", "/files/samples/assign_sample.csv", "/health", "/nope"],
)
@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH", "get"],
)
async def test_methods(api: Api, method: str, path: str) -> None:
    """Whatever method comes to whatever path, it is answered, and nothing changes."""
    uploaded = (await api.upload(ASSIGN))["import"]
    path = path.replace("{import}", uploaded["id"])

    async with api.http.request(
        method, api.url + path, headers=bearer(api.world.admin)
    ) as response:
        body = await response.read()

    assert response.status in (200, 400, 404, 405)
    assert response.status != 405 or "GET" in response.headers["Allow"].split(", ")
    assert response.status != 400 or path == "/graphql"  # a GET that asks nothing
    assert response.status != 200 or method in ("GET", "HEAD", "get")
    assert response.status == 200 or response.headers["X-Content-Type-Options"] == "nosniff"
    assert method != "HEAD" or not body


async def test_head_of_a_download(api: Api) -> None:
    """HEAD tells of a file what GET would, and reads none of it."""
    uploaded = (await api.upload(ASSIGN))["import"]
    url = f"{api.url}/files/imports/{uploaded['id']}"
    heads = []
    for method in ("HEAD", "GET"):
        async with api.http.request(method, url, headers=bearer(api.world.admin)) as response:
            await response.read()
            heads.append({k: v for k, v in response.headers.items() if k != "Date"})

    assert heads[0] == heads[1]
    assert heads[0]["Content-Length"] == str(len(ASSIGN))


NAMES = {
    "quotes": 'a";filename=b.html;x=".csv',
    "lines": "a\r\nSet-Cookie: a=b\r\n\r\n<script>.csv",
    "letters": "Üb\u202eersicht\u0000 \U0001f600.csv",
    "folders": "..\\../../etc/passwd.csv",
    "escapes": "a%22%0d%0aX: y.csv",
    "long": "é" * 251 + ".csv",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_file_names_of_attackers(api: Api, name: str) -> None:
    """Whatever a stored file is called, its download is an attachment, in one header line."""
    key = await add_import(api.world.app, file_name=name.replace("\0", ""), file_size=0)

    status, _, headers = await api.get(f"/files/imports/{node_id('Import', key)}")

    found = headers["Content-Disposition"]
    assert status == 200
    assert found.startswith('attachment; filename="')
    assert found.isascii()
    assert found.isprintable()
    assert found.count('"') == 2
    assert "Set-Cookie" not in headers
    assert "X" not in headers


@pytest.mark.parametrize("path", ["/files/samples/assign_sample.csv", "/files/imports/{import}"])
async def test_pages_and_downloads(api: Api, path: str) -> None:
    """Nothing that is sent can run a script, be framed, or pass for another kind of file."""
    uploaded = await api.upload(b"<script>alert(1)</script>,case_id\r\n" + ASSIGN)
    uploaded = (await api.upload(ASSIGN))["import"]

    _, _, headers = await api.get(path.replace("{import}", uploaded["id"]))
    policy = headers["Content-Security-Policy"]

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


async def test_incident_of_any_request(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug outside of GraphQL is masked as well, with the ID of the log's entry."""

    def fail(*_: object) -> None:
        raise ValueError("the secret of the inside")

    monkeypatch.setattr("api.http.downloads.key_of", fail)
    status, body, _ = await api.get("/files/imports/x")
    [error] = json.loads(body)["errors"]

    assert (status, error["extensions"]["code"]) == (500, "INTERNAL")
    assert "secret" not in body.decode()
    assert f"incident {error['extensions']['incident']} at GET /files/imports/x" in caplog.text
    assert "the secret of the inside" in caplog.text


async def test_incident_of_a_socket(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in a connection's own code closes it with such an ID, too."""

    def fail(*_: object) -> Any:
        raise ValueError("the secret of the inside")

    monkeypatch.setattr("api.http.graphql_websocket._authorization", fail)
    url = api.url.replace("http://", "ws://") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol(PROTOCOL)], proxy=None) as socket:
        await socket.send('{"type": "connection_init"}')
        await socket.wait_closed()

    incident = (socket.close_reason or "").partition("incident ")[2][:12]
    assert socket.close_code == 1011
    assert f"incident {incident} at a WebSocket" in caplog.text
