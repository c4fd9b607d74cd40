"""Requests as they should not be: always a clear answer, never a 500."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from api.limits import Patience
from tests.api.api_fixture import (
    ASSIGN,
    CREATE_IMPORT,
    PREFLIGHT,
    Api,
    bearer,
    change_settings,
    multipart,
)

JSON = {"Content-Type": "application/json"}
VIEWER = "{ viewer { tokenName } }"


async def post(api: Api, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    """Post a body and return status and answer."""
    headers = {**bearer(api.world.admin), **headers}
    async with api.http.post(f"{api.url}/graphql", data=body, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"7", 400),
        (b"[]", 400),
        (b'[{"query": "{ viewer { tokenName } }"}]', 400),
        (b"{}", 400),
        (b'{"query": null}', 400),
        (b'{"query": 7}', 400),
        (b'{"query": ""}', 400),
        (b'{"query": "  "}', 400),
        (b'{"query": ["{ viewer }"]}', 400),
        (b'{"query": "{ viewer { tokenName } }", "variables": []}', 400),
        (b'{"query": "{ viewer { tokenName } }", "variables": "{}"}', 400),
        (b'{"query": "{ viewer { tokenName } }", "operationName": 7}', 400),
        (b'{"query": "{ viewer { tokenName } }", "operationName": "no"}', 400),
        (b'{"query": "{ viewer { tokenName } }", "extensions": 7}', 400),
        (b'{"query": "fragment f on Query { viewer { tokenName } }"}', 400),
        (b'{"query": "query a { roles { key } } query b { roles { key } }"}', 200),
        (b'{"query": "subscription { importsUpdated { id } }"}', 400),
        (b"\xff\xfe{}", 400),
        (b'{"query": "\xff"}', 400),
        (b'{"query": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b'{"query":' * 100_000, 400),
        (b"{" * 2_000_000, 413),
        (
            b'{"query": "{ viewer { tokenName } }", "variables": {"x": '
            + b"[" * 900
            + b"]" * 900
            + b"}}",
            200,
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_malformed_json(api: Api, body: bytes, status: int) -> None:
    """A body that is no GraphQL request is answered with what is wrong with it."""
    found, answer = await post(api, io.BytesIO(body), **JSON)

    assert status == found, answer
    assert status == 200 or answer["errors"][0]["message"]
    assert "Traceback" not in json.dumps(answer)


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "}",
        "{ viewer }",
        "{ nothing }",
        "{ viewer { tokenNam } }",
        "{ node(id: 7.5) { id } }",
        "{ cases(first: 99999999999) { totalCount } }",
        "{ cases(first: %s) { totalCount } }" % ("9" * 5_000),
        '{ cases(status: "OPEN") { totalCount } }',
        "query ($x: Nope) { viewer { tokenName } }",
        "query ($x: Int!) { cases(first: $x) { totalCount } }",
        "{ ...f } fragment f on Query { ...f }",
        "{ ...nowhere }",
        "{ " + "a" * 2000 + " }",
        "{" * 400,
        '{ case(by: {tagId: "\\u0000"}) { id } }',
        'mutation { createImport(input: {name: "a", type: "a", file: "x"}) { import { id } } }',
        'mutation { createCase(input: {about: "a", dateOpened: "nonsense"}) { case { id } } }',
    ],
)
async def test_bad_operations(api: Api, query: str) -> None:
    """An operation that can't be executed is the client's fault, says how, and is not masked."""
    result = await api.execute(query)

    codes = {error["extensions"]["code"] for error in result["errors"]}
    assert codes <= {"BAD_REQUEST", "SYNTAX_ERROR", "TOO_COMPLEX"}, result
    assert "Did you mean" not in json.dumps(result)


@pytest.mark.parametrize(
    ("variables", "type_"),
    [
        ({"f": "text"}, "Upload!"),
        ({"f": {"a": 1}}, "Upload!"),
        ({"f": None}, "Upload!"),
        ({"f": [1]}, "[Upload!]!"),
    ],
)
async def test_upload_is_a_file(api: Api, variables: dict[str, Any], type_: str) -> None:
    """Nothing but a file of a multipart request is an Upload."""
    query = (
        f'mutation ($f: {type_}) {{ createImport(input: {{name: "a", type: "assign", file: $f}})'
        " { import { id } } }"
    )

    assert await api.code(query, variables) == "BAD_REQUEST"


def form(
    operations: object = None, places: object = None, parts: tuple[tuple[str, Any], ...] = ()
) -> aiohttp.FormData:
    """Make a multipart body."""
    values = {"name": "a", "type": "assign", "file": None}
    made = multipart(
        {"query": CREATE_IMPORT, "variables": {"input": values}}
        if operations is None
        else operations,
        places,
    )
    for name, content in parts:
        filename = None if isinstance(content, str) else "a.csv"
        made.add_field(name, content, filename=filename)
    return made


FILE = (("0", b"a,b\n"),)


@pytest.mark.parametrize(
    "make",
    [
        lambda: form(None, [], FILE),
        lambda: form(None, None, ()),
        lambda: form(None, "x", FILE),
        lambda: form(None, 7, FILE),
        lambda: form(None, {}, FILE),
        lambda: form(None, {"0": None}, FILE),
        lambda: form(None, {"0": "variables.input.file"}, FILE),
        lambda: form(None, {"0": [7]}, FILE),
        lambda: form(None, {"0": []}, FILE),
        lambda: form(None, {"0": [""]}, FILE),
        lambda: form(None, {"0": ["query"]}, FILE),
        lambda: form(None, {"0": ["query.x"]}, FILE),
        lambda: form(None, {"0": ["variables"]}, FILE),
        lambda: form(None, {"0": ["variables.input.name"]}, FILE),
        lambda: form(None, {"0": ["variables.input.name.x"]}, FILE),
        lambda: form(None, {"0": ["variables.input.nothing"]}, FILE),
        lambda: form(None, {"0": ["variables.input.0"]}, FILE),
        lambda: form({"query": "{}", "variables": {"l": [None]}}, {"0": ["variables.l.9"]}, FILE),
        lambda: form({"query": "{}", "variables": {"l": [None]}}, {"0": ["variables.l.x"]}, FILE),
        lambda: form({"query": "{}", "variables": {"l": [None]}}, {"0": ["variables.l.-1"]}, FILE),
        lambda: form([], None, FILE),
        lambda: form("text", None, FILE),
        lambda: form(None, {"1": ["variables.input.file"]}, FILE),
        lambda: form(None, None, (("0", "a text that poses as a file"),)),
        lambda: form(None, None, (*FILE, ("1", b"another"))),
        lambda: form(None, None, (*FILE, ("1", "text"))),
        lambda: form(None, {"operations": ["variables.input.file"]}, FILE),
        lambda: b"no boundary at all",
    ],
)
async def test_malformed_multipart(api: Api, make: Any) -> None:
    """A multipart body that does not follow the specification is refused, and creates nothing."""
    body = make()
    headers = dict(PREFLIGHT)
    if isinstance(body, bytes):
        headers["Content-Type"] = "multipart/form-data"

    status, answer = await post(api, body, **headers)

    assert status == 400, answer
    assert answer["errors"][0]["message"]
    assert await api.data("{ imports { totalCount } }") == {"imports": {"totalCount": 0}}


async def test_multipart_is_cut_off(api: Api) -> None:
    """A multipart body that ends in the middle is refused."""
    body = b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}'
    headers = {**PREFLIGHT, "Content-Type": "multipart/form-data; boundary=x"}

    status, _ = await post(api, body, **headers)

    assert status == 400


@pytest.mark.parametrize(
    "header",
    [
        "GraphQL-Preflight",
        "Apollo-Require-Preflight",
        "X-Apollo-Operation-Name",
        "X-Requested-With",
    ],
)
async def test_preflight(api: Api, header: str) -> None:
    """A multipart request needs a header that no form of another site can send."""
    with_it, answer = await post(api, form(parts=FILE), **{header: "1"})
    without, refusal = await post(api, form(parts=FILE))

    assert (with_it, without) == (200, 400), answer
    assert "GraphQL-Preflight" in refusal["errors"][0]["message"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/graphql", 415),
    ],
)
async def test_content_types(api: Api, content_type: str, status: int) -> None:
    """JSON is what is read, and what a plain form of another site can send is not."""
    body = json.dumps({"query": VIEWER}).encode()

    assert status == (await post(api, body, **{"Content-Type": content_type}))[0]


async def test_other_paths(api: Api) -> None:
    """Who mistypes the path, by a slash at its end perhaps, is told it."""
    status, body, _ = await api.get("/graphql/", None)

    assert status == 404
    assert b"NOT_FOUND" in body
    assert b"the API is at /graphql." in body


@pytest.mark.parametrize(("encoding", "status"), [("Identity", 200), ("gzip", 415), ("br", 415)])
async def test_content_encodings(api: Api, encoding: str, status: int) -> None:
    """A compressed body is refused in words, instead of as bad JSON."""
    body = json.dumps({"query": VIEWER}).encode()

    about = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = await post(api, body, **about)

    assert answer[0] == status
    assert ("Content-Encoding" in str(answer[1])) == (status == 415)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods(api: Api, method: str) -> None:
    """Other methods than GET and POST get 405, and are told which there are."""
    async with api.http.request(
        method, f"{api.url}/graphql?query={{viewer{{tokenName}}}}", headers=bearer(api.world.admin)
    ) as response:
        body = await response.json()

    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert body["errors"][0]["message"] == "This path takes GET, HEAD, POST."
    assert body["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


async def get(
    api: Api, token: str | None = None, method: str = "GET", **parameters: str
) -> tuple[int, bytes, Mapping[str, str]]:
    """Ask by a URL; return status, body and headers."""
    async with api.http.request(
        method, f"{api.url}/graphql", params=parameters, headers=bearer(token or api.world.admin)
    ) as response:
        return response.status, await response.read(), response.headers


async def test_query_by_get(api: Api) -> None:
    """A query may be asked by GET, with variables and a name, and no cache may keep the answer."""
    query = "query a { roles { key } } query b($x: Int) { cases(first: $x) { totalCount } }"
    status, body, headers = await get(api, query=query, variables='{"x": 1}', operationName="b")

    assert (status, json.loads(body)) == (200, {"data": {"cases": {"totalCount": 0}}})
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_head_of_a_query(api: Api) -> None:
    """HEAD is answered as GET is, without the body."""
    heads = [
        (status, {k: v for k, v in headers.items() if k != "Date"})
        for status, _, headers in [
            await get(api, method=method, query=VIEWER) for method in ("GET", "HEAD")
        ]
    ]

    assert heads[0] == heads[1]
    assert heads[0][0] == 200


@pytest.mark.parametrize(
    "query",
    [
        'mutation { createCase(input: {about: "a"}) { case { id } } }',
        "subscription { importsUpdated { id } }",
    ],
)
async def test_get_changes_nothing(api: Api, query: str) -> None:
    """Whatever is no query is refused by GET, as a link may be followed by anything."""
    status, body, headers = await get(api, query=query)

    assert (status, headers["Allow"]) == (405, "POST")
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert await api.data("{ cases { totalCount } }") == {"cases": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 400),
        ({"query": ""}, 400),
        ({"query": "{ nothing }"}, 200),
        ({"query": VIEWER, "variables": "[]"}, 400),
        ({"query": VIEWER, "variables": "{"}, 400),
        ({"query": VIEWER, "extensions": "7"}, 400),
        ({"query": VIEWER, "operationName": "no"}, 400),
        ({"query": "query a " + VIEWER + " mutation b { x }", "operationName": "b"}, 405),
    ],
)
async def test_malformed_get(api: Api, parameters: dict[str, str], status: int) -> None:
    """A URL is held to the same rules as a body."""
    found, body, _ = await get(api, **parameters)

    assert found == status
    assert json.loads(body)["errors"]


async def test_get_needs_a_token(api: Api) -> None:
    """By GET as by POST, nothing is answered without a valid token, and all requests count."""
    async with api.http.get(f"{api.url}/graphql", params={"query": VIEWER}) as response:
        assert response.status == 401
    limit = (await api.quota()).rate
    before = limit._left
    await get(api, query=VIEWER)

    assert limit._left < before


def persisted(query: str) -> dict[str, Any]:
    """Name a query as Apollo and urql do."""
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}


NOT_FOUND = {
    "errors": [
        {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    ]
}


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_persisted_query(api: Api, accept: str) -> None:
    """A client sends a hash; if it is unknown, the text as well; and then the hash alone."""
    named = persisted(VIEWER)
    answers = [
        await post(api, json.dumps(body).encode(), Accept=accept, **JSON)
        for body in (named, {**named, "query": VIEWER}, named)
    ]

    good = (200, {"data": {"viewer": {"tokenName": "admin"}}})
    assert answers == [(200, NOT_FOUND), good, good]


async def test_persisted_query_by_get(api: Api) -> None:
    """A hash may come by GET, also of a text that came by POST; a mutation may not."""
    mutation = 'mutation { createCase(input: {about: "a"}) { userErrors { code } } }'
    for query in (VIEWER, mutation):
        await post(api, json.dumps({**persisted(query), "query": query}).encode(), **JSON)
    extensions, unknown, other = (
        json.dumps(persisted(query)["extensions"]) for query in (VIEWER, "{ a }", mutation)
    )

    assert json.loads((await get(api, extensions=extensions))[1])["data"]
    assert json.loads((await get(api, extensions=unknown))[1]) == NOT_FOUND
    assert (await get(api, extensions=other))[0] == 405


async def test_persisted_queries_of_another_token(api: Api) -> None:
    """A token knows no other token's queries."""
    await post(api, json.dumps({**persisted(VIEWER), "query": VIEWER}).encode(), **JSON)

    _, answer = await post(
        api, json.dumps(persisted(VIEWER)).encode(), **JSON, **bearer(api.world.viewer)
    )

    assert answer == NOT_FOUND


