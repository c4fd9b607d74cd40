"""Plugins that are broken, as an operator gets to see them."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.acceptance.program import launch, wait_until_ready

ROOT = Path(__file__).parents[2]
BROKEN = "is broken: no installed package offers this"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """A plugins.toml that names plugins which are not installed."""
    path = tmp_path / "plugins.toml"
    path.write_text("[importers.assign]\n[importers.nope]\n[validators.walls]\n")
    return str(path)


def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
    with launch(arguments, stderr=subprocess.PIPE, **environ) as popen:
        output, error = popen.communicate(timeout=60)
    return popen.returncode, output, error


def in_terminal(width: int, *arguments: str, **environ: str) -> str:
    """Run the command in a terminal of that many columns, and return what it shows."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    shown = b""
    command = [sys.executable, "-P", "-m", "api.cli", *arguments]
    clean = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**clean, **environ}
    ) as popen:
        os.close(theirs)
        while popen.poll() is None or select.select([ours], [], [], 0)[0]:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 65_536)
                except OSError:  # the other side is closed
                    break
    os.close(ours)
    return ESCAPES.sub("", shown.decode()).replace("\r", "")


def test_all_is_well() -> None:
    """When no plugin is broken the exit code is 0, even if some are off."""
    code, output, error = run("importers")

    assert (code, error) == (0, "")
    assert output.splitlines()[0] == "kind\tname\tstate\tlabel\tdistribution\treason"
    assert "\toff\t" in output


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_something_is_broken(broken: str, options: list[str]) -> None:
    """The exit code says that a plugin is broken."""
    code, _, error = run("importers", *options, CASEROLL_PLUGINS=broken)

    assert (code, error) == (1, "")


def test_json(broken: str) -> None:
    """Programs get each problem by itself."""
    _, output, _ = run("importers", "--json", CASEROLL_PLUGINS=broken)
    plugins = {each["name"]: each for each in json.loads(output)}

    assert plugins["nope"] == {
        "kind": "importer",
        "name": "nope",
        "state": "broken",
        "problems": ["no installed package offers this importer"],
        "label": None,
        "distribution": None,
    }
    assert plugins["assign"]["state"] == "on"


@pytest.mark.parametrize("width", [120, 80, 40])
def test_terminal(broken: str, width: int) -> None:
    """In a terminal no name is cut, no line is too long, and what is wrong stands at the end."""
    shown = in_terminal(width, "importers", CASEROLL_PLUGINS=broken)
    lines = [line.rstrip() for line in shown.splitlines()]

    assert all(name in shown for name in ("users-per-case", "modify-cases", "caseroll", "broken"))
    assert max(map(len, lines[:-5])) <= width
    assert lines[-5:] == [
        "The importer nope is broken:",
        "  no installed package offers this importer",
        "",
        "The validator walls is broken:",
        "  no installed package offers this validator",
    ]


def test_worker_tells_once(broken: str, database_url: str, redis_url: str) -> None:
    """`caseroll worker` logs broken plugins once, not once a process."""
    popen = launch(
        ["worker", "--processes", "3"],
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        CASEROLL_PLUGINS=broken,
    )
    time.sleep(3)
    popen.send_signal(signal.SIGTERM)
    output, _ = popen.communicate(timeout=40)

    assert output.count("started, process") == 3
    assert output.count(BROKEN) == 2


def test_up_tells_once(broken: str, database_url: str, redis_url: str, tmp_path: Path) -> None:
    """So does `caseroll up`, where the API and its workers load the same plugins."""
    with (tmp_path / "output").open("w") as log:
        popen = launch(
            ["up", "--workers", "2", "--data", str(tmp_path / "data")],
            stderr=log,
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
            CASEROLL_PLUGINS=broken,
        )
        wait_until_ready(popen)
        time.sleep(2)
        popen.send_signal(signal.SIGTERM)
        popen.communicate(timeout=40)

    assert (tmp_path / "output").read_text().count(BROKEN) == 2


def test_wrong_plugins_file(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """A wrong file keeps workers from starting, and is logged once."""
    path = tmp_path / "plugins.toml"
    path.write_text("[importer.assign]\n")
    code, output, error = run(
        "worker", DATABASE_URL=database_url, REDIS_URL=redis_url, CASEROLL_PLUGINS=str(path)
    )

    assert (code, output) == (2, "")
    assert error.count("'importer' is unknown") == 1
