"""Measures `assign` of more and more rows on the same cases and users: time per row, and memory.

Memory is each process's peak above its memory before the upload. Each size runs on a fresh copy of
one database; the largest runs once.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.figure import Figure, median_of
from bench.files import make_file
from bench.imports import run_import
from bench.population import populate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.options import Options
    from bench.system import System

SCENARIO = "growth"
_SHORT, _LONG = (10_000, 100_000, 300_000), (10_000, 100_000, 1_000_000, 10_000_000)
_YARDSTICK = 100_000
_REPEATED_UP_TO = 1_000_000
_RATIO_BAR, _MEMORY_BAR = 1.15, 100.0


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure each size."""
    people = 100_000 if options.is_long else 20_000
    sizes = _LONG if options.is_long else _SHORT
    template = await populate(system, "filled", people)
    figures, per_row = [], {}
    peaks: Mapping[str, float] = {}
    for rows in sizes:
        file = make_file("assign", rows, people=people)
        rounds = options.rounds if rows <= _REPEATED_UP_TO else 1
        samples = []
        for _ in range(rounds):
            async with system.copied(template) as copy:
                seconds, usage = await run_import(system, copy, options.workers, "assign", file)
            samples.append(seconds / rows * 1e6)
        per_row[rows] = statistics.median(samples)
        peaks = usage.memory
        figures.append(median_of(SCENARIO, f"{rows:,} rows, for each", samples, "µs"))
    last = sizes[-1]
    figures.append(
        Figure(
            scenario=SCENARIO,
            what=f"for each, {last:,} rows : {_YARDSTICK:,}",
            value=per_row[last] / per_row[_YARDSTICK],
            unit="",
            bar=_RATIO_BAR,
        )
    )
    figures += [
        Figure(
            scenario=SCENARIO,
            what=f"memory above idle, {last:,} rows, {name}",
            value=peak,
            unit="MiB",
            bar=_MEMORY_BAR,
        )
        for name, peak in peaks.items()
    ]
    return figures
