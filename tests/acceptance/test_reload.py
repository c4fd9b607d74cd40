"""A plugin is installed and switched on while everything runs; SIGHUP takes it in."""

from __future__ import annotations

import asyncio
import io
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.port import free_port
from models.app import Permission, create_app, create_token
from models.audit import COMMAND_LINE
from models.db import database, transaction
from models.imports import Import
from models.new_import import NewImport, insert_import
from tests.acceptance.program import children_of, launch

ON = "[importers.assign]\n"
PLUGIN = """
from importers import Column, Importer

class {name}(Importer):
    label = "{name}"
    remark = Column[str](required=True, example="x")

    def change(self, row):
        return None
"""
TYPES = "{ importTypes { key } }"


class Site:
    """A folder that packages are installed in, and a plugins.toml."""

    def __init__(self, folder: Path) -> None:
        self._packages = folder / "packages"
        self.plugins = folder / "plugins.toml"
        self._packages.mkdir()
        self.plugins.write_text(ON)

    @property
    def environ(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self._packages), "CASEROLL_PLUGINS": str(self.plugins)}

    def install(self, name: str) -> None:
        """Do what pip does, and switch the plugin on."""
        (self._packages / f"{name}_plugin.py").write_text(PLUGIN.format(name=name.title()))
        info = self._packages / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[caseroll.importers]\n{name} = {name}_plugin:{name.title()}\n"
        )
        self.plugins.write_text(f"{ON}[importers.{name}]\n")


class Running:
    """A command that runs, and what it says."""

    def __init__(self, popen: subprocess.Popen[str], output: Path) -> None:
        self.popen = popen
        self._output = output

    @property
    def output(self) -> str:
        return self._output.read_text()

    def hang_up(self) -> None:
        self.popen.send_signal(signal.SIGHUP)

    def workers(self) -> set[int]:
        children = children_of(self.popen.pid).items()
        return {pid for pid, command in children if " api.worker " in command}

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.popen.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A place where nothing is installed yet."""
    return Site(tmp_path)


@pytest.fixture
async def token(database_url: str) -> AsyncIterator[str]:
    """An admin's token of an app, the database being open."""
    async with database(database_url):
        app = await create_app("acme", "Acme Law")
        yield await create_token(app, "test", Permission.ADMIN)


@contextmanager
def running(*arguments: str, folder: Path, **environ: str) -> Iterator[Running]:
    """Run a command to the end of the block."""
    path = folder / "output"
    with path.open("w") as output, launch(arguments, stdout=output, **environ) as popen:
        try:
            yield Running(popen, path)
        finally:
            popen.terminate()
            popen.wait(40)


async def is_ready(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(500):
        try:
            async with http.get(f"{url}/ready") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            pass
        await asyncio.sleep(0.02)
    raise AssertionError("not ready")


async def test_api(
    site: Site, token: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The API offers the new type after SIGHUP, also on sockets that are open; with a wrong
    plugins.toml it says what is wrong and offers what it did."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    environ = {**site.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with running("serve", "--port", str(port), folder=tmp_path, **environ) as serve:
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            await is_ready(http, url)
            protocols = ["graphql-transport-ws"]
            async with http.ws_connect(f"{url}/graphql", protocols=protocols) as ws:
                await ws.send_json({"type": "connection_init", "payload": headers})
                assert (await ws.receive_json())["type"] == "connection_ack"
                follow = {"query": "subscription { importFinished { id } }"}
                await ws.send_json({"id": "1", "type": "subscribe", "payload": follow})

                async def keys() -> list[str]:
                    async with http.post(f"{url}/graphql", json={"query": TYPES}) as response:
                        return keys_in(await response.json())

                before = await keys()
                site.install("roster")
                serve.hang_up()
                serve.wait_for(lambda: "plugins that are on" in serve.output)
                after = await keys()
                await ws.send_json({"id": "2", "type": "subscribe", "payload": {"query": TYPES}})
                on_socket = await ws.receive_json()
                site.plugins.write_text("[importers.roster]\ncolour = 1\n[import.assign]\n")
                serve.hang_up()
                serve.wait_for(lambda: "this is wrong" in serve.output)

                assert before == ["assign"]
                assert after == ["assign", "roster"]
                assert on_socket["id"] == "2"
                assert keys_in(on_socket["payload"]) == after
                assert await keys() == after
                assert not ws.closed
                assert f"{site.plugins}: 'import' is unknown" in serve.output


def keys_in(answer: dict[str, Any]) -> list[str]:
    return sorted(type_["key"] for type_ in answer["data"]["importTypes"])


async def test_workers(
    site: Site, token: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """With a plugin that does not load, both workers stay; once that is mended they are replaced,
    one after the other, and run imports of the new type."""
    environ = {**site.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with running("worker", "--processes", "2", folder=tmp_path, **environ) as worker:
        worker.wait_for(lambda: len(worker.workers()) == 2)
        old = worker.workers()
        site.install("roster")
        good = site.plugins.read_text()
        site.plugins.write_text(f"{good}colour = 1\n")
        worker.hang_up()
        worker.wait_for(lambda: "found this wrong" in worker.output)
        kept = worker.workers()
        site.plugins.write_text(good)
        worker.hang_up()
        seen: set[int] = set()

        def are_replaced() -> bool:
            present = worker.workers()
            assert present
            seen.add(len(present & old))
            return len(present) == 2 and not present & old

        worker.wait_for(are_replaced)
        key = await upload("roster")
        deadline = time.monotonic() + 30
        while not (stored := await Import.get(id=key)).status.is_final:
            assert time.monotonic() < deadline, worker.output
            await asyncio.sleep(0.02)

    assert kept == old
    assert "importer 'roster' is broken: " in worker.output
    assert "Traceback" not in worker.output
    assert seen == {0, 1, 2}
    assert (stored.status, stored.passed) == ("PROCESSED", 1)


async def upload(type_: str) -> int:
    """Store an import that was uploaded some time ago, for the sweeper to find."""
    new = NewImport(
        token_id=None,
        type=type_,
        name="Roster",
        source="test",
        is_dry_run=False,
        idempotency_key=None,
        declared_encoding=None,
        file_name="roster.csv",
        file_size=8,
        file_sha256="",
    )
    async with transaction() as db:
        inserted = await insert_import(db, 1, new, io.BytesIO(b"remark\nx"), by=COMMAND_LINE)
        await db.execute("UPDATE imports SET notified_at = now() - interval '1 minute'")
    assert inserted
    return inserted.id


def test_check(site: Site, tmp_path: Path) -> None:
    """`importers --check` lists what is wrong, with exit code 2, or says nothing."""
    outcomes = []
    for text in (ON, f"{ON}[importers.gone]\n[importers.nowhere]\n"):
        site.plugins.write_text(text)
        with launch(["importers", "--check"], **site.environ) as popen:
            outcomes.append((*popen.communicate(timeout=30)[:1], popen.returncode))

    assert outcomes == [
        ("", 0),
        (
            "Error: importer 'gone' is broken: no installed package offers this importer.\n"
            "Error: importer 'nowhere' is broken: no installed package offers this importer.\n",
            2,
        ),
    ]
