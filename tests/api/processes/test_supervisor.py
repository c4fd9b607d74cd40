"""The supervisor keeps real processes alive and leaves none behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from api.processes.child import ChildSpec
from api.processes.exit_code import EXIT_NO_MEMORY
from api.processes.supervisor import Supervisor

# Notes its process id in a file, then does as its argument says.
CHILD = """
import os, signal, sys, time
with open(sys.argv[1], "a") as notes:
    print(os.getpid(), file=notes)
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[2].isdigit():
    sys.exit(int(sys.argv[2]))
if os.path.exists(sys.argv[1] + ".wrong"):
    sys.exit(2)
time.sleep(60)
"""
SUPERVISOR = """
import os, sys
from api.processes.child import ChildSpec
from api.processes.supervisor import Supervisor
argv = (sys.executable, "-c", sys.argv[1], *sys.argv[2:4])
spec = ChildSpec(name="child", argv=argv, env=dict(os.environ), count=int(sys.argv[4]))
check = ChildSpec(name="check", argv=(sys.executable, "-c", ""), env=spec.env)
# A process of Python takes a second to start on a busy machine.
with Supervisor([spec], check=check if "reload" in sys.argv else None, proof=2.0) as supervisor:
    code = supervisor.run()
sys.exit(code)
"""
# The same with a terminal, which is stdin.
IN_TERMINAL = f"""
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
{SUPERVISOR}
"""


def spec(notes: Path, behaviour: str = "wait", count: int = 1) -> ChildSpec:
    argv = (sys.executable, "-c", CHILD, str(notes), behaviour)
    return ChildSpec(name="child", argv=argv, env=dict(os.environ), count=count)


def launch(notes: Path, behaviour: str = "wait", count: int = 1) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", SUPERVISOR, CHILD, str(notes), behaviour, str(count)]
    return subprocess.Popen(argv)


def checked_by(code: str) -> ChildSpec:
    return ChildSpec(name="check", argv=(sys.executable, "-c", code), env=dict(os.environ))


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
    children = noted(notes)
    supervisor.kill()

    assert supervisor.wait(10) == -signal.SIGKILL
    wait_for(lambda: not any(map(is_alive, children)))
    assert noted(notes) == children


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


def test_child_without_memory_is_replaced(notes: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that has run out of memory ends by itself: the log says so, and another starts."""

    def look() -> None:
        if len(noted(notes)) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with Supervisor([spec(notes, str(EXIT_NO_MEMORY))]) as supervisor:
        assert supervisor.run(look) == 0

    assert caplog.messages[0] == (
        "child ended, as it had run out of the memory that it may take; starting it again in 0.2 s"
    )


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


def test_hangup_replaces_one_after_another(notes: Path) -> None:
    """With a check that finds nothing wrong, SIGHUP replaces every child, each once the one before
    it has shown that it lives."""
    alive: list[set[int]] = []

    def look() -> None:
        pids = noted(notes)
        alive.append({pid for pid in pids if is_alive(pid)})
        if len(pids) == 3 and len(alive[0]) < 3:
            alive.clear()
            os.kill(os.getpid(), signal.SIGHUP)
        if len(pids) == 6 and not alive[-1] & set(pids[:3]):
            os.kill(os.getpid(), signal.SIGTERM)

    with Supervisor([spec(notes, count=3)], check=checked_by(""), proof=0.3) as supervisor:
        assert supervisor.run(look) == 0

    old = noted(notes)[:3]
    assert min(map(len, alive)) >= 2
    assert sorted({len(pids & set(old)) for pids in alive}) == [0, 1, 2, 3]
    assert len(noted(notes)) == 6


def test_hangup_with_wrong_settings(notes: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the check finds wrong is said as it says it, and every child is left alone."""
    problems = "Error: one thing.\nError: another."
    check = checked_by(f"import sys; sys.exit({problems!r})")

    def look() -> None:
        if len(noted(notes)) == 2 and not caplog.records:
            os.kill(os.getpid(), signal.SIGHUP)
        if caplog.records:
            os.kill(os.getpid(), signal.SIGTERM)

    with Supervisor([spec(notes, count=2)], check=check, proof=0.1) as supervisor:
        supervisor.run(look)
        assert all(is_alive(pid) for pid in noted(notes))

    assert len(noted(notes)) == 2
    assert caplog.messages == [f"check found this wrong; all go on as they were:\n{problems}"]


def test_child_that_refuses_what_it_is_replaced_by(notes: Path) -> None:
    """When the first new one refuses its settings after all, the others are left alone, and all are
    replaced once it does not any more."""
    wrong = notes.with_name("pids.wrong")
    supervisor = launch(notes, "reload", count=2)
    wait_for(lambda: len(noted(notes)) == 2)
    started = noted(notes)
    time.sleep(2.2)  # until they have lived long enough to count as healthy
    wrong.touch()
    supervisor.send_signal(signal.SIGHUP)
    wait_for(lambda: len(noted(notes)) >= 4)

    assert sum(map(is_alive, started)) == 1
    wrong.unlink()
    wait_for(lambda: not any(map(is_alive, started)))
    supervisor.terminate()
    assert supervisor.wait(10) == 0


def test_stubborn_child_is_replaced_after_the_grace(notes: Path) -> None:
    """A child that ignores SIGTERM is killed when its time is over, and replaced."""

    def look() -> None:
        pids = noted(notes)
        if len(pids) == 1 and not supervisor._hangups:
            time.sleep(0.1)  # until it ignores the signal
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.1)
        if len(pids) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    check = checked_by("")
    with Supervisor([spec(notes, "stubborn")], check=check, grace=0.3, proof=0) as supervisor:
        supervisor.run(look)

    assert not any(is_alive(pid) for pid in noted(notes))


@pytest.mark.parametrize("is_nohup", [False, True], ids=["plain", "nohup"])
def test_closed_terminal(notes: Path, is_nohup: bool) -> None:
    """A terminal that closes stops what was started in it; under nohup the same signal has the
    children replaced."""
    ours, theirs = pty.openpty()
    # Said either way, as these tests may themselves be run under nohup.
    code = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_{'IGN' if is_nohup else 'DFL'})"
    argv = [sys.executable, "-c", code + IN_TERMINAL, CHILD, str(notes), "reload", "1"]
    supervisor = subprocess.Popen(argv, stdin=theirs, start_new_session=True)
    os.close(theirs)
    wait_for(lambda: len(noted(notes)) == 1)
    os.close(ours)

    if is_nohup:
        wait_for(lambda: len(noted(notes)) == 2)
        supervisor.terminate()
    assert supervisor.wait(10) == 0
    assert len(noted(notes)) == (2 if is_nohup else 1)


def _signal_once_noted(notes: Path) -> None:
    if noted(notes):
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
