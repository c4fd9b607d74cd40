"""Uploads that are answered before they have arrived."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from api.limits import Patience
from models.imports import ImportStatus
from tests.api.api_fixture import (
    ASSIGN,
    CREATE_IMPORT,
    PREFLIGHT,
    Api,
    add_import,
    bearer,
    change_settings,
    sql,
)

BLOCK = b"case-1,user-1,,staff,0\r\n" * 4_000
WRONG = b"what,ever\r\n" + BLOCK
LENGTH = 50_000_000


class Upload:
    """An upload by hand, which says how long it is and sends as much as a test wants."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, beginning: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._missing = LENGTH
        self._beginning = beginning

    async def send(self, data: bytes) -> None:
        """Send some of the file; the first time with what comes before it."""
        data, self._beginning = self._beginning + data, b""
        self._missing -= len(data)
        self._writer.write(data)
        await self._writer.drain()

    async def send_rest(self) -> None:
        """Send as many bytes as are missing."""
        await self.send(b"x" * self._missing)

    async def answer(self) -> tuple[int, Any]:
        """Read the response: status and body."""
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
        fields = head.decode().lower().split("\r\n")
        length = next(line for line in fields if line.startswith("content-length:"))
        body = await self._reader.readexactly(int(length.partition(":")[2]))
        return int(fields[0].split()[1]), json.loads(body)

    async def is_alive(self) -> bool:
        """Tell whether the connection takes another request."""
        self._writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        return (await self.answer())[0] == 200


@asynccontextmanager
async def upload(api: Api, **values: Any) -> AsyncIterator[Upload]:
    """Begin an upload."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    headers = {**bearer(api.world.admin), **PREFLIGHT, "Content-Length": str(LENGTH)}
    headers["Content-Type"] = "multipart/form-data; boundary=x"
    lines = ["POST /graphql HTTP/1.1", "Host: x", *(f"{n}: {v}" for n, v in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    try:
        yield Upload(reader, writer, beginning(**values))
    finally:
        writer.close()


def beginning(**values: Any) -> bytes:
    """Write what comes before a file: the operation, and where the file belongs."""
    values = {"name": "May", "type": "assign", "file": None, **values}
    operations = json.dumps({"query": CREATE_IMPORT, "variables": {"input": values}})
    return (
        part("operations", operations)
        + part("map", '{"0": ["variables.input.file"]}')
        + part('0"; filename="May.csv', "").removesuffix(b"\r\n")
    )


def part(name: str, content: str) -> bytes:
    """Write one part."""
    return (f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n').encode()


async def stored() -> int:
    """Count the imports."""
    return int(await sql("fetchval", "SELECT count(*) FROM imports"))


@pytest.mark.parametrize(
    ("content", "values", "code"),
    [
        (WRONG, {}, "UNKNOWN_COLUMN"),
        (b"%PDF-1.7" + BLOCK, {}, "NOT_A_TABLE"),
        (ASSIGN + BLOCK, {"type": "nothing"}, "UNKNOWN_TYPE"),
        (ASSIGN + BLOCK, {"name": "running"}, "NAME_TAKEN"),
        (ASSIGN + BLOCK, {"encoding": "klingon"}, "UNKNOWN_ENCODING"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_early_refusal(api: Api, content: bytes, values: dict[str, Any], code: str) -> None:
    """What the beginning shows to be wrong is answered while the rest has yet to be sent."""
    await add_import(api.world.app, "running", ImportStatus.PROCESSING)

    async with upload(api, **values) as sending:
        await sending.send(content)
        status, answer = await sending.answer()

    payload = answer["data"]["createImport"]
    assert (status, payload["import"]) == (200, None)
    assert code in [error["code"] for error in payload["userErrors"]]
    assert await stored() == 1


async def test_wrong_operation(api: Api) -> None:
    """An operation that can't be executed is answered before its file has come."""
    async with upload(api, what="ever") as sending:
        await sending.send(ASSIGN)
        status, answer = await sending.answer()

    assert (status, answer["errors"][0]["extensions"]["code"]) == (200, "BAD_REQUEST")


async def test_bytes_that_spoil_a_good_beginning(api: Api) -> None:
    """The first mebibyte is looked at as a whole, also where the header is good."""
    async with upload(api) as sending:
        await sending.send(ASSIGN + BLOCK)
        await sending.send(b"\xff" * 100 + b"\r\n" + BLOCK * 12)
        _, answer = await sending.answer()

    [error] = answer["data"]["createImport"]["userErrors"]
    assert error["field"] == ["input", "file"]
    assert await stored() == 0


