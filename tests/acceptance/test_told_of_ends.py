"""A program and a person are told that an import has ended, all the way through."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from api.notify.webhook_message import signature_of
from tests.acceptance.program import launch, until_ready

FILE = "user_id,case_id\r\njones-001,trv-001\r\nno-such-user,trv-001\r\n"


class Hook(ThreadingHTTPServer):
    """A receiver that refuses the first request, and takes all others."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [503]
        super().__init__(("127.0.0.1", 0), HookHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        """Take a request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(
            ({name.lower(): text for name, text in self.headers.items()}, body)
        )
        self.send_response(self.server.statuses.pop() if self.server.statuses else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver in a thread."""
    with Hook() as server:
        Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which `caseroll up --demo` runs."""
    with until_ready(launch(["up", "--demo"], cwd=tmp_path)):
        yield tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and what it printed."""
    with launch(arguments, cwd=folder, stderr=subprocess.DEVNULL) as process:
        output, _ = process.communicate(timeout=60)
    return process.returncode, output


def wait_for(found: Callable[[], Any]) -> Any:
    """Wait until there is something, and return it."""
    deadline = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_told_of_an_end(folder: Path, hook: Hook) -> None:
    """A webhook gets a signed message, again after a refusal, and an address a mail."""
    (folder / "remove.csv").write_text(FILE)
    refused = run(folder, "webhook", "add", "http://192.168.0.1/")
    added = json.loads(run(folder, "webhook", "add", hook.url, "--json")[1])
    code, _ = run(
        folder,
        *("import", "remove.csv", "--type", "remove", "--name", "Leavers"),
        *("--notify", "boss@example.org"),
    )
    wait_for(lambda: len(hook.taken) == 2)
    (first, body), (second, same_body) = hook.taken
    message = json.loads(body)
    shown = wait_for(lambda: [each for each in deliveries(folder, added["id"])
                              if each["status"] == "DELIVERED"])  # fmt: skip
    [mail] = wait_for(lambda: mails_to(folder, "boss@example.org"))
    removed = run(folder, "webhook", "remove", added["id"])
    listed = run(folder, "webhook", "list", "--json")

    assert refused[0] == 2
    assert (added["url"], added["events"]) == (hook.url, ["IMPORT_FINISHED"])
    assert code == 1  # a row has failed
    assert (body, first["webhook-id"]) == (same_body, second["webhook-id"])
    for headers in (first, second):
        assert headers["webhook-signature"] == signature_of(
            added["secret"], headers["webhook-id"], headers["webhook-timestamp"], body
        )
    assert message["type"] == "import.finished"
    assert (message["data"]["name"], message["data"]["status"]) == ("Leavers", "PROCESSED")
    assert (message["data"]["removed"], message["data"]["failed"]) == (1, 1)
    assert [(each["id"], each["attempts"], each["responseStatus"]) for each in shown] == [
        (first["webhook-id"], 2, 204)
    ]
    assert mail["Subject"] == "The import 'Leavers' is finished; failed rows: 1"
    assert f"caseroll failed-rows {message['data']['id']} -o failed.csv" in mail.get_content()
    assert removed == (0, f"Removed the webhook at {hook.url}.\n")
    assert json.loads(listed[1]) == []


def deliveries(folder: Path, webhook: str) -> list[dict[str, Any]]:
    """List the messages to a webhook."""
    found: list[dict[str, Any]] = json.loads(
        run(folder, "webhook", "deliveries", webhook, "--json")[1]
    )
    return found


def mails_to(folder: Path, recipient: str) -> list[Any]:
    """Read the mails to an address."""
    files = (folder / ".caseroll/mail").glob("*.eml")
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return [mail for mail in mails if mail["To"] == recipient]
