"""The measured system: embedded servers, databases to copy, API and workers as processes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp
import asyncpg
import psutil

from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
from api.processes.parent_death import bound_command
from bench.client import Client
from bench.port import free_port
from bench.usage import Used
from models.app import App, Permission, create_app, create_token
from models.database_url import credentials
from models.db import database, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from types import TracebackType

APP = "bench"
_PLAIN_USER = "plain"
_READY_SECONDS = 60.0
_STATEMENT = re.compile(r"LOG:  (statement|execute [^:]*): ")
_NO_LIMIT = 1_000_000
# Environment variables with these prefixes are removed, so that no setting of the machine changes a
# figure; each benchmark sets what it needs.
_SETTINGS = ("DATABASE_URL", "REDIS_URL", "CASEROLL_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of the embedded server.

    Args:
        token: an ADMIN token of its app.
    """

    name: str
    url: str
    token: str


class Running:
    """The API and its workers, on one database."""

    def __init__(self, url: str, client: Client, processes: Mapping[str, psutil.Process]) -> None:
        self.url = url
        self.client = client
        self.processes = processes
        self._idle = {name: _reset_peak(each) for name, each in processes.items()}

    def usage(self, before: Used | None = None) -> Used:
        """Return what the processes have used since `before`, or since they began."""
        cpu = {
            name: _cpu(process) - (before.cpu[name] if before else 0)
            for name, process in self.processes.items()
        }
        memory = {
            name: (_peak_bytes(process) - self._idle[name]) / 1024**2
            for name, process in self.processes.items()
            if name != "postgres"
        }
        return Used(cpu, memory)


class System:
    """An embedded PostgreSQL and Valkey; an `async with` block starts and stops them.

    Args:
        folder: an empty folder for their data.
        is_plain_user: own and use the databases as a user who is no superuser and so may not set
            `session_replication_role`.
    """

    def __init__(self, folder: Path, *, is_plain_user: bool = False) -> None:
        self.folder = folder
        self._user = _PLAIN_USER if is_plain_user else "postgres"
        self._stack = AsyncExitStack()
        self._postgres = EmbeddedPostgres(folder / "pg")
        self._valkey = EmbeddedValkey(folder / "valkey")
        self._names = count(1)
        self._tokens: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._stack.enter_context(self._postgres)
        self._stack.enter_context(self._valkey)
        if self._user == _PLAIN_USER:
            await self._run_statement(f"CREATE ROLE {_PLAIN_USER} LOGIN CREATEROLE")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def create(self, name: str) -> Database:
        """Create a database with the tables, one app and a token."""
        await self._create(name, "template1")
        url = self._url(name)
        await migrate(url)
        async with database(url):
            app = await create_app(APP, "Bench")
            # No import of a benchmark is to be held because it removes much.
            await App.filter(id=app.id).update(remove_percent=None)
            self._tokens[name] = await create_token(app, "bench", Permission.ADMIN)
        return self._database(name)

    async def copy(self, template: Database) -> Database:
        """Make a fresh copy of a database that has no connections."""
        name = f"copy_{next(self._names)}"
        self._tokens[name] = template.token
        await self._create(name, template.name)
        return self._database(name)

    async def drop(self, copy: Database) -> None:
        """Drop a copy, which makes disk space for the next one."""
        await self._run_statement(f"DROP DATABASE {copy.name} WITH (FORCE)")

    @asynccontextmanager
    async def copied(self, template: Database) -> AsyncIterator[Database]:
        """Make a fresh copy, and drop it at the block's end."""
        copy = await self.copy(template)
        try:
            yield copy
        finally:
            await self.drop(copy)

    @asynccontextmanager
    async def logged(self, target: Database) -> AsyncIterator[Callable[[], list[str]]]:
        """Let PostgreSQL log every statement of connections to a database opened from now on.

        Yields:
            A function that returns the first lines of all statements so far.
        """
        log = self.folder / "pg" / "log"
        begin = log.stat().st_size

        def statements() -> list[str]:
            with log.open("rb") as lines:
                lines.seek(begin)
                text = lines.read().decode(errors="replace")
            return [line for line in text.splitlines() if _STATEMENT.search(line)]

        await self._run_statement(f"ALTER DATABASE {target.name} SET log_statement = 'all'")
        try:
            yield statements
        finally:
            await self._run_statement(f"ALTER DATABASE {target.name} RESET log_statement")

    @asynccontextmanager
    async def running(
        self, target: Database, *, workers: int = 2, **environ: str
    ) -> AsyncIterator[Running]:
        """Run the API and workers on a database; they are ready when the block begins.

        Args:
            environ: settings in addition to those that name the servers.
        """
        port = free_port()
        environment = {
            **clean_environment(),
            "DATABASE_URL": target.url,
            "REDIS_URL": self._valkey.url,
            "CASEROLL_PORT": str(port),
            "CASEROLL_MAX_REQUESTS_PER_SECOND": str(_NO_LIMIT),
            **environ,
        }
        commands = {"api": ["-m", "api.cli", "serve"]}
        commands |= {f"worker {number}": ["-m", "api.worker"] for number in range(1, workers + 1)}
        started = {
            name: start_python(arguments, env=environment) for name, arguments in commands.items()
        }
        url = f"http://127.0.0.1:{port}"
        try:
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(3_600)
            ) as http:
                await wait_until_ready(http, url)
                # Workers have no door to knock at; this is a generous time for one to start.
                await asyncio.sleep(1.5)
                processes = {name: psutil.Process(each.pid) for name, each in started.items()}
                processes["postgres"] = psutil.Process(self._postgres.pid)
                yield Running(url, Client(http, url, target.token), processes)
        finally:
            stop(list(started.values()))

    def _database(self, name: str) -> Database:
        return Database(name=name, url=self._url(name), token=self._tokens[name])

    def _url(self, name: str) -> str:
        return self._postgres.database_url(name, self._user)

    async def _create(self, name: str, template: str) -> None:
        await self._run_statement(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {self._user}")

    async def _run_statement(self, statement: str) -> None:
        """Run a statement, and write all pages to disk so that the next measurement does not."""
        db = await asyncpg.connect(**credentials(self._postgres.url))
        try:
            await db.execute(statement)
            await db.execute("CHECKPOINT")
        finally:
            await db.close()


def clean_environment() -> dict[str, str]:
    """Return the environment without the variables that configure Caseroll."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}


async def wait_until_ready(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until a server answers at `/ready`."""
    deadline = time.monotonic() + _READY_SECONDS
    patience = aiohttp.ClientTimeout(1)  # a socket accepts connections before the server answers
    while time.monotonic() < deadline:
        with suppress(aiohttp.ClientConnectionError, TimeoutError):
            async with http.get(f"{url}/ready", timeout=patience) as response:
                if response.status == 200:
                    return
        await asyncio.sleep(0.02)
    raise SystemExit("the API did not start")


def start_python(
    arguments: Sequence[str], *, env: Mapping[str, str] | None = None, stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """Start Python as a process that ends with this one, also where that is killed."""
    return subprocess.Popen(bound_command([sys.executable, *arguments]), env=env, stdout=stdout)


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End these processes with SIGTERM, and wait for them."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()


def _cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and its children, living and ended."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _reset_peak(process: psutil.Process) -> int:
    """Reset the peak of the process's memory; return the bytes in use now."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")
    return int(process.memory_info().rss)


def _peak_bytes(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
