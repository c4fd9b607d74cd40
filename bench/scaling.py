"""Compares the same import with one worker process and with two, in turns.

The number of busy cores shows what limits the speed-up: workers, PostgreSQL's processes and the API
share the cores of one machine.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bench.figure import median_of
from bench.files import make_file
from bench.imports import run_import
from bench.population import populate
from bench.usage import cores_busy

if TYPE_CHECKING:
    from bench.figure import Figure
    from bench.options import Options
    from bench.system import System

SCENARIO = "one worker → two"
_BAR = 1.6


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure with one worker and with two."""
    people = max(1_000, options.rows // 10)
    template = await populate(system, "filled", people)
    file = make_file("assign", options.rows, people=people)
    samples, busy = defaultdict(list), defaultdict(list)
    for _ in range(options.rounds):
        for workers in (1, 2):
            async with system.copied(template) as copy:
                seconds, usage = await run_import(system, copy, workers, "assign", file)
            samples[workers].append(seconds)
            busy[workers].append(cores_busy(usage, seconds))
    ratios = [one / two for one, two in zip(samples[1], samples[2], strict=True)]
    rows = f"assign, {options.rows:,} rows"
    return [
        *(
            median_of(SCENARIO, f"{rows}, {workers} worker(s)", samples[workers], "s")
            for workers in (1, 2)
        ),
        *(
            median_of(SCENARIO, f"cores busy, {workers} worker(s)", busy[workers], "")
            for workers in (1, 2)
        ),
        median_of(SCENARIO, "speed-up", ratios, "times", bar=_BAR, is_at_least=True),
    ]
