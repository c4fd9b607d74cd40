"""A plugin's code is stopped when it takes too long, and can't end the process."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import importers.isolation.guard
from importers import CaseRef, Column, Importer, Row
from importers.isolation.guard import (
    Guard,
    PluginError,
    TooSlowError,
    current_plugin,
    guard_of,
    guarded,
    guarded_await,
    guarding,
)
from importers.plugins.captured_output import CapturedOutput
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.fakes import ASSIGN

ROOT = Path(importers.__file__).parent.parent
HEADER = "case_id,note"


class HandClock:
    """A clock that stands still until it is set forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Set it forward."""
        self.now += seconds


CLOCK = HandClock()


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watchdog look often, so that a call that is late is stopped soon."""
    monkeypatch.setattr(importers.isolation.guard, "_LOOK_SECONDS", 0.01)


def guard_by_hand(*, call_seconds: float = 0.2, total_seconds: float = 30.0) -> Guard:
    """Make a guard for which time passes only when a test says so."""
    return Guard(
        "importer 'x'", call_seconds=call_seconds, total_seconds=total_seconds, clock=CLOCK
    )


def spin() -> None:
    """Compute for ever, as a loop with a mistake does."""
    CLOCK.advance(0.4)
    while True:
        pass


def spin_stubbornly() -> None:
    """Compute for ever, and catch whatever comes."""
    while True:
        try:
            spin()
        except Exception:
            continue


@pytest.mark.parametrize("function", [spin, spin_stubbornly])
def test_an_endless_loop_is_stopped(function: Any) -> None:
    """A call that takes longer than it may is interrupted, even one that catches exceptions."""
    started = time.monotonic()
    with pytest.raises(TooSlowError, match="importer 'x' was stopped"):
        guard_by_hand().call(function)

    assert time.monotonic() - started < 5


def test_all_calls_together() -> None:
    """Calls that are short each may not take for ever together."""
    guard = guard_by_hand(call_seconds=5.0, total_seconds=0.3)
    while guard.spent < 0.3:
        guard.call(CLOCK.advance, 0.02)

    with pytest.raises(TooSlowError, match="has used up its 0 s"):
        guard.call(len, "")


def test_answers_and_exceptions_pass() -> None:
    """What a call returns or raises is passed on; time that it took is counted."""
    guard = Guard("importer 'x'")

    assert guard.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        guard.call(divmod, 7, 0)
    assert 0 < guard.spent < 1


class EndError(BaseException):
    """No `except Exception` catches it, as pytest's and trio's own."""


@pytest.mark.parametrize("error", [SystemExit(1), EndError(), BaseExceptionGroup("", [EndError()])])
def test_an_exit_is_no_end(error: BaseException) -> None:
    """A plugin that exits fails, and does not take the process along."""

    def end() -> None:
        raise error

    with pytest.raises(PluginError, match=f"wanted to end the process: {type(error).__name__}"):
        Guard("importer 'x'").call(end)


def test_calls_that_end_in_time_are_left_alone() -> None:
    """Calls that end just when their time is over never leave an interrupt for the code after."""
    guard = Guard("importer 'x'", call_seconds=0.02, total_seconds=60.0)
    for _ in range(15):
        try:
            guard.call(time.sleep, 0.02)
        except TooSlowError:
            continue
        time.sleep(0.01)

    assert current_plugin() is None


def test_an_interrupt_as_the_call_ends() -> None:
    """An interrupt that is called for in the last moment of a call arrives before the call is over,
    also when the code itself was through."""
    guard = guard_by_hand(total_seconds=100)

    def end_late() -> None:
        CLOCK.advance(0.4)
        guard.watch(threading.get_ident())

    for _ in range(100):
        with pytest.raises(TooSlowError):
            guard.call(end_late)

    assert guard.call(len, "four") == 4
    assert current_plugin() is None


def test_no_interrupt_after_the_call() -> None:
    """The watchdog leaves a thread alone whose call has ended meanwhile, however late that was."""
    guard = guard_by_hand()
    guard.call(CLOCK.advance, 0.4)
    guard.watch(threading.get_ident())

    assert guard.spent == pytest.approx(0.4)


