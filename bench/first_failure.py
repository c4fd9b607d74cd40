"""Measures how long it takes until a client can read the first failed row of a large file."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bench.figure import median_of
from bench.files import make_file
from bench.population import populate

if TYPE_CHECKING:
    from bench.client import Client
    from bench.figure import Figure
    from bench.options import Options
    from bench.system import System

SCENARIO = "the first failed row, from the end of the upload"
_BAR = 1.0
_POLL_SECONDS = 0.02
_FAILED = """
query ($id: ID!) {
  import(id: $id) { rows(first: 1, status: [FAILED]) { edges { node { number errors { code } } } } }
}
"""


async def measure(system: System, options: Options) -> list[Figure]:
    """Query the failed rows of an import from its upload on, until there is one."""
    people = max(1_000, options.rows // 10)
    template = await populate(system, "failing", people)
    file = make_file("assign", options.rows, people=people)
    samples = []
    for _ in range(options.rounds):
        async with (
            system.copied(template) as copy,
            system.running(copy, workers=options.workers) as running,
        ):
            key = await running.client.start("assign", "bench", file)
            samples.append(await _seconds_to_failure(running.client, key))
    return [median_of(SCENARIO, f"{options.rows:,} rows", samples, "s", bar=_BAR)]


async def _seconds_to_failure(client: Client, import_id: str) -> float:
    start = time.perf_counter()
    while not (await client.query(_FAILED, {"id": import_id}))["import"]["rows"]["edges"]:
        await asyncio.sleep(_POLL_SECONDS)
    return time.perf_counter() - start
