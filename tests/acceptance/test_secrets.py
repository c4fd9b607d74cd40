"""What must never be found in the logs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.acceptance.program import launch
from tests.api.api_fixture import PREFLIGHT, bearer, listen, multipart


class Service(NamedTuple):
    """`caseroll serve`, as in production."""

    url: str
    token: str
    database_url: str
    log: Path


@pytest.fixture
async def service(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that logs into a file, with an app and a token."""
    environ = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with listen() as free:
        port = str(free.getsockname()[1])
    for command in (
        ("app", "create", "one", "One"),
        ("token", "create", "--app", "one", "--name", "t"),
    ):
        with launch(command, stderr=subprocess.DEVNULL, **environ) as popen:
            output, _ = await asyncio.to_thread(popen.communicate, timeout=60)
    log = tmp_path / "log"
    with log.open("w") as file, launch(["serve", "--port", port], stdout=file, **environ) as serve:
        url = f"http://127.0.0.1:{port}"
        await until_ready(url)
        yield Service(url, output.split()[-1], database_url, log)
        serve.terminate()
        await asyncio.to_thread(serve.wait, 30)


async def until_ready(url: str) -> None:
    """Wait until a service answers."""
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            try:
                async with http.get(f"{url}/health"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise AssertionError("it does not answer")


async def ask_in_every_way(service: Service, http: aiohttp.ClientSession) -> list[Any]:
    """Send the token wherever a client may put it, with requests that succeed and that fail."""
    token, url = service.token, f"{service.url}/graphql"
    answers = []
    for query in (
        "{ cases(first: 1) { totalCount edges { node { id } } } }",
        "{",
        "{ nothing }",
        'mutation { cancelImport(id: "x") { userErrors { code } } }',
        f'{{ case(by: {{tagId: "{token}"}}) {{ id }} }}',
        f'{{ case(by: {{tagId: "{token}\\u0000"}}) {{ id }} }}',
    ):
        async with http.post(url, json={"query": query}, headers=bearer(token)) as response:
            answers.append(await response.json())
    for headers in ({"Authorization": token}, {"Authorization": f"Bearer {token}x"}, {}):
        async with http.post(f"{url}?token={token}", data=token, headers=headers):
            pass
    for path in (f"/{token}", f"/files/imports/{token}", f"/files/samples/{token}?t={token}"):
        async with http.get(service.url + path, headers=bearer(token)):
            pass
    form = multipart({"query": token}, [token])
    async with http.post(url, data=form, headers={**bearer(token), **PREFLIGHT}):
        pass
    await say_over_socket(service)
    return answers


async def say_over_socket(service: Service) -> None:
    """Say the token in `connection_init`, well and badly."""
    url = service.url.replace("http://", "ws://") + f"/graphql?token={service.token}"
    subscribe = {"query": "{ cases(first: 1) { totalCount } }"}
    for payload in ({"token": service.token}, {"token": f"{service.token}x"}, [service.token]):
        protocols = [Subprotocol("graphql-transport-ws")]
        with suppress(ConnectionClosed):
            async with connect(url, subprotocols=protocols, proxy=None) as socket:
                for message in (
                    {"type": "connection_init", "payload": payload},
                    {"type": "subscribe", "id": "1", "payload": subscribe},
                ):
                    await socket.send(json.dumps(message))
                await asyncio.sleep(0.2)
                await socket.send(f"nonsense {service.token}")
                await socket.wait_closed()
    host, port = service.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"nonsense\x00 {service.token}\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()


async def test_tokens_are_never_logged(service: Service) -> None:
    """No log line has a token, wherever the client put it and whatever failed."""
    async with aiohttp.ClientSession() as http:
        answers = await ask_in_every_way(service, http)
        db = await asyncpg.connect(service.database_url)
        await db.execute("ALTER TABLE cases RENAME TO elsewhere")
        await db.close()
        broken = await ask_in_every_way(service, http)

    log = service.log.read_text()
    incidents = [
        error["extensions"]["incident"]
        for answer in broken
        for error in answer.get("errors", ())
        if error["extensions"]["code"] == "INTERNAL"
    ]
    assert answers[0]["data"] == {"cases": {"totalCount": 0, "edges": []}}
    assert incidents
    assert [incident for incident in incidents if f"incident {incident} at" not in log] == []
    assert "Traceback" in log
    assert service.token not in log
    assert service.token.removeprefix("crl_")[:12] not in log
