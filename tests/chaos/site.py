"""A running Caseroll: PostgreSQL, Valkey, a mail server, a receiver of webhooks, the API and the
workers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
from api.processes.parent_death import bound_command
from bench.port import free_port
from models.database_url import credentials
from tests.acceptance.program import SETTINGS, children_of
from tests.chaos.hook_server import HookServer
from tests.chaos.mail_server import MailServer

CHUNK_ROWS = 250
WORKERS = 2
_DATABASE = "chaos"
_READY_SECONDS = 60.0
# Files that remove most of what is there are not held.
_LET_REMOVE = "UPDATE apps SET remove_percent = NULL"
_ADD_WEBHOOK = """
    INSERT INTO webhooks (app_id, url, events, description, secret)
    VALUES (1, $1, '{IMPORT_FINISHED}', '', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
"""
# The faults end processes and never cut the power, so that nothing needs fsync.
_POSTGRES = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptions:
    """How a site differs from the default.

    Args:
        postgres: settings of PostgreSQL.
        environ: settings of Caseroll.
        tablespace: opens a folder for the database, given the site's folder.
    """

    postgres: Mapping[str, str] = field(default_factory=dict)
    environ: Callable[[Path], Mapping[str, str]] = lambda _: {}
    tablespace: Callable[[Path], AbstractContextManager[Path]] | None = None


class Site:
    """A running Caseroll; a `with` block starts and stops it.

    Each of its processes ends when the one that started it dies.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path, options: SiteOptions | None = None) -> None:
        self.folder = folder
        self.options = options or SiteOptions()
        self.postgres = EmbeddedPostgres(
            folder / "postgres", options={**_POSTGRES, **self.options.postgres}
        )
        self.valkey = EmbeddedValkey(folder / "valkey")
        self.mail_server = MailServer()
        self.hook_server = HookServer()
        self.temporary = folder / "tmp"
        self.token = ""
        self.other_token = ""
        self._port = free_port()
        self._api: subprocess.Popen[bytes] | None = None
        self._workers: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()
        self._tablespace: Path | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def database_url(self) -> str:
        """The DATABASE_URL of the site."""
        return self.postgres.database_url(_DATABASE)

    def __enter__(self) -> Site:
        try:
            self.temporary.mkdir()
            if self.options.tablespace:
                self._tablespace = self._stack.enter_context(self.options.tablespace(self.folder))
            for part in (self.postgres, self.valkey, self.mail_server, self.hook_server):
                self._stack.enter_context(part)
            self._make_database()
            self._run("app", "create", "chaos", "Chaos")
            create = ("token", "create", "--app", "chaos", "--name")
            self.token = self._run(*create, "chaos").strip()
            self.other_token = self._run(*create, "other").strip()
            asyncio.run(self.query(_LET_REMOVE))
            asyncio.run(self.query(_ADD_WEBHOOK, self.hook_server.url))
            self.start_api()
            self.start_workers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            for popen in (self._workers, self._api):
                if popen is not None:
                    _end(popen)

    def start_api(self) -> None:
        """Start `caseroll serve`, as a service manager does."""
        self._api = self._launch("serve", "--port", str(self._port))

    def kill_api(self) -> None:
        """Kill it with -9."""
        assert self._api
        self._api.kill()
        self._api.wait()

    def start_workers(self) -> None:
        """Start `caseroll worker`, as a service manager does."""
        self._workers = self._launch("worker")

    def workers(self) -> list[int]:
        """The worker processes that are alive."""
        assert self._workers
        children = children_of(self._workers.pid).items()
        return sorted(pid for pid, command in children if " api.worker " in command)

    def kill_workers(self) -> None:
        """Kill `caseroll worker`, and with it its processes, with -9."""
        assert self._workers
        self._workers.kill()
        self._workers.wait()

    def stop_workers(self) -> float:
        """Stop `caseroll worker` with SIGTERM; return how many seconds that took."""
        assert self._workers
        began = time.monotonic()
        self._workers.terminate()
        self._workers.wait(60)
        return time.monotonic() - began

    async def connect(self) -> asyncpg.Connection:
        """Connect to the database; wait while it takes no connections."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                return await asyncpg.connect(
                    **credentials(self.database_url),
                    timeout=10,
                    server_settings={"application_name": "chaos"},
                )
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def query(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run a query; wait while the database does not answer."""
        while True:
            db = await self.connect()
            try:
                return list(await db.fetch(statement, *arguments))
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)
            finally:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await db.close(timeout=5)

    async def is_ready(self) -> None:
        """Wait until the API and all workers are ready."""
        deadline = time.monotonic() + _READY_SECONDS
        async with aiohttp.ClientSession() as http:
            while not await _answers(http, f"{self.url}/ready") or len(self.workers()) < WORKERS:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the site is not ready; see {self.folder}/log")
                await asyncio.sleep(0.05)

    def _make_database(self) -> None:
        statement = f"CREATE DATABASE {_DATABASE}"
        if self._tablespace:
            asyncio.run(self._execute(f"CREATE TABLESPACE small LOCATION '{self._tablespace}'"))
            statement += " TABLESPACE small"
        asyncio.run(self._execute(statement))
        self._run("migrate")

    async def _execute(self, statement: str) -> None:
        db = await asyncpg.connect(**credentials(self.postgres.url))
        try:
            await db.execute(statement)
        finally:
            await db.close()

    def _environ(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        return {
            **clean,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.valkey.url,
            "CASEROLL_SMTP_URL": self.mail_server.url,
            "CASEROLL_WEBHOOK_NETWORKS": "127.0.0.1",
            "CASEROLL_CHUNK_ROWS": str(CHUNK_ROWS),
            "CASEROLL_WORKERS": str(WORKERS),
            "TMPDIR": str(self.temporary),
            **self.options.environ(self.folder),
        }

    def _command(self, *arguments: str) -> list[str]:
        return bound_command([sys.executable, "-P", "-m", "api.cli", *arguments])

    def _launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                self._command(*arguments),
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            self._command(*arguments),
            env=self._environ(),
            check=True,
            capture_output=True,
            text=True,
        ).stdout


def _end(popen: subprocess.Popen[bytes]) -> None:
    popen.send_signal(signal.SIGTERM)
    try:
        popen.wait(5)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