def test_nothing_is_guarded_without_a_guard() -> None:
    """Outside of a chunk calls are plain calls; Caseroll's own importers need no guard."""
    assert guarded(current_plugin) is None
    assert guard_of(ASSIGN) is None
    with guarding(Guard("importer 'x'")):
        assert guarded(current_plugin) == "importer 'x'"
    assert current_plugin() is None


async def test_coroutines_are_guarded_step_by_step() -> None:
    """Of a coroutine only what it computes counts, not what it waits; its name is known."""

    async def work(seconds: float) -> str | None:
        waiting = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(CLOCK.advance, seconds)
        asyncio.get_running_loop().call_soon(waiting.set_result, None)
        await waiting
        return current_plugin()

    guard = guard_by_hand()
    with guarding(guard):
        assert await guarded_await(work(0.4)) == "importer 'x'"
        assert guard.spent == 0
        with pytest.raises(TooSlowError):
            await guarded_await(_spin_later())
    assert guard.spent < 5


async def _spin_later() -> None:
    await asyncio.sleep(0)
    spin()


async def test_exceptions_reach_into_coroutines() -> None:
    """What a coroutine waits for may fail, and it can deal with it."""

    async def work() -> str:
        try:
            await asyncio.wait_for(asyncio.sleep(9), 0.01)
        except TimeoutError:
            return "dealt with"
        return "not reached"

    with guarding(Guard("importer 'x'")):
        assert await guarded_await(work()) == "dealt with"
        with pytest.raises(TimeoutError):
            await guarded_await(asyncio.wait_for(asyncio.sleep(9), 0.01))


async def test_an_endless_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coroutine that waits for something that never comes is given up."""
    monkeypatch.setattr(importers.isolation.guard, "AWAIT_SECONDS", 0.1)
    with guarding(Guard("importer 'x'")), pytest.raises(TooSlowError, match="waited for 0 s"):
        await guarded_await(asyncio.sleep(60))


def test_a_guard_knows_its_thread() -> None:
    """The interrupt goes to the thread that runs the plugin and to no other."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            guard_by_hand().call(spin)
        except TooSlowError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)

    assert len(caught) == 1


HANGS = """
import logging, threading
import importers.isolation.guard as guard
logging.basicConfig()
guard._STUCK_SECONDS = 0.2
guard.die_when_stuck()
lock = threading.Lock()
lock.acquire()
guard.Guard("importer 'x'", call_seconds=0.2).call(lock.acquire)
"""


def test_what_hangs_outside_of_python_ends_the_process() -> None:
    """A call that no interrupt reaches ends a worker, which says where it was."""
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], cwd=ROOT, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip

    assert ended.returncode == 70
    assert "importer 'x' hangs and can't be stopped; this process ends." in ended.stderr
    assert 'File "<string>", line 9' in ended.stderr


HOLDS = """
import logging, re
import importers.isolation.guard as guard
logging.basicConfig()
guard.CALL_SECONDS = guard._STUCK_SECONDS = 0.5
guard.die_when_stuck()
guard.Guard("importer 'x'", call_seconds=0.2).call(re.match, "(a+)+$", "a" * 60 + "b")
"""


