"""Running the `caseroll` command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

SETTINGS = ("DATABASE_URL", "REDIS_URL", "CASEROLL_")


def launch(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    stdout: IO[str] | int = subprocess.PIPE,
    stderr: IO[str] | int = subprocess.STDOUT,
    **environ: str,
) -> subprocess.Popen[str]:
    """Start the command without any setting of the machine that the tests run on.

    It has a session of its own, so that a signal to the tests' process group does not reach it.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "api.cli", *arguments],
        cwd=cwd,
        env={**clean, **environ},
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def wait_until_ready(up: subprocess.Popen[str]) -> None:
    """Read what `caseroll up` prints to the last line that it prints before it waits."""
    assert up.stdout
    printed = []
    for line in up.stdout:
        printed.append(line)
        if "Try " in line:
            return
    raise AssertionError("".join(printed))


def children_of(parent: int) -> dict[int, str]:
    """Find the processes that a process has started, with their command lines."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            its_parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if its_parent == parent and command:
            found[int(path.name)] = command
    return found
