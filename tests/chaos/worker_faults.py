"""Faults of worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from tests.chaos.fault import Fault
from tests.chaos.run import Run

_GRACE_SECONDS = 20.0
_KILLS = 20
_BETWEEN_KILLS = 0.8
# PostgreSQL ends idle transactions after 15 s, statements after 30 s, any transaction after 60 s.
_FROZEN_SECONDS = 65.0
_FROZEN_SHORTLY = 25.0
# As long as a worker that wakes may take to do harm.
_HARM_SECONDS = 3.0


def _signal(pid: int, number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


async def _kill_one_after_the_other(run: Run) -> None:
    await run.begin()
    left = 2 if run.is_short else _KILLS
    while left and not await run.is_over():
        await run.moment(_BETWEEN_KILLS)
        workers = run.site.workers()
        if workers and _signal(run.random.choice(workers), signal.SIGKILL):
            run.strike()
            left -= 1
    run.over()
    await run.finish()


async def _kill_all(run: Run) -> None:
    await run.begin()
    await run.moment()
    if run.random.random() < 0.5:
        run.site.kill_workers()
        await run.moment(2.0)
        run.site.start_workers()
    else:
        for pid in run.site.workers():
            _signal(pid, signal.SIGKILL)
    run.strike()
    run.over()
    await run.finish()


async def _stop(run: Run) -> None:
    await run.begin()
    await run.moment()
    seconds = await asyncio.to_thread(run.site.stop_workers)
    run.strike()
    if seconds > _GRACE_SECONDS + 5:
        run.findings.fault(f"SIGTERM took {seconds:.0f} s")
    attempts = sum(state["attempts"] or 0 for state in await run.states())
    if attempts:
        run.findings.fault(f"{attempts} chunks were neither ended nor given back")
    run.site.start_workers()
    run.over()
    await run.finish()


async def _freeze(run: Run) -> None:
    await run.begin()
    await run.moment()
    frozen = [pid for pid in run.site.workers()[:1] if _signal(pid, signal.SIGSTOP)]
    run.strike()
    try:
        await asyncio.sleep(_FROZEN_SHORTLY if run.is_short else _FROZEN_SECONDS)
        states = await run.states()
        if running := [state["id"] for state in states if not state["is_over"]]:
            run.findings.fault(f"imports {running} waited for the frozen worker")
    finally:
        for pid in frozen:
            _signal(pid, signal.SIGCONT)
    run.over()
    await asyncio.sleep(_HARM_SECONDS)
    await run.finish()


FAULTS = [
    Fault(
        name="worker-killed",
        promise="A worker that is killed at any moment leaves nothing half done, and others go on.",
        stage=_kill_one_after_the_other,
        rows=24_000,
    ),
    Fault(
        name="workers-killed",
        promise="When all workers are killed at once, imports go on as soon as there are new ones.",
        stage=_kill_all,
    ),
    Fault(
        name="workers-stopped",
        promise="SIGTERM lets chunks end within the grace time; new workers run the rest.",
        stage=_stop,
        rows=24_000,
    ),
    Fault(
        name="worker-frozen",
        promise="A worker that is frozen for longer than every time-out blocks no import, and does"
        " no harm when it wakes.",
        stage=_freeze,
        rows=24_000,
    ),
]
