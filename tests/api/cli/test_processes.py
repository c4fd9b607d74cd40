"""The socket that the API listens on."""

from __future__ import annotations

import socket

import pytest

from api.cli.failure import RefusedError
from api.cli.processes import listen


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
