"""Measures plans: a dry run, pages of what it would change, what follows from it, apply and undo.

The import itself, and the dry run with its apply and the undo of that, take turns on fresh copies
of one database. Times are those of a client, through the API and worker processes.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.figure import Figure, median_of
from bench.files import make_file
from bench.imports import run_import
from bench.population import fill, populate, wrong_rows

if TYPE_CHECKING:
    from bench.client import Client
    from bench.options import Options
    from bench.system import Database, Running, System

SCENARIO = "plans"
_TYPES = ("assign", "modify", "remove")
_PAGE_BAR, _CONSEQUENCES_BAR, _APPLY_BAR, _UNDO_BAR = 50.0, 2.0, 1.0, 1.0
_APPLY = """
mutation ($id: ID!) { applyImport(id: $id) { import { id } userErrors { code message } } }
"""
_UNDO = """
mutation ($id: ID!) { undoImport(id: $id) { import { id } userErrors { code message } } }
"""
_CHANGES = """
query ($id: ID!, $first: Int, $last: Int, $kind: [ChangeKind!]) {
  import(id: $id) { changes(first: $first, last: $last, kind: $kind) {
    totalCount edges { node { row kind isStale case { tagId } user { tagId }
      fields { name before after } } } } }
}
"""
_CONSEQUENCES = "query ($id: ID!) { import(id: $id) { consequences { code count } } }"
_PAGES: dict[str, dict[str, Any]] = {
    "first page": {"first": 100},
    "last page": {"last": 100},
    "one kind": {"first": 100, "kind": ["CREATE", "REMOVE"]},
}


class _Times(NamedTuple):
    """Seconds that the steps of one plan took; those of its pages by what they are.

    Args:
        apply_cpu: seconds of all processes for the apply.
        undo_cpu: seconds of all processes for the undo.
    """

    dry_run: float
    pages: dict[str, float]
    consequences: float
    apply: float
    apply_cpu: float
    undo: float
    undo_cpu: float


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure plans of changes of assignments."""
    people = max(1_000, options.rows // 10)
    empty = await populate(system, "filled", people)
    assigned = await populate(system, "assigned", people)
    await fill(assigned, {"assign": make_file("assign", options.rows, people=people)})
    figures = []
    for type_ in _TYPES:
        if type_ in options.types:
            template = empty if type_ == "assign" else assigned
            file = make_file(type_, options.rows, people=people)
            figures += await _compare(system, options, type_, file, template)
    return figures


async def _compare(
    system: System, options: Options, type_: str, file: bytes, template: Database
) -> list[Figure]:
    plain: list[float] = []
    plain_cpu: list[float] = []
    plans: list[_Times] = []
    for _ in range(options.rounds):
        async with system.copied(template) as copy:
            seconds, used = await run_import(system, copy, options.workers, type_, file)
            plain.append(seconds)
            plain_cpu.append(sum(used.cpu.values()))
        async with system.copied(template) as copy:
            plans.append(await _run_plan(system, copy, options, type_, file))
    applied, undone = [each.apply for each in plans], [each.undo for each in plans]
    apply_cpu, undo_cpu = [each.apply_cpu for each in plans], [each.undo_cpu for each in plans]
    size = f"{options.rows:,} rows"

    def compared(what: str, steps: list[float], whole: list[float], bar: float) -> Figure:
        ratios = [step / each for step, each in zip(steps, whole, strict=True)]
        return median_of(SCENARIO, f"{type_}: {what}, to the import", ratios, "", bar=bar)

    consequences = [each.consequences for each in plans]
    return [
        median_of(SCENARIO, f"{type_}, {size}", plain, "s"),
        median_of(SCENARIO, f"{type_}: its dry run", [each.dry_run for each in plans], "s"),
        median_of(SCENARIO, f"{type_}: its plan applied", applied, "s"),
        compared("applied", applied, plain, _APPLY_BAR),
        compared("CPU of the apply", apply_cpu, plain_cpu, _APPLY_BAR),
        median_of(SCENARIO, f"{type_}: undone", undone, "s"),
        compared("undone", undone, plain, _UNDO_BAR),
        compared("CPU of the undo", undo_cpu, plain_cpu, _UNDO_BAR),
        median_of(SCENARIO, f"{type_}: consequences", consequences, "s", bar=_CONSEQUENCES_BAR),
        *(
            median_of(
                SCENARIO,
                f"{type_}: changes, {what}",
                [each.pages[what] * 1_000 for each in plans],
                "ms",
                bar=_PAGE_BAR,
            )
            for what in _PAGES
        ),
    ]


async def _run_plan(
    system: System, target: Database, options: Options, type_: str, file: bytes
) -> _Times:
    async with system.running(target, workers=options.workers) as running:
        client, failed = running.client, wrong_rows(file)
        start = time.perf_counter()
        plan = await client.start(type_, "plan", file, is_dry_run=True)
        await client.wait(plan, failed=failed)
        dry_run = time.perf_counter() - start
        pages = {
            what: await _seconds(client, _CHANGES, id=plan, **variables)
            for what, variables in _PAGES.items()
        }
        consequences = await _seconds(client, _CONSEQUENCES, id=plan)
        applied, apply, apply_cpu = await _time_request(running, _APPLY, plan)
        _, undo, undo_cpu = await _time_request(running, _UNDO, applied)
        return _Times(dry_run, pages, consequences, apply, apply_cpu, undo, undo_cpu)


async def _time_request(running: Running, mutation: str, key: str) -> tuple[str, float, float]:
    """Make an import of another one; return its ID, and the seconds that it took: clock, CPU."""
    start, before = time.perf_counter(), running.usage()
    [payload] = (await running.client.query(mutation, {"id": key})).values()
    if payload["userErrors"]:
        raise SystemExit(f"the API refuses it: {payload['userErrors']}")
    made: str = payload["import"]["id"]
    await running.client.wait(made, failed=0)
    seconds = time.perf_counter() - start
    return made, seconds, sum(running.usage(before).cpu.values())


async def _seconds(client: Client, query: str, **variables: Any) -> float:
    """Return the median time of an operation, after one that prepares it."""
    times = []
    for _ in range(4):
        start = time.perf_counter()
        await client.query(query, variables)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])
