"""Queries beside a bare JSON route that answers the same, in turns: seconds of CPU a request.

Counted is what the API's process uses; PostgreSQL's and the client's are their own. The bare route
reads the same request and encodes the document that the query has returned; it looks at no
query, no token and no database.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import orjson
import psutil

from bench.figure import Figure, median_of
from bench.files import make_file
from bench.population import fill, populate
from bench.port import free_port
from bench.pressure import press
from bench.system import stop, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from bench.options import Options
    from bench.system import Database, Running, System

SCENARIO = "queries, CPU of the API to that of a bare JSON route"
_PEOPLE, _ASSIGNMENTS = 1_000, 5_000
_CONNECTIONS = 16
_SECONDS, _LONG_SECONDS = 1.0, 3.0
_COUNTED = 10


class _Case(NamedTuple):
    query: str
    bar: float | None = None


_FIELDS = "__typename id tagId about status dateOpened createdAt updatedAt"
_CASES = {
    "one field": _Case("{ viewer { tokenName } }", 2.0),
    "100 cases, 8 fields": _Case(
        f"{{ cases(first: 100) {{ edges {{ node {{ {_FIELDS} }} }} }} }}", 15
    ),
    "100 cases, with users and roles": _Case(
        f"{{ cases(first: 100) {{ edges {{ node {{ {_FIELDS} assignments {{ edges {{ node {{"
        " user { id tagId givenName familyName } role { key } } } } } } } }",
        15,
    ),
}


class _Target(NamedTuple):
    """A server to be asked."""

    process: psutil.Process
    url: str
    headers: dict[str, str]


class _Cost(NamedTuple):
    microseconds: float
    per_second: float


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure each query."""
    filled = await populate(system, "filled", _PEOPLE)
    await fill(filled, {"assign": make_file("assign", _ASSIGNMENTS, people=_PEOPLE)})
    async with system.running(filled, workers=0) as running:
        answers = {name: await running.client.query(case.query) for name, case in _CASES.items()}
        async with _bare(system.folder, running, answers) as (url, process):
            costs = {
                name: await _compare(
                    running,
                    case.query,
                    _Target(process, f"{url}/{_path(name)}", running.client.headers),
                    options,
                )
                for name, case in _CASES.items()
            }
    statements = await _count_statements(system, filled)
    return [
        figure
        for name, case in _CASES.items()
        for figure in _figures(name, case, costs[name], statements[name])
    ]


async def _compare(
    running: Running, query: str, bare: _Target, options: Options
) -> list[tuple[_Cost, _Cost]]:
    """Measure ours and the bare route in turns."""
    seconds = _LONG_SECONDS if options.is_long else _SECONDS
    body = orjson.dumps({"query": query})
    ours = _Target(running.processes["api"], f"{running.url}/graphql", running.client.headers)
    rounds = [
        (await _cost(ours, body, seconds), await _cost(bare, body, seconds))
        for _ in range(options.rounds + 1)
    ]
    return rounds[1:]  # the first one has warmed up both


def _figures(
    name: str, case: _Case, rounds: list[tuple[_Cost, _Cost]], statements: float
) -> list[Figure]:
    return [
        median_of(
            SCENARIO,
            name,
            [ours.microseconds for ours, _ in rounds],
            "µs",
            details={"requests_per_second": [round(ours.per_second) for ours, _ in rounds]},
        ),
        median_of(SCENARIO, f"{name}: bare", [bare.microseconds for _, bare in rounds], "µs"),
        median_of(
            SCENARIO,
            f"{name}: ratio",
            [ours.microseconds / bare.microseconds for ours, bare in rounds],
            "",
            bar=case.bar,
        ),
        Figure(scenario=SCENARIO, what=f"{name}: statements", value=statements, unit=""),
    ]


async def _cost(target: _Target, body: bytes, seconds: float) -> _Cost:
    before = sum(target.process.cpu_times()[:2])
    load = await press(target.url, target.headers, body, connections=_CONNECTIONS, seconds=seconds)
    used = sum(target.process.cpu_times()[:2]) - before
    return _Cost(used / load.requests * 1e6, load.requests / load.seconds)


@asynccontextmanager
async def _bare(
    folder: Path, running: Running, answers: Mapping[str, object]
) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Serve the answers from bare routes."""
    documents = {_path(name): {"data": answer} for name, answer in answers.items()}
    documents["ready"] = {}
    path = folder / "documents.json"
    path.write_text(json.dumps(documents), encoding="utf-8")
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port), str(path)])
    try:
        url = f"http://127.0.0.1:{port}"
        await wait_until_ready(running.client.http, url)
        yield url, psutil.Process(process.pid)
    finally:
        stop([process])


def _path(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


async def _count_statements(system: System, target: Database) -> dict[str, float]:
    """Count what one request of each kind asks PostgreSQL, on an API that has begun to work."""
    counts = {}
    async with (
        system.copied(target) as copy,
        system.logged(copy) as statements,
        system.running(copy, workers=0) as running,
    ):
        for name, case in _CASES.items():
            await running.client.query(case.query)
            before = len(statements())
            for _ in range(_COUNTED):
                await running.client.query(case.query)
            counts[name] = (len(statements()) - before) / _COUNTED
    return counts
