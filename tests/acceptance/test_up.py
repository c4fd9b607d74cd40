"""`caseroll up` starts everything, stops everything, and can be started again."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from tests.acceptance.program import children_of, launch, wait_until_ready

READY_SECONDS = 60


class Running:
    """A `caseroll up` that runs, what it has printed, and its processes."""

    def __init__(self, popen: subprocess.Popen[str], output: Path) -> None:
        self.popen = popen
        self._output = output

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def url(self) -> str:
        return self._find(r"API\s+(\S+)/graphql")

    @property
    def token(self) -> str:
        return self._find(r"Token\s+(\S+)")

    def children(self) -> dict[int, str]:
        """Process ids of the children, with their command lines."""
        return children_of(self.popen.pid)

    def child(self, word: str) -> int:
        return next(pid for pid, command in self.children().items() if word in command)

    def has_another(self, word: str, pid: int) -> bool:
        children = self.children()
        return pid not in children and any(word in command for command in children.values())

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.popen.send_signal(number)
        return self.popen.wait(40)

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self.output)
        assert found, self.output
        return found[1]


Up = Callable[..., Running]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all tests of this file: what one test leaves does not stop the next."""
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture
def up(folder: Path, tmp_path: Path) -> Iterator[Up]:
    """Start `caseroll up` and wait until it is ready; what still runs at the end is stopped."""
    started: list[subprocess.Popen[str]] = []
    files: list[IO[str]] = []

    def start(*arguments: str, **environ: str) -> Running:
        output = tmp_path / f"output-{len(started)}"
        files.append(output.open("w"))
        environ = {"CASEROLL_WORKERS": "1", **environ}
        popen = launch(["up", "--data", str(folder), *arguments], stdout=files[-1], **environ)
        started.append(popen)
        running = Running(popen, output)
        deadline = time.monotonic() + READY_SECONDS
        while "Try " not in running.output and popen.poll() is None:
            assert time.monotonic() < deadline, running.output
            time.sleep(0.02)
        assert popen.poll() is None, running.output
        return running

    yield start
    for popen in started:
        popen.terminate()
        popen.wait(40)
    for file in files:
        file.close()


