"""Compares Caseroll with django-import-export on the same tables.

django-import-export gets only the beginning of the file: it would take an hour for the whole file.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from typing import TYPE_CHECKING

from bench.figure import Figure, median_of
from bench.files import make_file
from bench.imports import run_import
from bench.population import populate, wrong_rows

if TYPE_CHECKING:
    from bench.options import Options
    from bench.system import Database, System

SCENARIO = "assign, to django-import-export"
_BAR = 100.0
# The first is as its documentation shows. The second caches whole tables in memory. The last takes
# every row for a new assignment, so it can't handle one that exists.
_WAYS = {
    "plain": "bulk mode",
    "caching": "bulk mode, references cached",
    "blind": "the same, all rows taken for new assignments",
}


async def measure(system: System, options: Options) -> list[Figure]:
    """Import the same rows with both, in turns."""
    people = max(1_000, options.rows // 10)
    template = await populate(system, "compared", people)
    file = make_file("assign", options.rows, people=people)
    few = 10_000 if options.is_long else 2_000
    beginning = b"\r\n".join(file.split(b"\r\n")[: few + 1])
    ours: list[float] = []
    theirs: dict[str, list[float]] = {way: [] for way in _WAYS}
    for _ in range(options.rounds):
        async with system.copied(template) as copy:
            seconds, _ = await run_import(system, copy, options.workers, "assign", file)
        ours.append(options.rows / seconds)
        for way, rates in theirs.items():
            async with system.copied(template) as copy:
                rates.append(few / await _run_import_export(copy, way, beginning))
    figures = [
        median_of(
            SCENARIO, f"Caseroll, {options.workers} workers, {options.rows:,} rows", ours, "rows/s"
        )
    ]
    for way, rates in theirs.items():
        figures += _ratio_figures(way, few, ours, rates)
    return figures


def _ratio_figures(way: str, rows: int, ours: list[float], theirs: list[float]) -> list[Figure]:
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    bar = _BAR if way == "plain" else None
    return [
        median_of(SCENARIO, f"{_WAYS[way]}, {rows:,} rows", theirs, "rows/s"),
        Figure(
            scenario=SCENARIO,
            what="ratio",
            value=statistics.median(ratios),
            unit="",
            samples=ratios,
            bar=bar,
            is_at_least=True,
        ),
    ]


async def _run_import_export(target: Database, way: str, file: bytes) -> float:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.import_export_run", target.url, way),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(file)
    if process.returncode:
        raise SystemExit("django-import-export has failed")
    found = json.loads(output)
    wrong = wrong_rows(file)
    if (found["written"], found["failed"]) != (file.count(b"\n") - wrong, wrong):
        raise SystemExit(f"django-import-export has done something else: {found}")
    return float(found["seconds"])
