"""Measures how long a file of ten rows takes, until its end arrives, while nothing else runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.figure import median_and_99th
from bench.files import make_file
from bench.population import populate
from bench.subscriber import subscribed, time_of

if TYPE_CHECKING:
    from bench.figure import Figure
    from bench.options import Options
    from bench.system import System

SCENARIO = "a small file, from the request to the event of its end"
_ROWS = 10
_PEOPLE = 1_000
_WARM_UP = 10
_BARS = (60.0, 200.0)


async def measure(system: System, options: Options) -> list[Figure]:
    """Upload one file after another, each with other pairs."""
    uploads = 300 if options.is_long else 100
    database = await populate(system, "small", _PEOPLE)
    rows = _ROWS * (uploads + _WARM_UP)
    header, *lines = make_file("assign", rows, people=_PEOPLE, is_perfect=True).split(b"\r\n")
    samples = []
    async with (
        system.running(database, workers=options.workers) as running,
        subscribed(running.client) as ends,
    ):
        for number in range(uploads + _WARM_UP):
            file = b"\r\n".join([header, *lines[number * _ROWS : (number + 1) * _ROWS]])
            name = f"small {number}"
            samples.append(await time_of(running.client, ends, "assign", name, file))
    del samples[:_WARM_UP]
    return median_and_99th(SCENARIO, f"{_ROWS} rows", samples, "ms", bars=_BARS)
