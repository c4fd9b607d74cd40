"""The command line as a client, against a hand-made API that can misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from gql import FileVar
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.cli.client import ApiClient, ApiLostError, find_api
from api.cli.failure import RefusedError
from api.cli.folder import DataFolder
from api.cli.import_watch import follow

STATE = {"id": "1", "status": "PROCESSING", "passed": 0, "failed": 0, "errors": []}


class FakeApi:
    """Answers HTTP requests with `answer`, and each connection with the next list of `streams`.

    After that it closes the connection; a patient one waits for the client to do so.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answer: dict[str, Any] = {"data": {}}
        self.status = 200
        self.file = b"x" * 200_000
        self.is_attached = True
        self.streams: list[list[dict[str, Any]]] = []
        self.headers: dict[str, str] = {}
        self.form: dict[str, Any] = {}
        self.init: list[Any] = []
        self.is_patient = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/graphql", self._post, methods=["POST"]),
                Route("/file", self._file),
                WebSocketRoute("/graphql", self._socket),
            ]
        )

    async def _post(self, request: Request) -> Response:
        self.headers = dict(request.headers)
        if request.headers["content-type"].startswith("multipart/"):
            async with request.form() as form:
                self.form = {
                    key: value if isinstance(value, str) else (value.filename, await value.read())
                    for key, value in form.items()
                }
        return JSONResponse(self.answer, status_code=self.status)

    async def _file(self, request: Request) -> Response:
        self.headers = dict(request.headers)
        named = {"Content-Disposition": 'attachment; filename="file"'} if self.is_attached else {}
        return Response(self.file, status_code=self.status, headers=named)

    async def _socket(self, socket: WebSocket) -> None:
        await socket.accept(subprotocol="graphql-transport-ws")
        self.init.append((await socket.receive_json())["payload"])
        await socket.send_json({"type": "connection_ack"})
        number = (await socket.receive_json())["id"]
        events = self.streams.pop(0) if self.streams else []
        for event in events:
            payload = {"data": {"importUpdated": event}}
            await socket.send_json({"type": "next", "id": number, "payload": payload})
        if self.is_patient:
            await socket.receive()
        await socket.close(1012)  # "service restart"


