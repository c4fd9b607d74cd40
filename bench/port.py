"""Ports for servers of our own."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Find a TCP port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
