"""Without an extra, the commands that need it say so; all others work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.failure import EXTRAS

CLIENTS = [
    "apply", "cancel", "changes", "export", "failed-rows", "groups", "history", "import",
    "import-types", "imports", "release", "results", "retry", "sample", "undo", "webhook",
]  # fmt: skip


def run(code: str, *arguments: str) -> tuple[int, str]:
    """Run code in a process that has no package of any extra."""
    missing = f"import sys; sys.modules.update({dict.fromkeys(EXTRAS)!r})\n"
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATABASE_URL", "REDIS_URL", "CASEROLL_"))
    }
    found = subprocess.run(
        [sys.executable, "-c", missing + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    return found.returncode, found.stdout + found.stderr


def caseroll(*arguments: str) -> tuple[int, str]:
    return run("from api.cli import main; main()", *arguments)


@pytest.mark.parametrize("command", CLIENTS)
def test_clients(command: str) -> None:
    """A command that is a client of the API names the extra in one line, whatever its options."""
    assert caseroll(command, "--type", "assign") == (
        2,
        "Error: this needs packages that are not installed: pip install 'caseroll[cli]'\n",
    )


def test_up(tmp_path: Path) -> None:
    """So does `caseroll up` where it would start a server of its own."""
    assert caseroll("up", "--data", str(tmp_path)) == (
        2,
        "Error: this needs packages that are not installed: pip install 'caseroll[local]'\n",
    )


def test_help() -> None:
    """The list of commands is whole, and says which ones need an extra."""
    code, output = caseroll("--help")

    assert code == 0
    assert [line.split()[0] for line in output.splitlines() if "Needs caseroll[" in line] == CLIENTS


def test_servers() -> None:
    """The API and the workers run without any extra."""
    assert run("import api.app, api.http.server, api.worker") == (0, "")