@pytest.fixture
async def fake() -> AsyncIterator[FakeApi]:
    """A fake API that listens on a port of its own."""
    fake = FakeApi()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(fake.app(), log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield fake
        server.should_exit = True
        await task


async def states(api: ApiClient) -> list[str]:
    return [state["status"] async for state in follow(api, "1")]


async def test_upload(fake: FakeApi, tmp_path: Path) -> None:
    """A file goes up as a GraphQL multipart request, with the header that browsers can't forge."""
    file = tmp_path / "May.csv"
    file.write_bytes(b"a,b\r\n")
    await ApiClient(fake.url, "secret").execute(
        "mutation ($file: Upload!) { up(file: $file) { id } }", file=FileVar(str(file))
    )

    assert fake.headers["graphql-preflight"] == "1"
    assert fake.headers["authorization"] == "Bearer secret"
    assert json.loads(fake.form["operations"])["variables"] == {"file": None}
    assert json.loads(fake.form["map"]) == {"0": ["variables.file"]}
    assert fake.form["0"] == ("May.csv", b"a,b\r\n")


@pytest.mark.parametrize("variables", [{}, {"where": {"code": "NOT_FOUND"}, "rows": None}])
async def test_no_upload(fake: FakeApi, variables: dict[str, Any]) -> None:
    """What has no file is no multipart request: tokens that may only read can send it."""
    await ApiClient(fake.url, "secret").execute("{ viewer { tokenName } }", **variables)

    assert fake.headers["content-type"] == "application/json"


async def test_upload_in_an_input(fake: FakeApi, tmp_path: Path) -> None:
    """A file may be anywhere in the variables."""
    file = tmp_path / "May.csv"
    file.write_bytes(b"a,b\r\n")
    document = "mutation ($input: CreateImportInput!) { createImport(input: $input) { id } }"
    await ApiClient(fake.url, "secret").execute(document, input={"file": FileVar(str(file))})

    assert json.loads(fake.form["map"]) == {"0": ["variables.input.file"]}


async def test_follow_to_the_end(fake: FakeApi) -> None:
    """Following ends with the finished state; the token goes along when connecting."""
    fake.streams = [[STATE, {**STATE, "status": "PROCESSED"}]]

    assert await states(ApiClient(fake.url, "secret")) == ["PROCESSING", "PROCESSED"]
    assert fake.init == [{"Authorization": "Bearer secret"}]


async def test_follow_until_held(fake: FakeApi) -> None:
    """An import that is held may wait for days: following ends there, on an open connection."""
    fake.streams = [[STATE, {**STATE, "status": "HELD"}]]
    fake.is_patient = True

    assert await states(ApiClient(fake.url, "secret")) == ["PROCESSING", "HELD"]


async def test_follow_over_a_broken_connection(fake: FakeApi) -> None:
    """A connection that breaks is made again: the first event is the state at that time."""
    fake.streams = [[STATE], [], [STATE, {**STATE, "status": "CANCELLED"}]]

    assert await states(ApiClient(fake.url, "t")) == ["PROCESSING", "PROCESSING", "CANCELLED"]


async def test_follow_gives_up(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that never answers again is reported after several tries."""
    monkeypatch.setattr("api.cli.import_watch._MOST_TRIES", 2)

    with pytest.raises(ApiLostError):
        await states(ApiClient(fake.url, "t"))
    assert len(fake.init) == 3


async def test_api_that_is_not_there() -> None:
    """No API at the URL is an error that names the URL."""
    with pytest.raises(ApiLostError, match=r"http://127\.0\.0\.1:9 can't be reached"):
        await ApiClient("http://127.0.0.1:9", "t").execute("{ viewer { tokenName } }")


async def test_errors_of_the_api(fake: FakeApi) -> None:
    """What the API answers as errors is passed on word for word."""
    fake.answer = {"data": None, "errors": [{"message": "A viewer can't do that."}]}

    with pytest.raises(RefusedError, match=r"^A viewer can't do that\.$"):
        await ApiClient(fake.url, "t").execute("{ viewer { tokenName } }")


async def test_download(fake: FakeApi) -> None:
    """A relative URL is fetched from the API, with the token, block by block."""
    blocks: list[bytes] = []
    await ApiClient(fake.url + "/", "secret").download("/file", blocks.append)

    assert b"".join(blocks) == b"x" * 200_000
    assert len(blocks) > 1
    assert fake.headers["authorization"] == "Bearer secret"


async def test_a_page_in_place_of_a_file(fake: FakeApi) -> None:
    """A proxy's page to sign in is not saved as the file."""
    fake.is_attached, blocks = False, []

    with pytest.raises(RefusedError, match="is not the API: it sent a page"):
        await ApiClient(fake.url, "t").download("/file", blocks.append)
    assert not blocks


async def test_a_file_that_cannot_be_written(fake: FakeApi) -> None:
    """A full disk, or a pipe that nobody reads, is no fault of the API."""

    def write(block: bytes) -> None:
        raise BrokenPipeError(f"not {len(block)} bytes")

    with pytest.raises(BrokenPipeError):
        await ApiClient(fake.url, "t").download("/file", write)


@pytest.mark.parametrize("path", ["", "/", "/graphql", "/graphql/"])
def test_the_url_of_an_api(path: str) -> None:
    """The address that other clients use names the API as well."""
    assert ApiClient(f"https://a.example.org/x{path}", "t").url == "https://a.example.org/x"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b'{"errors": [{"message": "Download the CSV file instead."}]}', "^Download the CSV"),
        (b"<html>", "^the API answered 422 for /file"),
        (b'{"errors": []}', "^the API answered 422 for /file"),
    ],
)
async def test_refused_download(fake: FakeApi, answer: bytes, message: str) -> None:
    """The API's own words say what to do; a proxy's page does not."""
    fake.status, fake.file = 422, answer

    with pytest.raises(RefusedError, match=message):
        await ApiClient(fake.url, "t").download("/file", print)


