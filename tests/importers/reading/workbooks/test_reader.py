"""The process that reads a workbook keeps its limits, and ends with its table and its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from importers.reading.limits import Limits
from importers.reading.table import Table
from importers.sdk.errors import FileRefusedError
from tests.importers.reading.workbooks.xlsx_files import opened, refused, workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    Children = Callable[[], list[str]]

MANY: list[list[Any]] = [["a", "b"], *[[f"value {n}", n] for n in range(20_000)]]
SAVE_AS_CSV = "Save the sheet as CSV UTF-8."


@pytest.fixture
def children() -> Children:
    """List the processes that the test started, ended ones not waited for too."""
    before = _children()
    return lambda: sorted(_children() - before)


def _children() -> set[str]:
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


def test_too_little_memory() -> None:
    """The reading process gets no more memory than its limit."""
    data = workbook([["a", "b"], *[[f"value {n}", n] for n in range(50_000)]])

    assert refused(data, Limits(workbook_memory=80 * 1024**2)) == (
        "TOO_LARGE",
        "The workbook can't be read with the memory that there is for it (80 MiB). " + SAVE_AS_CSV,
    )


def test_too_little_time(monkeypatch: pytest.MonkeyPatch, children: Children) -> None:
    """The caller waits for the reading process no longer than its limit."""
    monkeypatch.setattr(
        "importers.reading.workbooks.isolated._READER", ["-c", "import time; time.sleep(60)"]
    )
    started = time.monotonic()

    assert refused(workbook(), Limits(workbook_seconds=1)) == (
        "TOO_LARGE",
        f"The workbook takes more than 1 seconds to read. {SAVE_AS_CSV}",
    )
    assert time.monotonic() - started < 10
    assert children() == []


def test_too_much_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading process gets no more CPU time than its limit."""
    program = (
        "import importers.reading.isolated.child as child\n"
        "from importers.reading.limits import Limits\n"
        "child.limit_process(Limits(workbook_seconds=1))\nwhile True: pass"
    )
    monkeypatch.setattr("importers.reading.workbooks.isolated._READER", ["-c", program])

    assert refused(workbook(), Limits(workbook_seconds=30))[0] == "TOO_LARGE"


def test_many_rows(children: Children) -> None:
    """Rows come in batches, and none is lost between two batches."""
    expected = [(n + 2, [f"value {n}", str(n)]) for n in range(20_000)]

    assert list(opened(workbook(MANY)).rows) == expected
    assert children() == []


def test_a_table_left_unread_leaves_no_process(children: Children) -> None:
    """The reading process ends, and is waited for, when its table is dropped."""
    table = opened(workbook(MANY))
    assert len(list(islice(table.rows, 10))) == 10
    assert len(children()) == 1

    del table

    assert children() == []


@pytest.mark.parametrize(
    "limits", [Limits(max_columns=1), Limits(max_rows=1)], ids=["columns", "rows"]
)
def test_a_table_refused_leaves_no_process(limits: Limits, children: Children) -> None:
    """The reading process has ended although the test keeps the error with its traceback."""
    with pytest.raises(FileRefusedError) as caught:
        list(opened(workbook(MANY), limits).rows)

    assert caught.value.errors
    assert children() == []


def test_the_thread_that_opened_a_table_may_end() -> None:
    """Only the process that reads a workbook ends with its parent, not with one of its threads."""
    tables: list[Table] = []
    data = workbook(MANY)
    thread = threading.Thread(target=lambda: tables.append(opened(data)))
    thread.start()
    task = Path(f"/proc/self/task/{thread.native_id}")
    thread.join()
    while task.exists():  # the kernel sends the reader its signal when the thread itself ends
        time.sleep(0.01)

    assert sum(1 for _ in tables.pop().rows) == 20_000


def test_the_reader_ends_with_its_parent(tmp_path: Path) -> None:
    """A killed worker leaves no reading process behind."""
    path = tmp_path / "roster.xlsx"
    path.write_bytes(workbook(MANY))
    program = (
        "import sys, time\n"
        "from importers.reading.limits import Limits\n"
        "from importers.reading.table import open_table\n"
        "t = open_table(open(sys.argv[1], 'rb'), filename='', encoding=None, limits=Limits())\n"
        "print('open', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert parent.stdout
    parent.stdout.readline()
    (reader,) = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 10
    while is_running(int(reader)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(int(reader))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_reader_is_given_no_secrets(
    monkeypatch: pytest.MonkeyPatch, children: Children
) -> None:
    """The reading process gets none of this process's environment."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    table = opened(workbook(MANY))
    (reader,) = children()

    assert b"secret" not in Path(f"/proc/{reader}/environ").read_bytes()
    assert os.environ["DATABASE_URL"]
    assert next(table.rows)
