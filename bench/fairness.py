"""Measures small imports while a large one runs, and behind fifty imports of another app."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from bench.client import FINAL, Client
from bench.figure import Figure, median_and_99th
from bench.files import make_file
from bench.population import populate
from bench.subscriber import subscribed, time_of
from models.app import Permission, create_app, create_token
from models.db import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.options import Options
    from bench.system import Database, System

SCENARIO = "ten rows while others are at work, from the request to the event of their end"
_ROWS = 10
_PAUSE = 0.1
_BAR = 1_000.0
_QUEUED = 50
_OTHERS = 5
_STATE = "query ($id: ID!) { import(id: $id) { status total } }"


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure with two workers, and with one."""
    people = max(1_000, options.rows // 10)
    template = await populate(system, "fair", people)
    figures = []
    for workers in (2, 1):
        async with system.copied(template) as copy:
            figures += await _beside_a_large_one(system, copy, options.rows, people, workers)
        async with system.copied(template) as copy:
            figures += await _behind_another_app(system, copy, options.rows, people, workers)
    return figures


async def _beside_a_large_one(
    system: System, target: Database, rows: int, people: int, workers: int
) -> list[Figure]:
    """Upload small files one after another until a large import is finished."""
    header, *lines = make_file("assign", rows * 2, people=people, is_perfect=True).split(b"\r\n")
    large = b"\r\n".join([header, *lines[:rows]])
    samples: dict[str, list[float]] = defaultdict(list)
    async with (
        system.running(target, workers=workers) as running,
        subscribed(running.client) as ends,
    ):
        start = time.perf_counter()
        key = await running.client.start("assign", "large", large)
        small = _small_files(header, lines[rows:])
        while phase := await _phase(running.client, key):
            samples[phase].append(
                await time_of(running.client, ends, "assign", "small", next(small))
            )
            await asyncio.sleep(_PAUSE)
        seconds = time.perf_counter() - start
    what = f"{_workers(workers)}, a file of {rows:,} rows"
    return [
        *(
            figure
            for phase, each in samples.items()
            for figure in _delay_figures(f"{what} {phase}", each)
        ),
        Figure(scenario=SCENARIO, what=f"{what}: itself", value=seconds, unit="s"),
    ]


async def _behind_another_app(
    system: System, target: Database, rows: int, people: int, workers: int
) -> list[Figure]:
    """Queue many imports of one app, then upload small ones of another."""
    size = rows // _QUEUED
    header, *lines = make_file("assign", rows, people=people, is_perfect=True).split(b"\r\n")
    async with database(target.url):
        app = await create_app("other", "Other")
        token = await create_token(app, "bench", Permission.ADMIN)
    samples = []
    async with system.running(target, workers=workers) as running:
        for number in range(_QUEUED):
            part = lines[number * size : (number + 1) * size]
            await running.client.start("assign", f"many {number}", b"\r\n".join([header, *part]))
        other = Client(running.client.http, running.url, token)
        async with subscribed(other) as ends:
            for number in range(_OTHERS):
                file = make_file("add-cases", _ROWS, tag=f"other{number}", is_perfect=True)
                samples.append(await time_of(other, ends, "add-cases", "small", file))
    what = f"{_workers(workers)}, behind {_QUEUED} imports of another app"
    return _delay_figures(f"{what}, of {size:,} rows", samples)


async def _phase(client: Client, import_id: str) -> str | None:
    """Return the phase that an import is in; None when it is finished."""
    found = (await client.query(_STATE, {"id": import_id}))["import"]
    if found["status"] in FINAL:
        return None
    return "is cut" if found["total"] is None else "runs"


def _small_files(header: bytes, lines: list[bytes]) -> Iterator[bytes]:
    for first in range(0, len(lines), _ROWS):
        yield b"\r\n".join([header, *lines[first : first + _ROWS]])


def _delay_figures(what: str, samples: list[float]) -> list[Figure]:
    return median_and_99th(SCENARIO, what, samples, "ms", bars=(_BAR, _BAR))


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