def run(*arguments: str, **environ: str) -> tuple[int, str]:
    """Run the command to its end; its exit code and everything that it printed."""
    with launch(arguments, CASEROLL_WORKERS="1", **environ) as popen:
        output, _ = popen.communicate(timeout=60)
    return popen.returncode, output


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_ready(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_it_leaves_what_other_commands_need(up: Up, folder: Path) -> None:
    """While it runs, URL and secrets are in the folder, readable by the owner alone."""
    running = up()
    notes = {name: (folder / name) for name in ("url", "admin.token", "database.url")}

    assert is_ready(running.url)
    assert notes["url"].read_text().strip() == running.url
    assert notes["admin.token"].read_text().strip() == running.token
    assert {path.stat().st_mode & 0o777 for path in notes.values()} == {0o600}
    assert run("token", "list", "--data", str(folder))[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_stops_everything(up: Up, folder: Path, number: signal.Signals) -> None:
    """On each stop signal every process ends, and the exit code is 0."""
    running = up()
    children = running.children()

    assert len(children) == 4, children
    assert running.stop(number) == 0
    assert not [pid for pid in children if is_alive(pid)]
    assert not (folder / "url").exists()
    assert "Traceback" not in running.output


def test_ctrl_c_in_a_terminal(up: Up) -> None:
    """Ctrl-C signals the whole process group: the servers still outlive the workers."""
    running = up()
    os.killpg(running.popen.pid, signal.SIGINT)

    assert running.popen.wait(40) == 0
    assert "Traceback" not in running.output


def test_it_goes_on_where_it_was(up: Up, folder: Path) -> None:
    """Started again on the same folder it has the same data and the same token."""
    first = up()
    slug = f"kept-{time.time_ns()}"
    assert run("app", "create", slug, "Kept", "--data", str(folder))[0] == 0
    first.stop()
    second = up()
    code, output = run("token", "create", "--app", slug, "--data", str(folder))

    assert code == 0, output
    assert second.token == first.token


def test_revoked_token_is_replaced(up: Up, folder: Path) -> None:
    """A token that does not open the app any more is not used again."""
    first = up()
    _, listed = run("token", "list", "--data", str(folder))
    for line in listed.splitlines()[1:]:
        number, _, name, *_, revoked = line.split("\t")
        if name == "caseroll up" and not revoked:
            assert run("token", "revoke", number, "--data", str(folder))[0] == 0
    first.stop()

    assert up().token != first.token


def test_second_up_on_the_folder(up: Up, folder: Path) -> None:
    """Two on one folder would spoil it: the second says so and leaves the first alone."""
    running = up()
    code, output = run("up", "--data", str(folder))

    assert (code, output.count("\n")) == (2, 1)
    assert "another `caseroll up` is running" in output
    assert is_ready(running.url)


def test_two_at_once(tmp_path: Path) -> None:
    """Two that are started at the same moment get ports of their own, and each its own token."""
    started = [launch(["up", "--data", str(tmp_path / name)]) for name in "ab"]
    try:
        for popen in started:
            wait_until_ready(popen)
        urls = [(tmp_path / name / "url").read_text().strip() for name in "ab"]
        listed = [run("imports", "--data", str(tmp_path / name)) for name in "ab"]
    finally:
        for popen in started:
            popen.terminate()
        for popen in started:
            popen.communicate(timeout=40)

    assert urls[0] != urls[1]
    assert [code for code, _ in listed] == [0, 0], listed


def test_port_that_is_taken(folder: Path) -> None:
    """A port that was asked for and is taken is an error in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = run("up", "--data", str(folder), "--port", str(port))

    assert (code, output) == (
        2,
        f"Error: can't listen on 127.0.0.1 port {port}: Address already in use.\n",
    )


def test_default_port_that_is_taken(up: Up) -> None:
    """When no port was asked for, the next free one is taken."""
    try:
        taken = socket.create_server(("127.0.0.1", 8000))
    except OSError:  # another program has it, which is as good
        taken = None
    running = up()

    assert not running.url.endswith(":8000")
    assert is_ready(running.url)
    if taken:
        taken.close()


def test_kill_leaves_no_orphan_and_no_harm(up: Up) -> None:
    """Killed with -9 it takes its children along, and the next one starts on the folder."""
    first = up()
    children = first.children()
    first.popen.kill()
    first.popen.wait()
    second = up()

    assert not [pid for pid in children if is_alive(pid)]
    assert is_ready(second.url)
    assert second.token == first.token


def test_killed_processes_come_back(up: Up) -> None:
    """Each of its processes is started again when it is killed with -9."""
    running = up()
    words = ["api.cli serve", "api.worker", "valkey-server", "postgres -D"]
    killed = [running.child(word) for word in words]
    for word, pid in zip(words, killed, strict=True):
        os.kill(pid, signal.SIGKILL)
        wait_for(partial(running.has_another, word, pid))
    wait_for(lambda: is_ready(running.url))

    assert not set(killed) & set(running.children())
    assert running.stop() == 0


def test_wrong_settings(folder: Path) -> None:
    """Every wrong setting is named, one line each, and nothing is started."""
    code, output = run(
        "up", "--data", str(folder), CASEROLL_CHUNK_ROWS="many", CASEROLL_SMTP_URL="mail"
    )

    assert code == 2
    assert output.splitlines() == [
        "Error: CASEROLL_SMTP_URL has to be a URL that begins with smtp:// or smtps://.",
        "Error: CASEROLL_CHUNK_ROWS has to be a whole number from 1 to 100000, not 'many'.",
    ]


def test_wrong_plugins(folder: Path, tmp_path: Path) -> None:
    """A plugins.toml that is wrong keeps it from starting, and the file is named."""
    plugins = tmp_path / "plugins.toml"
    plugins.write_text("[importer.assign]\n")
    code, output = run("up", "--data", str(folder), CASEROLL_PLUGINS=str(plugins))

    assert code == 2
    assert output.startswith(f"Error: {plugins}: 'importer' is unknown")


def test_unreachable_database(folder: Path) -> None:
    """A database that is named but not there is an error in one line."""
    code, output = run("up", "--data", str(folder), DATABASE_URL="postgresql://127.0.0.1:9/x")

    assert (code, output.count("\n")) == (2, 1)
    assert output.startswith("Error: ")


async def test_servers_of_ones_own(up: Up, empty_database_url: str, redis_url: str) -> None:
    """With DATABASE_URL and REDIS_URL set it uses those servers and starts none."""
    running = up(DATABASE_URL=empty_database_url, REDIS_URL=redis_url)

    assert is_ready(running.url)
    assert len(running.children()) == 2
    assert running.stop() == 0
