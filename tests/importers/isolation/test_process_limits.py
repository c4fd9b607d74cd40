"""A plugin can neither fork its worker nor take all of its memory."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import importers
from importers import CaseRef, Column, Importer, Row
from importers.isolation import process_limits
from importers.isolation.process_limits import is_exhausted, note_exhausted
from tests.importers.engine_fixture import EngineFixture, Result

ROOT = Path(importers.__file__).parent.parent
FORKS = """
import multiprocessing, os, pty, subprocess, sys
from importers.isolation.process_limits import ForkError, forbid_forks
forbid_forks()
refused = []
for fork in (os.fork, pty.fork, multiprocessing.get_context("fork").Process().start):
    try:
        fork()
    except ForkError as error:
        refused.append(str(error))
print(len(refused), refused[0])
print(subprocess.run([sys.executable, "-c", ""]).returncode)
"""
HOARDS = """
import logging
from importers.isolation.guard import Guard
from importers.isolation.process_limits import is_exhausted, limit_memory
logging.basicConfig(format="%(message)s")
limit_memory(256 * 1024**2, lambda: print("replace me"))
guard = Guard("importer 'x'")
print(len(guard.call(bytes, 1024)), is_exhausted())
try:
    guard.call(bytes, 4 * 1024**3)
except MemoryError:
    print(is_exhausted())
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip


def test_forks_are_refused() -> None:
    """Every way to fork fails before there is a child; other programs can be started."""
    assert run(FORKS).stdout.splitlines() == [
        "3 os.fork() is refused: it would take the worker's connections along",
        "0",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_memory_is_limited() -> None:
    """What wants more gets a MemoryError, and the process hears that it is to be replaced."""
    ended = run(HOARDS)

    assert ended.stdout.splitlines() == ["1024 False", "replace me", "True"]
    assert ended.stderr.strip() == (
        "importer 'x' has run out of memory; this process is to be replaced"
    )


class Greedy(Importer):
    """Wants too much of everything."""

    label = "Greedy"
    case_id = CaseRef(required=True)
    note = Column[str]()

    def change(self, row: Row) -> None:
        """Ask for more memory than any machine has, or be content."""
        if row.note == "hoard":
            bytes(1 << 60)


@pytest.fixture
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget afterwards that memory has run out."""
    monkeypatch.setattr(process_limits, "_listeners", [])
    yield
    process_limits._exhausted.clear()


@pytest.mark.usefixtures("_fresh")
async def test_a_row_that_takes_too_much(
    world: EngineFixture, caplog: pytest.LogCaptureFixture
) -> None:
    """It fails alone, and the worker is to be replaced."""
    greedy = world.with_engine(greedy=Greedy("greedy"))
    with caplog.at_level(logging.ERROR):
        import_id = await greedy.run(
            "greedy", "trv-001,", "trv-001,hoard", "trv-003,", header="case_id,note"
        )

    assert await greedy.results(import_id) == {
        2: Result("UNCHANGED"),
        3: Result("FAILED", codes=("IMPORTER_ERROR",)),
        4: Result("UNCHANGED"),
    }
    assert is_exhausted()


@pytest.mark.usefixtures("_fresh")
def test_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A plugin whose every row wants more fills no log."""
    for _ in range(3):
        note_exhausted("importer 'x'")

    assert [record.message for record in caplog.records] == ["importer 'x' has run out of memory"]
