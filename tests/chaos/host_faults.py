"""Faults of the whole machine."""

from __future__ import annotations

import os
import signal

from tests.chaos.fault import Fault
from tests.chaos.run import Run


async def _crash(run: Run) -> None:
    """Kill everything at once; start it again in a random order, with the API last.

    A worker that starts before the servers must wait for them.
    """
    await run.begin()
    await run.moment()
    site = run.site
    site.kill_workers()
    site.kill_api()
    for pid in (site.postgres.pid, site.valkey.pid):
        assert pid
        os.kill(pid, signal.SIGKILL)
    run.strike()
    starts = [site.postgres.start, site.valkey.start, site.start_workers]
    run.random.shuffle(starts)
    for start in starts:
        start()
        await run.moment(2.0)
    site.start_api()
    run.over()
    await run.finish()


FAULTS = [
    Fault(
        name="host-crashed",
        promise="When everything dies at once, imports go on once everything runs again, in any"
        " order of starting.",
        stage=_crash,
    ),
]
