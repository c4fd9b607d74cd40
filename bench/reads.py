"""Compares queries with a bare JSON route that sends the same answer: CPU seconds per request.

Only the CPU of the server's own process counts, not that of PostgreSQL and the client. The bare
route reads the same request and encodes the document that the query returned. It executes no query,
checks no token and uses no database. The two run in turns.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import orjson
import psutil

from bench.figure import Figure, median_of
from bench.files import make_file
from bench.http_load import load_server
from bench.population import fill, populate
from bench.port import free_port
from bench.system import start_python, stop, wait_until_ready

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


class _QueryCase(NamedTuple):
    query: str
    bar: float | None = None


_FIELDS = "__typename id tagId about status dateOpened createdAt updatedAt"
_QUERIES = {
    "one field": _QueryCase("{ viewer { tokenName } }", 2.0),
    "100 cases, 8 fields": _QueryCase(
        f"{{ cases(first: 100) {{ edges {{ node {{ {_FIELDS} }} }} }} }}", 15
    ),
    "100 cases, with users and roles": _QueryCase(
        f"{{ cases(first: 100) {{ edges {{ node {{ {_FIELDS} assignments {{ edges {{ node {{"
        " user { id tagId givenName familyName } role { key } } } } } } } }",
        15,
    ),
}


class _Target(NamedTuple):
    """A server, and how to send it a request."""

    process: psutil.Process
    url: str
    headers: dict[str, str]


class _RequestCost(NamedTuple):
    """CPU microseconds per request, and requests per second."""

    microseconds: float
    per_second: float


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure each query."""
    filled = await populate(system, "filled", _PEOPLE)
    await fill(filled, {"assign": make_file("assign", _ASSIGNMENTS, people=_PEOPLE)})
    async with system.running(filled, workers=0) as running:
        answers = {name: await running.client.query(case.query) for name, case in _QUERIES.items()}
        async with _bare_server(system.folder, running, answers) as (url, process):
            costs = {
                name: await _compare_with_bare(
                    running,
                    case.query,
                    _Target(process, f"{url}/{_path(name)}", running.client.headers),
                    options,
                )
                for name, case in _QUERIES.items()
            }
    statements = await _count_statements(system, filled)
    return [
        figure
        for name, case in _QUERIES.items()
        for figure in _query_figures(name, case, costs[name], statements[name])
    ]


async def _compare_with_bare(
    running: Running, query: str, bare: _Target, options: Options
) -> list[tuple[_RequestCost, _RequestCost]]:
    """Measure the API and the bare route in turns."""
    seconds = _LONG_SECONDS if options.is_long else _SECONDS
    body = orjson.dumps({"query": query})
    ours = _Target(running.processes["api"], f"{running.url}/graphql", running.client.headers)
    rounds = [
        (await _cost_of(ours, body, seconds), await _cost_of(bare, body, seconds))
        for _ in range(options.rounds + 1)
    ]
    return rounds[1:]  # the first round warms up both


def _query_figures(
    name: str,
    case: _QueryCase,
    rounds: list[tuple[_RequestCost, _RequestCost]],
    statements: float,
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


async def _cost_of(target: _Target, body: bytes, seconds: float) -> _RequestCost:
    before = sum(target.process.cpu_times()[:2])
    load = await load_server(
        target.url, target.headers, body, connections=_CONNECTIONS, seconds=seconds
    )
    used = sum(target.process.cpu_times()[:2]) - before
    return _RequestCost(used / load.requests * 1e6, load.requests / load.seconds)


@asynccontextmanager
async def _bare_server(
    folder: Path, running: Running, answers: Mapping[str, object]
) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Serve the answers from bare routes."""
    documents = {_path(name): {"data": answer} for name, answer in answers.items()}
    documents["ready"] = {}
    path = folder / "documents.json"
    path.write_text(json.dumps(documents), encoding="utf-8")
    port = free_port()
    process = start_python(["-m", "bench.bare", str(port), str(path)])
    try:
        url = f"http://127.0.0.1:{port}"
        await wait_until_ready(running.client.http, url)
        yield url, psutil.Process(process.pid)
    finally:
        stop([process])


def _path(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


async def _count_statements(system: System, target: Database) -> dict[str, float]:
    """Count the statements of one request of each kind, after a first one has warmed up the API."""
    counts = {}
    async with (
        system.copied(target) as copy,
        system.logged(copy) as statements,
        system.running(copy, workers=0) as running,
    ):
        for name, case in _QUERIES.items():
            await running.client.query(case.query)
            before = len(statements())
            for _ in range(_COUNTED):
                await running.client.query(case.query)
            counts[name] = (len(statements()) - before) / _COUNTED
    return counts
