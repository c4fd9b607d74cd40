"""The project's first page: its commands, typed into a terminal one by one."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.program import launch, until_ready

ROOT = Path(__file__).parents[2]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def blocks(section: str) -> list[str]:
    """Return the pieces of code in a section of the page."""
    text = (ROOT / "README.md").read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder as `make up` leaves it, with everything running; each test begins with new data."""
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "activate").write_text(f"PATH={shlex.quote(str(scripts))}:$PATH\n")
    (scripts / "caseroll").write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m api.cli "$@"\n'
    )
    (scripts / "caseroll").chmod(0o755)
    with until_ready(launch(["up", "--demo"], cwd=tmp_path)):
        yield tmp_path


def type_in(commands: str, folder: Path) -> list[str]:
    """Run commands in a terminal of 100 columns, and return the lines that it shows."""
    ours, theirs = pty.openpty()
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        ["bash", "-c", commands],
        cwd=folder,
        env={**environ, "TERM": "xterm", "COLUMNS": "100", "LC_ALL": "C.UTF-8"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        while block := _read(ours):
            shown += block
    os.close(ours)
    return [line.strip() for line in re.split("[\r\n]+", ESCAPES.sub("", shown.decode()))]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other side is closed
        return b""


def test_first_import(folder: Path) -> None:
    """The sample is what the page shows, and so is what the terminal says of a wrong file."""
    sample, content, wrong, said = blocks("A first import")
    first = type_in(sample, folder)
    second = type_in(f". .venv/bin/activate\n{wrong}", folder)

    assert first[-2:] == ["Processed: First import, 1 row: 1 passed, 1 created.", ""]
    assert (folder / "assign.csv").read_text() == content
    assert second[-len(said.splitlines()) - 1 :] == [*said.splitlines(), ""]


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_curl(folder: Path) -> None:
    """The commands for curl upload the sample, and list imports."""
    [commands] = blocks("The same with any GraphQL client")
    answers = type_in(
        f". .venv/bin/activate\ncaseroll sample assign -o assign.csv\n{commands}", folder
    )
    created, listed = json.JSONDecoder().raw_decode("".join(answers))[0], "".join(answers)

    assert created["data"]["createImport"]["userErrors"] == []
    assert '"name":"By curl"' in listed
