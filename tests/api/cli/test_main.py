"""How a command ends whose output can't be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def ended(stdout: int) -> tuple[int, str]:
    """Run a command of one line; return its exit code, and what it says."""
    argv = [sys.executable, "-P", "-m", "api.cli", "--version"]
    found = subprocess.run(argv, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return found.returncode, found.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_full_disk() -> None:
    """It is one line, and no success."""
    with FULL.open("w") as full:
        assert ended(full.fileno()) == (2, "Error: [Errno 28] No space left on device\n")


def test_a_pipe_that_is_not_read() -> None:
    """`head` has seen enough: that is no error to speak of."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert ended(writer) == (141, "")
    finally:
        os.close(writer)
