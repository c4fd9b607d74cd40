"""Compares imports with the same work by hand, in turns, on fresh copies of one database.

An import's time is from the first byte of the upload to `PROCESSED`, through the API and worker
processes, with row results and history. For the work by hand, see `bench/by_hand.py`.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from bench.by_hand import by_hand
from bench.figure import Figure, median_of
from bench.files import make_file
from bench.population import fill, populate, wrong_rows
from bench.usage import usage_figures

if TYPE_CHECKING:
    from bench.options import Options
    from bench.system import Database, System
    from bench.usage import Used

SCENARIO = "imports, to the same by hand"
_BARS = {"assign": 1.0, "modify": 1.2, "remove": 1.2, "add-users": 1.2}
_ON_ASSIGNMENTS = ("modify", "remove")


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure each type of import."""
    people = max(1_000, options.rows // 10)
    empty = await populate(system, "filled", people)
    templates = dict.fromkeys(options.types, empty)
    if on_assignments := set(options.types) & set(_ON_ASSIGNMENTS):
        assigned = await populate(system, "assigned", people)
        await fill(assigned, {"assign": make_file("assign", options.rows, people=people)})
        templates |= dict.fromkeys(on_assignments, assigned)
    figures = []
    for type_ in options.types:
        file = make_file(type_, options.rows, people=people)
        figures += await _compare_with_hand(system, options, type_, file, templates[type_])
    return figures


async def _compare_with_hand(
    system: System, options: Options, type_: str, file: bytes, template: Database
) -> list[Figure]:
    hands, ours, ratios, usages = [], [], [], []
    for _ in range(options.rounds):
        async with system.copied(template) as copy:
            seconds, written = await by_hand(copy.url, type_, file)
        if written != options.rows - wrong_rows(file):
            raise SystemExit(f"by hand, {type_} wrote {written} rows")
        hands.append(seconds)
        async with system.copied(template) as copy:
            seconds, usage = await run_import(system, copy, options.workers, type_, file)
        ours.append(seconds)
        ratios.append(ours[-1] / hands[-1])
        usages.append(usage)
    rate = options.rows / statistics.median(ours)
    return [
        median_of(SCENARIO, f"{type_} by hand, {options.rows:,} rows", hands, "s"),
        median_of(
            SCENARIO,
            f"{type_}, {options.workers} workers, {rate:,.0f} rows/s",
            ours,
            "s",
        ),
        median_of(SCENARIO, f"{type_}: ratio", ratios, "", bar=_BARS[type_]),
        *usage_figures(SCENARIO, type_, usages),
    ]


async def run_import(
    system: System, target: Database, workers: int, type_: str, file: bytes, **environ: str
) -> tuple[float, Used]:
    """Upload a file and wait for the end of its import.

    Args:
        environ: settings of the processes.

    Returns:
        Seconds, and the resource usage of the processes.
    """
    async with system.running(target, workers=workers, **environ) as running:
        before = running.usage()
        start = time.perf_counter()
        key = await running.client.start(type_, "bench", file)
        await running.client.wait(key, failed=wrong_rows(file))
        seconds = time.perf_counter() - start
        return seconds, running.usage(before)