def test_what_keeps_python_from_running_ends_the_process() -> None:
    """Code that never lets go of the interpreter, such as a hopeless regular expression, ends a
    worker as well."""
    ended = subprocess.run(
        [sys.executable, "-c", HOLDS], cwd=ROOT, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip

    assert ended.returncode == 1
    assert 'File "<string>", line 7' in ended.stderr


class Odd(Importer):
    """Does what its notes say."""

    label = "Odd"
    case_id = CaseRef(required=True)
    note = Column[str]()

    def change(self, row: Row) -> None:
        """Print, spin, sleep or exit."""
        if row.note == "spin":
            spin()
        elif row.note == "exit":
            sys.exit(3)
        elif row.note == "print":
            print("hello\nthere")
        elif row.note == "sleep":
            CLOCK.advance(0.05)


@pytest.fixture
def odd(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineFixture]:
    """A world with that importer, whose calls may take 0.3 seconds of the clock above."""
    monkeypatch.setattr(
        "importers.run.run_chunk.guard_of",
        lambda importer, _: Guard(
            f"importer {importer.key!r}", call_seconds=0.3, total_seconds=1.5, clock=CLOCK
        ),
    )
    return world.with_engine(odd=Odd("odd"))


async def test_a_row_that_spins_fails_alone(
    odd: EngineFixture, caplog: pytest.LogCaptureFixture
) -> None:
    """The row fails, the others pass, and the log names importer and row and shows the line."""
    with caplog.at_level(logging.ERROR):
        import_id = await odd.run(
            "odd", "trv-001,", "trv-001,spin", "trv-001,exit", "trv-003,", header=HEADER
        )
    errors = await odd.errors(import_id)

    assert await odd.results(import_id) == {
        2: Result("UNCHANGED"),
        3: Result("FAILED", codes=("IMPORTER_ERROR",)),
        4: Result("FAILED", codes=("IMPORTER_ERROR",)),
        5: Result("UNCHANGED"),
    }
    assert errors[3][0]["message"] == (
        "The importer took too long on this row; the worker's log says where."
    )
    assert "importer 'odd' took too long on row 3" in caplog.text
    assert "in spin" in caplog.text


async def test_rows_that_all_spin(odd: EngineFixture, caplog: pytest.LogCaptureFixture) -> None:
    """When the chunk's time is used up, its other rows fail at once."""
    started = time.monotonic()
    with caplog.at_level(logging.ERROR):
        import_id = await odd.run("odd", *["trv-001,spin"] * 200, header=HEADER)

    assert (await odd.counts(import_id)).failed == 200
    assert time.monotonic() - started < 20


async def test_a_slow_importer_is_named(
    odd: EngineFixture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An importer that takes long for a chunk is named in the log, with its figures."""
    monkeypatch.setattr("importers.run.run_chunk._SLOW_CHUNK_SECONDS", 0.1)
    with caplog.at_level(logging.WARNING):
        import_id = await odd.run("odd", *["trv-001,sleep"] * 4, header=HEADER)

    assert re.search(
        rf"importer 'odd' is slow: it took 0\.\d s for 4 rows of import {import_id}, \d+\.\d ms",
        caplog.text,
    )


async def test_prints_go_to_the_log(
    odd: EngineFixture,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What an importer prints is logged with its name; what others print is printed."""
    monkeypatch.setattr(sys, "stdout", CapturedOutput(sys.stdout))
    with caplog.at_level(logging.WARNING):
        await odd.run("odd", "trv-001,print", header=HEADER)
    print("ours")

    assert [record.message for record in caplog.records if "printed" in record.message] == [
        "importer 'odd' printed: hello",
        "importer 'odd' printed: there",
    ]
    assert capsys.readouterr().out == "ours\n"


def test_a_line_is_logged_as_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A line of several arguments, or of several prints, is one; so is one without an end."""
    monkeypatch.setattr(sys, "stdout", CapturedOutput(sys.stdout))
    guard = Guard("importer 'x'")
    with caplog.at_level(logging.WARNING):
        guard.call(print, "row", 7, "of", 9)
        guard.call(partial(print, "begun", end=" "))
        guard.call(partial(print, "and ended\nleft", end=""))
        sys.stdout.flush()

    assert [record.message for record in caplog.records] == [
        "importer 'x' printed: row 7 of 9",
        "importer 'x' printed: begun and ended",
        "importer 'x' printed: left",
    ]


def test_a_flood_of_prints(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin that prints for every row does not fill the log."""
    monkeypatch.setattr(sys, "stdout", CapturedOutput(sys.stdout))
    guard = Guard("importer 'x'")
    with caplog.at_level(logging.WARNING):
        for number in range(300):
            guard.call(print, number)

    assert len(caplog.records) == 101
    assert caplog.records[0].message == "importer 'x' printed: 0"
    assert caplog.records[-1].message == "importer 'x' prints a lot; no more of it is logged"


class Shady(Column[str]):
    """A column that spins on one cell."""

    def parse(self, text: str) -> str:
        """Spin on the cell `spin`."""
        if text == "spin":
            spin()
        return text


async def test_a_column_that_spins(odd: EngineFixture, caplog: pytest.LogCaptureFixture) -> None:
    """So do rows with the one cell that a column spins on."""

    class Shadow(Odd):
        note = Shady()

    made = odd.with_engine(shadow=Shadow("shadow"))
    with caplog.at_level(logging.ERROR):
        import_id = await made.run("shadow", "trv-001,spin", "trv-001,x", header=HEADER)

    assert await made.results(import_id) == {
        2: Result("FAILED", codes=("IMPORTER_ERROR",)),
        3: Result("UNCHANGED"),
    }


async def test_a_reference_that_waits(
    odd: EngineFixture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A look-up that never comes back fails the cells that it was asked for."""
    monkeypatch.setattr(importers.isolation.guard, "AWAIT_SECONDS", 0.2)

    class Slow(CaseRef):
        async def resolve(self, directory: Any, keys: Any) -> Any:
            await asyncio.sleep(60)

    class Waits(Odd):
        case_id = Slow(required=True)

    made = odd.with_engine(waits=Waits("waits"))
    with caplog.at_level(logging.ERROR):
        import_id = await made.run("waits", "trv-001,x", header=HEADER)

    assert await made.results(import_id) == {2: Result("FAILED", codes=("IMPORTER_ERROR",))}


@pytest.mark.parametrize("error", [FileNotFoundError("hr.csv"), TimeoutError(), ConnectionError()])
async def test_a_reference_whose_own_source_is_away(odd: EngineFixture, error: Exception) -> None:
    """What a look-up raises of files and servers of its own fails its cells, and is no sign of a
    database that is to be waited for."""

    class Away(CaseRef):
        async def resolve(self, directory: Any, keys: Any) -> Any:
            raise error

    class Asks(Odd):
        case_id = Away(required=True)

    made = odd.with_engine(asks=Asks("asks"))
    import_id = await made.run("asks", "trv-001,x", header=HEADER)

    assert await made.results(import_id) == {2: Result("FAILED", codes=("IMPORTER_ERROR",))}


def test_slow_loading_is_named(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """A plugin that prints while it is loaded, or takes long, is named in the log."""
    from importers.plugins.registry import load, report
    from tests.importers.plugins.test_registry import Good, Point

    class Loud(Point):
        def load(self) -> Any:
            print("loading")
            return Good

    path = tmp_path / "plugins.toml"
    path.write_text("[importers.one]")
    points: Sequence[Any] = [Loud("one")]
    with caplog.at_level(logging.WARNING), pytest.MonkeyPatch.context() as patch:
        patch.setattr("importers.plugins.registry._SLOW_SECONDS", 0.0)
        report(load(path, found=points))

    assert "importer 'one' printed: loading" in caplog.text
    assert re.search(r"importer 'one' took 0\.0 s to load", caplog.text)


def test_output_that_is_kept(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """What a plugin prints later on the output that it found while it was loaded is logged too."""
    from importers.plugins.registry import load
    from tests.importers.plugins.test_registry import Good, Point

    kept: list[Any] = []

    class Keeping(Point):
        def load(self) -> Any:
            kept.append(sys.stdout)
            return Good

    path = tmp_path / "plugins.toml"
    path.write_text("[importers.one]")
    points: Sequence[Any] = [Keeping("one")]
    load(path, found=points)
    with caplog.at_level(logging.WARNING):
        Guard("importer 'one'").call(lambda: print("later", file=kept[0]))

    assert "importer 'one' printed: later" in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_would_end_the_loop(error: type[BaseException]) -> None:
    """In a worker's thread a plugin's interrupt is its own failure, and ends no worker."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            Guard("importer 'x'").call(_raise, error())
        except PluginError as failure:
            caught.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)

    assert len(caught) == 1


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
def test_what_would_look_like_a_cancel(error: type[BaseException]) -> None:
    """A plugin's function that raises what coroutines are cancelled with has failed."""
    with guarding(Guard("importer 'x'")), pytest.raises(PluginError, match="importer 'x' raised"):
        guarded(_raise, error())


def _raise(error: BaseException) -> None:
    raise error
