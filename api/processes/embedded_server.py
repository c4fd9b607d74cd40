"""What the embedded PostgreSQL and the embedded Valkey have in common."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from importers.sdk.errors import CaserollError

if TYPE_CHECKING:
    import signal
    from typing import Self

# Recovery after a crash can take long.
START_SECONDS = 60.0
STOP_SECONDS = 30.0
# A Unix socket's path has to fit in 104 bytes on macOS, in 108 on Linux.
_SOCKET_PATH_BYTES = 103
_LOG_LINES = 12


class ServerStartError(CaserollError):
    """An embedded server did not start; `log` is the end of what it logged."""

    def __init__(self, name: str, log: str) -> None:
        super().__init__(f"{name} did not start; its log ends with:\n{log}")


class EmbeddedServer(ABC):
    """A server process that lives in a folder; a `with` block starts and stops it.

    It runs in a session of its own, so that Ctrl-C in the terminal does not reach it, and listens
    on a Unix socket that only this user can open.

    Args:
        folder: where data, socket and log go; made when missing.
        socket_name: the socket's file.
    """

    name: str
    _stop_signal: signal.Signals
    _kill_signal: signal.Signals
    """Sent if the process does not end in time."""

    def __init__(self, folder: Path, socket_name: str) -> None:
        self.folder = folder.resolve()
        self.socket_folder = self.folder
        if len(os.fsencode(self.folder / socket_name)) > _SOCKET_PATH_BYTES:
            digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
            name = f"caseroll-{os.getuid()}-{digest}"
            self.socket_folder = Path(tempfile.gettempdir()) / name
        self._log = self.folder / "log"
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process; None when it does not run."""
        return self._popen.pid if self._popen else None

    def is_running(self) -> bool:
        """Tell whether the server that `start` started is alive."""
        return self._popen is not None and self._popen.poll() is None

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it is ready.

        Raises:
            ServerStartError: it ended, or was not ready within a minute.
        """

    def stop(self) -> None:
        """Stop the server: connections are cut."""
        if self._popen is not None:
            self._popen.send_signal(self._stop_signal)
            try:
                self._popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.send_signal(self._kill_signal)
                self._popen.wait()
            self._popen = None
        if self.socket_folder != self.folder:
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _make_folders(self, user: str = "") -> None:
        """Make the folders.

        Raises:
            ServerStartError: the socket folder belongs to a user that is neither this one nor
                `user`, and may be a trap.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        # The temporary folder is open to all users, and the name can be guessed. `lstat`, because
        # the trap may be a link.
        owners = {os.getuid(), pwd.getpwnam(user).pw_uid} if user else {os.getuid()}
        if self.socket_folder.lstat().st_uid not in owners:
            raise ServerStartError("a server", f"{self.socket_folder} belongs to another user.")

    def _start_process(self, argv: list[str]) -> None:
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                argv,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _log_tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:])


def wheel_folder(package: str) -> Path:
    """Return where a package is installed.

    Importing it instead would run its own code that starts servers.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])
