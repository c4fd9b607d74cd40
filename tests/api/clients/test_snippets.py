"""The programs of `docs/api.md`: each one is run, over a connection that breaks.

The JavaScript ones need Node and `npm ci --prefix tests/api/clients`, and are skipped without. What
they sent when they last ran is in `sent/`; `test_recorded_requests` sends it again, without Node.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.api_fixture import ASSIGN, Api, add_cases, eventually, sql
from tests.api.clients.recorder import Recorder, recording
from tests.api.websocket_client import subscriber

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
MODULES = HERE / "node_modules"
SENT = HERE / "sent"
_RELAY_TAG = re.compile(r"graphql`\s*\w+ (\w+).*?`", re.DOTALL)


def programs() -> dict[str, str]:
    """Return the programs of the page, by the names in their first lines."""
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:bash|python|js)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    names = [re.match(r"\S+ ([a-z]+\.[a-z]+)", block) for block in blocks]
    return {name[1]: block for name, block in zip(names, blocks, strict=True) if name}


def test_programs_of_the_page() -> None:
    """The page has a program for each client, and what the JavaScript ones send is recorded."""
    assert [*programs()] == ["follow.sh", "follow.py", "socket.js", "apollo.js", "urql.js",
                             "relay.js"]  # fmt: skip
    assert sorted(path.stem for path in SENT.glob("*")) == ["apollo", "hashes", "relay", "urql"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the programs and the file that they upload."""
    for name, text in programs().items():
        (tmp_path / name).write_text(text)
    shutil.copy(HERE / "hashes.js", tmp_path)
    (tmp_path / "assign.csv").write_bytes(ASSIGN)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(MODULES)
    return tmp_path


async def run(api: Api, folder: Path, *command: str) -> tuple[str, Recorder]:
    """Run a program to its end, and end the import once the program has followed it twice."""
    await add_cases(api.world.app, 1)
    environ = {"PATH": os.environ["PATH"], "URL": api.url, "TOKEN": api.world.admin}
    with recording(api.server) as recorder:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        ending = asyncio.create_task(process.communicate())
        try:
            await eventually(lambda: recorder.follows >= 2 or ending.done(), 60)
            await end_import()
            shown = (await asyncio.wait_for(asyncio.shield(ending), 60))[0].decode()
        finally:
            if not ending.done():
                process.kill()
                await ending
    assert process.returncode == 0, shown
    return shown, recorder


async def end_import() -> None:
    """End the import as a worker would."""
    await sql(
        "execute",
        "UPDATE imports SET status = 'PROCESSED', version = version + 1, changed_at = now(),"
        " started_at = now(), finished_at = now(), total = 1, pending = 0, passed = 1",
    )


def check_output(shown: str) -> None:
    """Check that a program has shown a case, and an import before and at its end."""
    assert "case-1" in shown
    assert re.search(r"QUEUED.*PROCESSED", shown, re.DOTALL), shown


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
async def test_curl(api: Api, folder: Path) -> None:
    """The shell's program asks until the import is finished."""
    check_output((await run(api, folder, "bash", "follow.sh"))[0])


async def test_gql(api: Api, folder: Path) -> None:
    """gql's program subscribes again after the connection broke."""
    check_output((await run(api, folder, sys.executable, "follow.py"))[0])


NEEDS_NODE = pytest.mark.skipif(
    not (shutil.which("node") and MODULES.exists()),
    reason="without Node, or without `npm ci --prefix tests/api/clients`",
)


@NEEDS_NODE
@pytest.mark.parametrize("name", ["apollo", "urql", "relay"])
async def test_javascript(api: Api, folder: Path, name: str) -> None:
    """So does each client of JavaScript, and it sends what it sent when it was recorded."""
    if name == "relay":
        await compile_relay(folder)

    shown, recorder = await run(api, folder, "node", f"{name}.js")

    check_output(shown)
    names = {"token": api.world.admin, "import": await import_id(api)}
    assert_recorded(name, recorder.text(**names))


@NEEDS_NODE
async def test_hashes_by_get(api: Api, folder: Path) -> None:
    """Apollo Client and urql ask for hashes by GET, and send the text when they have to."""
    shown, recorder = await run(api, folder, "node", "hashes.js")

    assert shown == "case-1\n" * 4
    assert_recorded("hashes", recorder.text(token=api.world.admin))


def assert_recorded(name: str, sent: str) -> None:
    """Compare what a client sent with the recording; delete that file to record it again."""
    file = SENT / f"{name}.json"
    if not file.exists():
        file.write_text(sent, encoding="utf-8")
    assert sent == read(file)


async def compile_relay(folder: Path) -> None:
    """Compile the tagged texts, and put what the compiler wrote in their places, as Babel does."""
    config = {"src": ".", "schema": "schema.graphql", "language": "javascript",
              "eagerEsModules": True}  # fmt: skip
    (folder / "relay.json").write_text(json.dumps(config))
    shutil.copy(ROOT / "docs/schema.graphql", folder)
    compiler = MODULES / "relay-compiler/cli.js"
    process = await asyncio.create_subprocess_exec("node", compiler, "relay.json", cwd=folder)
    assert await process.wait() == 0
    text = (folder / "relay.js").read_text()
    imports = [f'import {name} from "./__generated__/{name}.graphql.js";\n'
               for name in _RELAY_TAG.findall(text)]  # fmt: skip
    (folder / "relay.js").write_text("".join(imports) + _RELAY_TAG.sub(r"\1", text))


async def import_id(api: Api) -> str:
    """Return the ID of the only import."""
    data = await api.data("{ imports { edges { node { id } } } }")
    return str(data["imports"]["edges"][0]["node"]["id"])


@pytest.mark.parametrize("file", sorted(SENT.glob("*.json")), ids=lambda path: path.stem)
async def test_recorded_requests(api: Api, file: Path) -> None:
    """What each client sent is answered; only an unknown hash is an error, and it recovers."""
    await add_cases(api.world.app, 1)
    recorded = json.loads(read(file).replace("{token}", api.world.admin))

    answers = [await send_again(api, request) for request in recorded["requests"]]
    events = [await follow_again(api, messages) for messages in recorded["sockets"]]

    messages = {error["message"] for each in answers for error in each.get("errors", ())}
    data = {key: value for each in answers for key, value in each.get("data", {}).items()}
    assert messages <= {"PersistedQueryNotFound"}
    assert data["cases"]["edges"][0]["node"]["tagId"] == "case-1"
    assert data.get("createImport", {}).get("userErrors", []) == []
    assert events == ["QUEUED"] * len(events)


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


async def send_again(api: Api, request: dict[str, Any]) -> dict[str, Any]:
    """Send a recorded request."""
    async with api.http.request(
        request["method"],
        api.url + request["path"],
        headers=request["headers"],
        data=request["body"].encode(),
    ) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
    assert response.status == 200, answer
    return answer


async def follow_again(api: Api, messages: list[Any]) -> str:
    """Send recorded messages over a WebSocket, and return the status in its first event."""
    async with subscriber(api) as peer:
        await peer.send(messages[0])
        assert (await peer.receive())["type"] == "connection_ack"
        for message in messages[1:]:
            await peer.send(json.dumps(message).replace("{import}", await import_id(api)))
        data = await peer.next()
    return str(data["importUpdated"]["status"])