async def test_rest_is_thrown_away(api: Api) -> None:
    """Whoever sends on after the answer is not cut off, and can use the connection again."""
    async with upload(api) as sending:
        await sending.send(WRONG)
        await sending.answer()
        await sending.send_rest()

        assert await sending.is_alive()


async def test_client_that_sends_before_it_reads(api: Api) -> None:
    """A client that reads nothing until it has sent everything gets the refusal too."""

    def send() -> Any:
        connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=30)
        headers = {**bearer(api.world.admin), **PREFLIGHT}
        headers["Content-Type"] = "multipart/form-data; boundary=x"
        body = beginning() + WRONG + BLOCK * 100 + b"\r\n--x--\r\n"
        connection.request("POST", "/graphql", body=body, headers=headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    answer = await asyncio.to_thread(send)

    assert answer["data"]["createImport"]["userErrors"]


async def test_client_that_sends_and_reads_at_once(api: Api) -> None:
    """A client that goes on sending while it is answered gets the refusal."""
    payload = await api.upload(WRONG + BLOCK * 300)

    assert payload["userErrors"]


async def test_file_that_ends_badly(api: Api) -> None:
    """A body that turns out to be malformed after a good file is refused, and creates nothing."""
    async with upload(api) as sending:
        await sending.send(ASSIGN + BLOCK * 30 + b"\r\n" + part('1"; filename="b.csv', "b"))
        status, answer = await sending.answer()

    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert await stored() == 0


async def test_client_that_leaves_within_the_file(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that leaves in the middle of its file is no error, and leaves nothing behind."""
    with caplog.at_level(logging.WARNING):
        async with upload(api) as sending:
            await sending.send(ASSIGN + BLOCK * 30)
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.2)

    assert caplog.text == ""
    assert await stored() == 0


async def test_client_that_stops_within_the_file(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops in the middle of its file is told so, and creates nothing."""
    change_settings(api, monkeypatch, patience=Patience(idle_seconds=0.2))

    async with upload(api) as sending:
        await sending.send(ASSIGN)
        status, answer = await sending.answer()

    assert (status, answer["errors"][0]["extensions"]["code"]) == (408, "TIMEOUT")
    assert await stored() == 0


async def test_upload_that_outlasts_the_server(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """An upload that a stopping server does not wait for any longer is told so."""
    with caplog.at_level(logging.WARNING):
        async with upload(api) as sending:
            await sending.send(ASSIGN + BLOCK)
            await asyncio.sleep(0.2)
            for task in asyncio.all_tasks():
                if "run_asgi" in repr(task.get_coro()):
                    task.cancel("as uvicorn does")
            status, answer = await sending.answer()

    assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "STOPPING")
    assert caplog.text == ""


async def test_large_file_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same upload again is told by its key and its bytes, and its header not looked at."""
    content = ASSIGN + BLOCK * 30
    first = await api.upload(content, idempotencyKey="k")
    monkeypatch.setattr("api.schema.uploads.create_import.match_header", None)

    again = await api.upload(content, idempotencyKey="k")

    assert again["import"]["id"] == first["import"]["id"]


async def test_field_twice(api: Api) -> None:
    """A field that comes twice is refused."""
    async with upload(api) as sending:
        await sending.send(ASSIGN + b"\r\n" + part("map", "{}") + b"--x--")
        status, _ = await sending.answer()

    assert status == 400


async def test_file_before_its_operation(api: Api) -> None:
    """A file that comes before the operation, against the specification, is taken all the same."""
    values = {"name": "May", "type": "assign", "file": None}
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("0", ASSIGN, filename="May.csv")
    form.add_field("map", '{"0": ["variables.input.file"]}')
    form.add_field(
        "operations", json.dumps({"query": CREATE_IMPORT, "variables": {"input": values}})
    )
    headers = {**bearer(api.world.admin), **PREFLIGHT}

    async with api.http.post(f"{api.url}/graphql", data=form, headers=headers) as response:
        answer = await response.json()

    assert answer["data"]["createImport"]["userErrors"] == []
    assert await sql("fetchval", "SELECT data FROM import_file_parts") == ASSIGN
