"""What `serve` and `worker` need of the machine: a socket, and a folder for temporary files."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest

from api.cli.failure import RefusedError
from api.cli.processes import check_temporary_folder, listen


def test_responses_do_not_wait() -> None:
    """What is written to a connection is sent at once, not when the last packet is confirmed."""
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_taken_port() -> None:
    """A port that somebody else listens on is refused by its number."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(RefusedError, match=f"port {port}"):
            listen("127.0.0.1", port)


def test_the_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TMPDIR is used, or the process does not start: Python would use another folder instead."""
    for name in ("", "missing"):
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setenv("TMPDIR", str(tmp_path / name))
        if name:
            with pytest.raises(RefusedError, match=r"^TMPDIR: .*missing' is no folder"):
                check_temporary_folder({"TMPDIR": str(tmp_path / name)})
        else:
            check_temporary_folder({"TMPDIR": f"{tmp_path}/"})


def test_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that is read-only, imports would wait for ever."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/not/there"])

    with pytest.raises(RefusedError, match="let TMPDIR name one"):
        check_temporary_folder({})
