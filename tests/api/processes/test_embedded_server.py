"""The embedded servers start, stop and start again, whatever happened in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
import redis

from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_server import ServerStartError
from api.processes.embedded_valkey import EmbeddedValkey

HOLD = """
import sys, time
from pathlib import Path
from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
with EmbeddedPostgres(Path(sys.argv[1], "p")) as p, EmbeddedValkey(Path(sys.argv[1], "v")) as v:
    print(p.pid, v.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A used folder for all tests of this file: whatever one did to it, the next one starts."""
    folder = tmp_path_factory.mktemp("servers")
    with EmbeddedPostgres(folder / "p"):
        pass
    return folder


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


async def test_data_survive_a_restart(folder: Path) -> None:
    """What was committed before a stop is there after the next start on the same folder."""
    server = EmbeddedPostgres(folder / "p")
    with server:
        await ask(server.url, "CREATE TABLE kept AS SELECT 7 AS number")
    with server:
        assert await ask(server.url, "SELECT number FROM kept") == 7
        assert await ask(server.url, "SHOW fsync") == "on"
    assert not server.is_running()


async def test_restart_after_kill_of_the_server(folder: Path) -> None:
    """A PostgreSQL killed with -9 leaves a pid file behind; starting again just works."""
    server = EmbeddedPostgres(folder / "p")
    with server:
        await ask(server.url, "CREATE TABLE survived AS SELECT 7 AS number")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        assert await ask(server.url, "SELECT number FROM survived") == 7


def test_restart_after_kill_of_the_starter(folder: Path) -> None:
    """Servers end when the process that started them is killed with -9, and start again."""
    starter = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    with starter, starter.stdout:
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        assert all(is_alive(pid) for pid in pids)
        starter.kill()

    with EmbeddedPostgres(folder / "p") as postgres, EmbeddedValkey(folder / "v") as valkey:
        assert postgres.is_running()
        assert redis.Redis.from_url(valkey.url).ping()
        assert not any(is_alive(pid) for pid in pids)


async def test_stale_pid_file(folder: Path) -> None:
    """A pid file that names a process which is no PostgreSQL does not keep it from starting."""
    server = EmbeddedPostgres(folder / "p")
    with server:
        lines = (server.data / "postmaster.pid").read_text().splitlines()
    (server.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with server:
        assert await ask(server.url, "SELECT 1") == 1


async def test_long_path(tmp_path: Path) -> None:
    """A folder whose path is too long for a Unix socket works, and leaves nothing elsewhere."""
    folder = tmp_path / ("x" * 60) / ("y" * 60)

    with EmbeddedPostgres(folder / "p") as postgres, EmbeddedValkey(folder / "v") as valkey:
        assert await ask(postgres.url, "SELECT 1") == 1
        assert redis.Redis.from_url(valkey.url).ping()
    assert not postgres.socket_folder.exists()
    assert not valkey.socket_folder.is_relative_to(folder)
    assert not valkey.socket_folder.exists()


def test_valkey_keeps_nothing_and_drops_nothing(tmp_path: Path) -> None:
    """The broker never evicts a message, writes nothing to disk and starts empty."""
    with EmbeddedValkey(tmp_path) as valkey:
        client = redis.Redis.from_url(valkey.url, decode_responses=True)
        client.set("x", "y")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with EmbeddedValkey(tmp_path) as valkey:
        assert redis.Redis.from_url(valkey.url).dbsize() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_failure_shows_the_log(tmp_path: Path) -> None:
    """A server that does not start says why in the error."""
    server = EmbeddedPostgres(tmp_path, options={"shared_buffers": "lots"})

    with pytest.raises(ServerStartError, match='invalid value for parameter "shared_buffers"'):
        server.start()
    assert not server.is_running()


def test_servers_are_out_of_reach_of_the_terminal(folder: Path) -> None:
    """Ctrl-C in a terminal, which signals our process group, does not reach the servers."""
    with EmbeddedPostgres(folder / "p") as postgres, EmbeddedValkey(folder / "v") as valkey:
        groups = {os.getpgid(server.pid or 0) for server in (postgres, valkey)}

        assert os.getpgrp() not in groups


def test_used_folder_starts_quickly(folder: Path) -> None:
    """Both servers are ready within a second on a used folder, if the machine is not busy."""
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        with EmbeddedPostgres(folder / "p"), EmbeddedValkey(folder / "v"):
            seconds.append(time.monotonic() - start)

    assert min(seconds) < 1.0
