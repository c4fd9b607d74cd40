"""Measures the console: what a page costs beside the query that it makes, and what watchers cost.

Only the CPU of the API's own process counts. A page and its query run in turns. An import is
watched for its whole run by fifty pages, and then by fifty subscribers of the same subscription.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from api.console.operation import operation_text
from bench.figure import Figure, median_of
from bench.files import make_file
from bench.http_load import load_server
from bench.population import fill, populate, wrong_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from bench.options import Options
    from bench.system import Database, Running, System

SCENARIO = "console, CPU of the API"
_PEOPLE, _ASSIGNMENTS = 1_000, 5_000
_CONNECTIONS = 4
_SECONDS, _LONG_SECONDS = 1.0, 3.0
_WATCHERS = 50
_RATIO_BAR, _PAGE_MILLISECONDS, _PAGE_KILOBYTES = 1.5, 60, 100


class _Page(NamedTuple):
    """A page, the operation that it runs, and its variables."""

    path: str
    operation: str
    variables: dict[str, Any]


class _PageCost(NamedTuple):
    """CPU microseconds of a page and of its query, and the page's size."""

    page: float
    query: float
    kilobytes: float


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure pages of an app with a few thousand assignments, and watchers of an import."""
    filled = await populate(system, "filled", _PEOPLE)
    await fill(filled, {"assign": make_file("assign", _ASSIGNMENTS, people=_PEOPLE)})
    async with system.running(filled, workers=0) as running:
        found = await running.client.query("{ imports(first: 1) { edges { node { id } } } }")
        pages = _pages(found["imports"]["edges"][0]["node"]["id"])
        costs = {page.path: await _compare(running, page, options) for page in pages}
    figures = [
        figure for page in pages for figure in _page_figures(page.operation, costs[page.path])
    ]
    watched = [await _compare_watchers(system, filled, options) for _ in range(options.rounds)]
    return [*figures, *_watcher_figures(watched)]


def _pages(import_id: str) -> list[_Page]:
    page, of_import = {"first": 50}, {"id": import_id}
    return [
        _Page("imports", "imports", page),
        _Page("assignments", "assignments", {"chosen": [], **page}),
        _Page("users", "users", page),
        _Page("cases", "cases", page),
        _Page("history", "history", {"chosen": [], **page}),
        _Page(f"imports/{import_id}/rows", "import_rows", {**of_import, **page}),
        _Page(
            f"imports/{import_id}/changes",
            "import_changes",
            {**of_import, "isFirst": True, **page},
        ),
    ]


async def _compare(running: Running, page: _Page, options: Options) -> list[_PageCost]:
    """Measure a page and its query in turns."""
    seconds = _LONG_SECONDS if options.is_long else _SECONDS
    client = running.client
    url = f"{client.url}/console/{page.path}"
    cookie = {"Cookie": f"caseroll_token={client.token}"}
    async with client.http.get(url, headers=cookie) as answer:
        text = await answer.read()
    body = orjson.dumps({"query": operation_text(page.operation), "variables": page.variables})

    async def cost(address: str, headers: dict[str, str], sent: bytes | None) -> float:
        before = running.usage().cpu["api"]
        load = await load_server(address, headers, sent, connections=_CONNECTIONS, seconds=seconds)
        return (running.usage().cpu["api"] - before) / load.requests * 1e6

    rounds = [
        _PageCost(
            await cost(url, cookie, None),
            await cost(f"{client.url}/graphql", client.headers, body),
            len(text) / 1_000,
        )
        for _ in range(options.rounds + 1)
    ]
    return rounds[1:]  # the first round warms up both


def _page_figures(name: str, rounds: list[_PageCost]) -> list[Figure]:
    return [
        median_of(
            SCENARIO,
            f"page {name}",
            [each.page / 1_000 for each in rounds],
            "ms",
            bar=_PAGE_MILLISECONDS,
        ),
        median_of(
            SCENARIO,
            f"page {name}, to its query",
            [each.page / each.query for each in rounds],
            "",
            bar=_RATIO_BAR,
        ),
        median_of(SCENARIO, f"page {name}, size", [rounds[0].kilobytes], "kB", bar=_PAGE_KILOBYTES),
    ]


async def _compare_watchers(
    system: System, filled: Database, options: Options
) -> tuple[float, float]:
    """Return the API's CPU seconds for a whole import with watching pages, and with subscribers."""
    return (
        await _run_watched(system, filled, options, _browser),
        await _run_watched(system, filled, options, _subscriber),
    )


async def _run_watched(
    system: System,
    filled: Database,
    options: Options,
    watch: Callable[[Running, str], AbstractAsyncContextManager[None]],
) -> float:
    file = make_file("assign", options.rows, people=_PEOPLE, tag="watched")
    async with (
        system.copied(filled) as copy,
        system.running(copy, workers=options.workers) as running,
        AsyncExitStack() as stack,
    ):
        before = running.usage().cpu["api"]
        key = await running.client.start("assign", "watched", file)
        for _ in range(_WATCHERS):
            await stack.enter_async_context(watch(running, key))
        await running.client.wait(key, failed=wrong_rows(file))
        return running.usage().cpu["api"] - before


@asynccontextmanager
async def _browser(running: Running, key: str) -> AsyncIterator[None]:
    """Watch as the page of an import does."""
    headers = {"Cookie": f"caseroll_token={running.client.token}"}
    url = f"{running.client.url}/console/imports/{key}/live"
    async with running.client.http.get(url, headers=headers) as answer:
        task = asyncio.ensure_future(answer.content.read())
        yield
        task.cancel()


@asynccontextmanager
async def _subscriber(running: Running, key: str) -> AsyncIterator[None]:
    """Watch by the page's subscription, over a WebSocket."""
    client = running.client
    payload = {"query": operation_text("import_live"), "variables": {"id": key}}
    async with client.http.ws_connect(
        f"{client.url}/graphql", protocols=["graphql-transport-ws"]
    ) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"token": client.token}})
        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})

        async def read() -> None:
            async for message in socket:
                json.loads(message.data)

        task = asyncio.ensure_future(read())
        yield
        task.cancel()


def _watcher_figures(rounds: list[tuple[float, float]]) -> list[Figure]:
    return [
        median_of(
            SCENARIO,
            f"an import watched by {_WATCHERS} pages",
            [pages for pages, _ in rounds],
            "s",
        ),
        median_of(
            SCENARIO,
            "the same, to as many subscribers",
            [pages / subscribers for pages, subscribers in rounds],
            "",
            bar=1.0,
        ),
    ]