async def test_wrong_hash_of_a_query(api: Api) -> None:
    """A text that comes under another's hash is refused, and never found under it."""
    wrong = {**persisted(VIEWER), "query": "{ roles { key } }"}

    assert (await post(api, json.dumps(wrong).encode(), **JSON))[0] == 400
    assert await post(api, json.dumps(persisted(VIEWER)).encode(), **JSON) == (200, NOT_FOUND)


async def test_persisted_upload(api: Api) -> None:
    """An upload may name its mutation by a hash, too."""
    await post(
        api, json.dumps({**persisted(CREATE_IMPORT), "query": CREATE_IMPORT}).encode(), **JSON
    )
    values = {"name": "a", "type": "assign", "file": None}
    body = form({**persisted(CREATE_IMPORT), "variables": {"input": values}})
    body.add_field("0", ASSIGN, filename="a.csv")

    _, answer = await post(api, body, **PREFLIGHT)

    assert answer["data"]["createImport"]["userErrors"] == []


async def test_two_tokens(api: Api) -> None:
    """A request with two Authorization headers is refused, whichever comes first."""
    for tokens in ((api.world.admin, "x"), ("x", api.world.admin), (api.world.admin,) * 2):
        headers = [("Authorization", f"Bearer {token}") for token in tokens]
        async with api.http.post(
            f"{api.url}/graphql", json={"query": VIEWER}, headers=headers
        ) as response:
            body = await response.json()

        assert (response.status, body["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_answers_are_private(api: Api) -> None:
    """No cache keeps an answer, and no browser takes it for something else."""
    headers = bearer(api.world.admin)
    async with api.http.post(
        f"{api.url}/graphql", json={"query": VIEWER}, headers=headers
    ) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_person(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that opens the address is led to the console, if there is one; a query is run."""
    headers = {"Accept": "text/html,*/*;q=0.8"}

    async def ask(query: str) -> int:
        async with api.http.get(
            f"{api.url}/graphql{query}", headers=headers, allow_redirects=False
        ) as response:
            return response.status

    led, asked = await ask(""), await ask("?query={roles{key}}")
    change_settings(api, monkeypatch, has_console=False)

    assert [led, asked, await ask("")] == [303, 401, 401]


async def test_unknown_paths(api: Api) -> None:
    """There is nothing else here: no GraphiQL, no redirects; also told in JSON."""
    for path in ("/graphql/", "/graphiql", "/files/imports/", "/files/imports/a/b/c"):
        status, body, headers = await api.get(path)
        assert (status, headers["Content-Type"].partition(";")[0]) == (404, "application/json")
        assert b"NOT_FOUND" in body


@pytest.mark.parametrize(
    ("accept", "query", "status", "media_type"),
    [
        ("application/json", VIEWER, 200, "application/json"),
        ("*/*", VIEWER, 200, "application/json"),
        ("application/json", "{ nothing }", 200, "application/json"),
        ("application/graphql-response+json", VIEWER, 200, "application/graphql-response+json"),
        (
            "application/graphql-response+json, application/json;q=0.9",
            "{ nothing }",
            400,
            "application/graphql-response+json",
        ),
        ("application/graphql-response+json", "{", 400, "application/graphql-response+json"),
        (
            "application/graphql-response+json",
            "{ cases(first: -1) { totalCount } }",
            200,
            "application/graphql-response+json",
        ),
        ("text/event-stream, application/json", VIEWER, 200, "application/json"),
        ("text/event-stream", VIEWER, 406, "application/json"),
        ("Application/JSON;q=0.5", "{ nothing }", 200, "application/json"),
    ],
)
async def test_media_types(
    api: Api, *, accept: str, query: str, status: int, media_type: str
) -> None:
    """Under the newer media type, a request that was not executed is 400 and has no data."""
    headers = {**bearer(api.world.admin), "Accept": accept}
    async with api.http.post(
        f"{api.url}/graphql", json={"query": query}, headers=headers
    ) as response:
        body = await response.json(content_type=None)

    assert (status, media_type) == (
        response.status,
        response.headers["Content-Type"].partition(";")[0],
    )
    assert (status == 200 and query != "{ nothing }") == ("data" in body)
    assert "data" in body or body["errors"][0]["message"]


async def test_bug_is_masked(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug's text stays here; the client gets the id of the log entry that has it."""

    def fail(*_: object) -> None:
        raise ValueError("the secret of the inside")

    monkeypatch.setattr("api.schema.viewer.Viewer.of", fail)
    with caplog.at_level(logging.ERROR):
        result = await api.execute(VIEWER)

    [error] = result["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(result)
    assert error["extensions"]["incident"] in caplog.text
    assert "the secret of the inside" in caplog.text


async def test_error_outside_graphql_is_masked(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug outside of a resolver is told as JSON without its text."""

    def fail(*_: object) -> None:
        raise ValueError("the secret of the inside")

    monkeypatch.setattr("api.http.graphql_http.Context", fail)
    with caplog.at_level(logging.CRITICAL):
        status, answer = await post(api, json.dumps({"query": VIEWER}), **JSON)

    assert status == 500
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(answer)


async def test_client_that_leaves(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """A client that leaves in the middle of its request is no error."""
    host, port = api.url.removeprefix("http://").split(":")
    with caplog.at_level(logging.WARNING):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.world.admin}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{".encode()
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)

    assert caplog.text == ""


async def test_answer_while_the_client_is_sending(api: Api) -> None:
    """Whoever sends too much is not cut off, so that the answer arrives, whatever is on its way."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.world.admin}\r\n"
        "Content-Type: application/json\r\nContent-Length: 3000000\r\n\r\n".encode()
    )
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
    writer.write(b"{" * 3_000_000)
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    following = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"HTTP/1.1 200 " in following


async def test_request_that_outlasts_the_server(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """A request that a stopping server does not wait for any longer is told so, and not logged."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.world.admin}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{".encode()
    )
    await asyncio.sleep(0.2)
    with caplog.at_level(logging.WARNING):
        for task in asyncio.all_tasks():
            if "run_asgi" in repr(task.get_coro()):
                task.cancel("as uvicorn does")
        answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"STOPPING" in answer
    assert caplog.text == ""


async def test_client_that_stops(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops sending in the middle of its request is not waited for."""
    change_settings(api, monkeypatch, patience=Patience(idle_seconds=0.2))
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.world.admin}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{".encode()
    )

    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"TIMEOUT" in answer