async def test_ctrl_c_while_watching(fake: FakeApi, tmp_path: Path) -> None:
    """Ctrl-C while watching ends the watching, says so, and ends with exit code 130."""
    file = tmp_path / "May.csv"
    file.write_bytes(b"a,b\r\n")
    fake.answer = {"data": {"createImport": {"import": STATE, "userErrors": [], "warnings": []}}}
    fake.is_patient = True
    command = await asyncio.create_subprocess_exec(
        *[sys.executable, "-P", "-m", "api.cli", "import", str(file), "--type", "x", "--name", "y"],
        env={**os.environ, "CASEROLL_URL": fake.url, "CASEROLL_TOKEN": "t"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    while not fake.init:  # noqa: ASYNC110 - the fake has no event for it
        await asyncio.sleep(0.01)
    command.send_signal(signal.SIGINT)
    output, _ = await command.communicate()

    assert (command.returncode, output.decode().strip()) == (
        130,
        "The import goes on; `caseroll imports` shows how far it is.",
    )


async def test_a_warning_of_an_upload(fake: FakeApi, tmp_path: Path) -> None:
    """What the API warns of is told on stderr, without what a terminal would act upon."""
    file = tmp_path / "May.csv"
    file.write_bytes(b"a,b\r\n")
    warning = {"code": "SAME_FILE", "message": "The same file was imported as 'M\x1b[2Jay'."}
    fake.answer = {
        "data": {"createImport": {"import": STATE, "userErrors": [], "warnings": [warning]}}
    }
    command = await asyncio.create_subprocess_exec(
        *[sys.executable, "-P", "-m", "api.cli", "import", str(file), "--type", "x", "--name", "y"],
        "--no-watch",
        env={**os.environ, "CASEROLL_URL": fake.url, "CASEROLL_TOKEN": "t"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await command.communicate()

    assert (command.returncode, output.decode()) == (0, "1\n")
    assert complaints.decode() == "Warning: The same file was imported as 'M\ufffd[2Jay'.\n"


class TestFindApi:
    """Where the command line looks for the API."""

    @pytest.fixture(autouse=True)
    def _clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CASEROLL_URL", raising=False)
        monkeypatch.delenv("CASEROLL_TOKEN", raising=False)

    def test_local(self, tmp_path: Path) -> None:
        """Beside a local `caseroll up`, its folder says everything."""
        folder = DataFolder(tmp_path)
        folder.write("url", "http://127.0.0.1:8001")
        folder.write("admin.token", "secret")

        assert find_api(folder).url == "http://127.0.0.1:8001"

    def test_environment_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """CASEROLL_URL wins over the folder."""
        folder = DataFolder(tmp_path)
        folder.write("url", "http://127.0.0.1:8001")
        monkeypatch.setenv("CASEROLL_URL", "https://cases.example.org/")
        monkeypatch.setenv("CASEROLL_TOKEN", "secret")

        assert find_api(folder).url == "https://cases.example.org"

    def test_local_token_stays_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The local admin's token is never sent to an API that the environment names."""
        folder = DataFolder(tmp_path)
        folder.write("url", "http://127.0.0.1:8001")
        folder.write("admin.token", "secret")
        monkeypatch.setenv("CASEROLL_URL", "https://cases.example.org")

        with pytest.raises(RefusedError, match="CASEROLL_TOKEN"):
            find_api(folder)

    def test_nothing(self, tmp_path: Path) -> None:
        """Without either, the error says what to do."""
        with pytest.raises(RefusedError, match="caseroll up"):
            find_api(DataFolder(tmp_path / "missing"))
