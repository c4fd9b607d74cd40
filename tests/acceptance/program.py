"""Running the `caseroll` command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SETTINGS = ("DATABASE_URL", "REDIS_URL", "CASEROLL_")


def launch(
    arguments: Sequence[str],
    *,
    python: str | Path = sys.executable,
    cwd: Path | None = None,
    stdout: IO[str] | int = subprocess.PIPE,
    stderr: IO[str] | int = subprocess.STDOUT,
    **environ: str,
) -> subprocess.Popen[str]:
    """Start the command without any setting of the machine that the tests run on.

    It has a session of its own, so that a signal to the tests' process group does not reach it.

    Args:
        python: the interpreter of the environment that Caseroll is to run in.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return subprocess.Popen(
        [python, "-P", "-m", "api.cli", *arguments],
        cwd=cwd,
        env={**clean, **environ},
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


class Place:
    """A folder to stand in, with `caseroll up --demo` running beside.

    Attributes:
        process: the ID of `caseroll up`, where a test needs it.
    """

    process = 0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return launch(arguments, cwd=self.folder, **environ)

    def run(self, *arguments: str, **environ: str) -> tuple[int, str]:
        with self.start(*arguments, **environ) as popen:
            output, _ = popen.communicate(timeout=60)
        return popen.returncode, output


def wait_until_ready(up: subprocess.Popen[str]) -> None:
    """Read what `caseroll up` prints to the last line that it prints before it waits."""
    assert up.stdout
    printed = []
    for line in up.stdout:
        printed.append(line)
        if "Try " in line:
            return
    raise AssertionError("".join(printed))


@contextmanager
def until_ready(up: subprocess.Popen[str]) -> Iterator[None]:
    """Wait until a `caseroll up` is ready, and stop it at the end."""
    with up:
        wait_until_ready(up)
        yield
        up.terminate()
        up.communicate(timeout=40)


def call(command: Sequence[str | Path], folder: Path) -> None:
    """Run a command, and show what it has printed if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def children_of(parent: int) -> dict[int, str]:
    """Find the processes that a process has started, with their command lines."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if int(_stat(path)[1]) == parent and (command := _command_of(path)):
                found[int(path.name)] = command
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _stat(process: Path) -> list[str]:
    """State, parent and so on: what follows the name, which may hold anything."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _command_of(process: Path) -> str:
    """The command line; blank only when the process is dead, not while it becomes another program,
    when for a moment it has none."""
    while True:
        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        if command or _stat(process)[0] in "ZX":
            return command
        time.sleep(0.001)
