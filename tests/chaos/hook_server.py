"""A receiver of webhooks that fails now and then, and keeps what it has received."""

from __future__ import annotations

import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from threading import Event, Lock, Thread

_LATE_SECONDS = 0.3


class HookServer(ThreadingHTTPServer):
    """A receiver on a free port, with a thread for each request.

    It takes about half of the messages at first; others it refuses, breaks off, or takes late.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: defaultdict[str, set[bytes]] = defaultdict(set)
        self.accepted: set[str] = set()
        self.answers = cycle(("accept", "refuse", "accept", "break off", "late"))
        self.lock = Lock()
        self.is_there = Event()
        self.is_there.set()

    @property
    def url(self) -> str:
        """The webhook's URL."""
        return f"http://127.0.0.1:{self.server_port}/"

    def __enter__(self) -> HookServer:
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_there.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Say nothing of workers that were killed in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        """Take a message, or fail."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["webhook-id"]
        self.server.is_there.wait()
        with self.server.lock:
            is_known = key in self.server.bodies
            self.server.bodies[key].add(body)
            answer = "accept" if is_known else next(self.server.answers)
            if answer in ("accept", "late"):
                self.server.accepted.add(key)
        if answer == "late":
            time.sleep(_LATE_SECONDS)
        if answer != "break off":
            self.send_response(503 if answer == "refuse" else 204)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
