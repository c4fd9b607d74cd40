"""A thousand subscribers of one app, while an import of a hundred chunks runs.

Measured is the time from a change to the moment when the last subscriber has it, both by this
machine's clock. A deferred trigger notes a change: it runs when its transaction begins to commit,
so that the time until the change is on disk and can be seen is counted as well. States that are
left out, because newer ones came too soon after them, are no events.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from bench.figure import Figure, median_of, percentile
from bench.files import make_file
from bench.population import populate, wrong_rows
from models.db import credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bench.options import Options
    from bench.system import Database, Running, System

SCENARIO = "subscribers, from a change to the last of them"
_SUBSCRIBERS = 1_000
_CHUNKS = 100
_COUNTED_ROWS = 2_000
_BAR_MILLISECONDS = 250
_OUTPUT_BYTES = 2**26
_READ = "FROM imports WHERE id = ANY"
_TRIGGER = """
CREATE TABLE bench_changes (import_id bigint, status text, total int, done int, at timestamptz);
CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO bench_changes
  VALUES (NEW.id, NEW.status, NEW.total, NEW.passed + NEW.failed, clock_timestamp());
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bench_note AFTER INSERT OR UPDATE ON imports
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bench_note();
"""


class _Event(NamedTuple):
    """A state that was told: seconds from the change to each subscriber."""

    is_end: bool
    delays: Sequence[float]

    @property
    def last(self) -> float:
        """Milliseconds until the last subscriber was told."""
        return max(self.delays) * 1_000


class _Run(NamedTuple):
    """What came of an import that was watched.

    Args:
        changes: how many times it changed.
        reads: how many times the API has read imports.
        cpu: seconds that the API has used.
    """

    events: list[_Event]
    changes: int
    reads: int
    cpu: float


class _Crowd:
    """The subscribers, in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def begin(self, running: Running) -> None:
        """Run small imports until each subscriber has seen one end."""
        assert self._process.stdout
        ready = asyncio.ensure_future(self._process.stdout.readline())
        number = 0
        while not ready.done():
            number += 1
            file = make_file("add-users", 1, tag=f"warm{number}", is_perfect=True)
            key = await running.client.start("add-users", f"warm-up {number}", file)
            await running.client.wait(key, failed=0)
            await asyncio.wait({ready}, timeout=1)

    async def end(self) -> list[tuple[dict[str, Any], list[float]]]:
        """Return what came, each with the times at which it came."""
        output, _ = await self._process.communicate(b"")
        return [(data["importsUpdated"], at) for data, at in json.loads(output)]


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure delays, and what the API uses and reads for them."""
    people = max(1_000, options.rows // 10)
    filled = await populate(system, "filled", people)
    file = make_file("assign", options.rows, people=people)
    runs = []
    for _ in range(options.rounds):
        async with system.copied(filled) as copy:
            runs.append(await _watch(system, copy, file, options))
    lasts = [[event.last for event in run.events] for run in runs]
    ends = [event.last for run in runs for event in run.events if event.is_end]
    shares = [run.cpu / sum(len(event.delays) for event in run.events) * 1e6 for run in runs]
    async with system.copied(filled) as copy, system.logged(copy) as statements:
        small = make_file("assign", _COUNTED_ROWS, people=people)
        counted = await _watch(
            system, copy, small, options, lambda: sum(_READ in each for each in statements())
        )
    return [
        median_of(
            SCENARIO,
            f"{_SUBSCRIBERS:,} subscribers, {_CHUNKS} chunks: p99",
            [percentile(some, 99) for some in lasts],
            "ms",
            bar=_BAR_MILLISECONDS,
            details={
                "events": [len(some) for some in lasts],
                "medians": [percentile(some, 50) for some in lasts],
            },
        ),
        median_of(SCENARIO, "the import's end", ends, "ms", bar=_BAR_MILLISECONDS),
        median_of(SCENARIO, "CPU of the API for each message", shares, "µs"),
        Figure(
            scenario=SCENARIO,
            what="reads of the database for each change",
            value=counted.reads / counted.changes,
            unit="",
            bar=1.0,
            details={
                "reads": counted.reads,
                "changes": counted.changes,
                "told": len(counted.events),
            },
        ),
    ]


async def _watch(
    system: System,
    target: Database,
    file: bytes,
    options: Options,
    count_reads: Callable[[], int] = lambda: 0,
) -> _Run:
    """Run an import with everybody watching."""
    chunk_rows = (file.count(b"\n") - 1) // _CHUNKS
    async with (
        _connected(target) as db,
        system.running(
            target, workers=options.workers, CASEROLL_CHUNK_ROWS=str(chunk_rows)
        ) as running,
        _crowd(running) as crowd,
    ):
        await db.execute(_TRIGGER)
        await crowd.begin(running)
        before, reads = running.usage(), count_reads()
        key = await running.client.start("assign", "watched", file)
        await running.client.wait(key, failed=wrong_rows(file))
        await asyncio.sleep(1)
        cpu = running.usage().cpu["api"] - before.cpu["api"]
        reads = count_reads() - reads
        heard = [(state, at) for state, at in await crowd.end() if state["id"] == key]
        changes = await db.fetch(
            "SELECT status, total, done, extract(epoch FROM at)::float AS at FROM bench_changes"
            " WHERE import_id = (SELECT max(id) FROM imports) ORDER BY at DESC"
        )
    # Of changes that look the same, the first counts.
    made = {(row["status"], row["total"], row["done"]): row["at"] for row in changes}
    events = []
    for state, at in heard:
        if len(at) != _SUBSCRIBERS:
            raise SystemExit(f"{len(at)} of {_SUBSCRIBERS} subscribers were told of {state}")
        change = made[(state["status"], state["total"], state["passed"] + state["failed"])]
        is_end = state["status"] == "PROCESSED"
        events.append(_Event(is_end, [each - change for each in at]))
    return _Run(events, len(changes), reads, cpu)


@asynccontextmanager
async def _connected(target: Database) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(**credentials(target.url))
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def _crowd(running: Running) -> AsyncIterator[_Crowd]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.crowd"),
        *(running.url, running.client.token, str(_SUBSCRIBERS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_OUTPUT_BYTES,
    )
    try:
        yield _Crowd(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
