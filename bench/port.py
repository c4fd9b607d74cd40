"""Free TCP ports for the servers of benchmarks and tests."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Find a TCP port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
