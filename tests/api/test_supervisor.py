"""The supervisor keeps real processes alive and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from api.supervisor import ChildSpec, Supervisor

# Notes its process id in a file, then does as its argument says.
CHILD = """
import os, signal, sys, time
with open(sys.argv[1], "a") as notes:
    print(os.getpid(), file=notes)
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[2].isdigit():
    sys.exit(int(sys.argv[2]))
time.sleep(60)
"""
SUPERVISOR = """
import os, sys
from api.supervisor import ChildSpec, Supervisor
argv = (sys.executable, "-c", sys.argv[1], *sys.argv[2:4])
spec = ChildSpec(name="child", argv=argv, env=dict(os.environ), count=int(sys.argv[4]))
with Supervisor([spec]) as supervisor:
    code = supervisor.run()
sys.exit(code)
"""


def spec(notes: Path, behaviour: str = "wait", count: int = 1) -> ChildSpec:
    argv = (sys.executable, "-c", CHILD, str(notes), behaviour)
    return ChildSpec(name="child", argv=argv, env=dict(os.environ), count=count)


def launch(notes: Path, behaviour: str = "wait", count: int = 1) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", SUPERVISOR, CHILD, str(notes), behaviour, str(count)]
    return subprocess.Popen(argv)


def noted(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def test_killed_child_is_started_again(notes: Path) -> None:
    """A child killed with -9 is replaced; the others are left alone."""
    supervisor = launch(notes, count=2)
    wait_for(lambda: len(noted(notes)) == 2)
    first, other = noted(notes)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(noted(notes)) == 3)

    assert is_alive(other)
    supervisor.terminate()
    assert supervisor.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_everything(notes: Path, number: signal.Signals) -> None:
    """Each of the three signals that mean "stop" stops every child and ends with exit code 0."""
    supervisor = launch(notes, count=3)
    wait_for(lambda: len(noted(notes)) == 3)
    supervisor.send_signal(number)

    assert supervisor.wait(10) == 0
    assert not any(is_alive(pid) for pid in noted(notes))


def test_killed_supervisor_leaves_no_orphan(notes: Path) -> None:
    """Children die with a supervisor that was killed with -9."""
    supervisor = launch(notes, "stubborn", count=2)
    wait_for(lambda: len(noted(notes)) == 2)
    supervisor.kill()
    supervisor.wait()

    wait_for(lambda: not any(is_alive(pid) for pid in noted(notes)))


def test_second_signal_kills_at_once(notes: Path) -> None:
    """A child that ignores SIGTERM is killed when the operator insists."""
    supervisor = launch(notes, "stubborn")
    wait_for(lambda: len(noted(notes)) == 1)
    time.sleep(0.2)  # until it ignores the signal
    supervisor.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        supervisor.wait(0.5)
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(5) == 0
    assert not is_alive(noted(notes)[0])


def test_stubborn_child_is_killed_after_the_grace(notes: Path) -> None:
    """Leaving the block waits no longer than the grace allows."""
    with Supervisor([spec(notes, "stubborn")], grace=0.3) as supervisor:
        supervisor.run(lambda: _signal_once_noted(notes))
        start = time.monotonic()

    assert 0.3 <= time.monotonic() - start < 3
    assert not is_alive(noted(notes)[0])


def test_failing_child_is_retried_more_and_more_slowly(notes: Path) -> None:
    """A child that keeps failing is started again after 0.2 s, then 0.4 s, then 0.8 s."""
    starts: list[float] = []

    def look() -> None:
        while len(starts) < len(noted(notes)):
            starts.append(time.monotonic())
        if len(starts) == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    with Supervisor([spec(notes, "1")]) as supervisor:
        assert supervisor.run(look) == 0

    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses[0] >= 0.15
    assert pauses[1] >= 0.35
    assert pauses[2] >= 0.75


def test_refusing_child_stops_everything(notes: Path) -> None:
    """A child that ends with exit code 2 is not started again: its settings are wrong."""
    refusing = notes.with_name("refusing")
    with Supervisor([spec(notes), spec(refusing, "2")]) as supervisor:
        assert supervisor.run() == 2

    assert len(noted(refusing)) == 1
    assert not any(is_alive(pid) for pid in noted(notes))


def test_children_are_out_of_reach_of_the_terminal(notes: Path) -> None:
    """Ctrl-C in a terminal, which signals our process group, does not reach the children."""
    with Supervisor([spec(notes)]) as supervisor:
        supervisor.run(lambda: _signal_once_noted(notes))

        assert os.getpgid(noted(notes)[0]) != os.getpgrp()


def test_dead_server_is_started_again(notes: Path) -> None:
    """A server that died is started again, before the children are looked after."""

    class Server:
        name = "fake"
        starts = 0

        def is_running(self) -> bool:
            return self.starts > 0

        def start(self) -> None:
            self.starts += 1

    server = Server()
    with Supervisor([spec(notes)], servers=[server]) as supervisor:
        supervisor.run(lambda: _signal_once_noted(notes))

    assert server.starts == 1


def test_handlers_are_put_back(notes: Path) -> None:
    """Outside the block, signals do again what they did before."""
    before = signal.getsignal(signal.SIGINT)
    with Supervisor([spec(notes)]):
        assert signal.getsignal(signal.SIGINT) != before

    assert signal.getsignal(signal.SIGINT) == before


def _signal_once_noted(notes: Path) -> None:
    if noted(notes):
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
