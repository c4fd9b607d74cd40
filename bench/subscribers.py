"""Measures a thousand subscribers of one app while an import of a hundred chunks runs.

The figure is the time from a change of the import until the last subscriber has received it, both
by this machine's clock. A deferred trigger records the change when its transaction begins to
commit, so the time until the change is on disk and visible counts as well. A state that the API
leaves out, because a newer one follows too soon, is no event.
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
from models.database_url import credentials

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
    """A state that was sent: seconds from the change until each subscriber received it."""

    is_end: bool
    delays: Sequence[float]

    @property
    def last(self) -> float:
        """Milliseconds until the last subscriber received it."""
        return max(self.delays) * 1_000


class _Run(NamedTuple):
    """The events of one import, and their cost.

    Args:
        changes: how often the import changed.
        reads: how often the API read imports.
        cpu: CPU seconds of the API.
    """

    events: list[_Event]
    changes: int
    reads: int
    cpu: float


class _SubscriberProcess:
    """The process of the subscribers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def begin(self, running: Running) -> None:
        """Run small imports until each subscriber has received the end of one."""
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
        """Return the states received, each with the times at which subscribers received it."""
        output, _ = await self._process.communicate(b"")
        return [(data["importsUpdated"], at) for data, at in json.loads(output)]


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure delays, and the API's CPU and database reads for them."""
    people = max(1_000, options.rows // 10)
    filled = await populate(system, "filled", people)
    file = make_file("assign", options.rows, people=people)
    runs = []
    for _ in range(options.rounds):
        async with system.copied(filled) as copy:
            runs.append(await _run_watched(system, copy, file, options))
    lasts = [[event.last for event in run.events] for run in runs]
    ends = [event.last for run in runs for event in run.events if event.is_end]
    shares = [run.cpu / sum(len(event.delays) for event in run.events) * 1e6 for run in runs]
    async with system.copied(filled) as copy, system.logged(copy) as statements:
        small = make_file("assign", _COUNTED_ROWS, people=people)
        counted = await _run_watched(
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


async def _run_watched(
    system: System,
    target: Database,
    file: bytes,
    options: Options,
    count_reads: Callable[[], int] = lambda: 0,
) -> _Run:
    """Run an import while all subscribers watch."""
    chunk_rows = (file.count(b"\n") - 1) // _CHUNKS
    async with (
        _connection_to(target) as db,
        system.running(
            target, workers=options.workers, CASEROLL_CHUNK_ROWS=str(chunk_rows)
        ) as running,
        _subscribers(running) as subscribers,
    ):
        await db.execute(_TRIGGER)
        await subscribers.begin(running)
        before, reads = running.usage(), count_reads()
        key = await running.client.start("assign", "watched", file)
        await running.client.wait(key, failed=wrong_rows(file))
        await asyncio.sleep(1)
        cpu = running.usage().cpu["api"] - before.cpu["api"]
        reads = count_reads() - reads
        received = [(state, at) for state, at in await subscribers.end() if state["id"] == key]
        changes = await db.fetch(
            "SELECT status, total, done, extract(epoch FROM at)::float AS at FROM bench_changes"
            " WHERE import_id = (SELECT max(id) FROM imports) ORDER BY at DESC"
        )
    # Of changes that look the same, the first counts: the statement orders by time, latest first.
    made = {(row["status"], row["total"], row["done"]): row["at"] for row in changes}
    events = []
    for state, at in received:
        if len(at) != _SUBSCRIBERS:
            raise SystemExit(f"{len(at)} of {_SUBSCRIBERS} subscribers received {state}")
        change = made[(state["status"], state["total"], state["passed"] + state["failed"])]
        is_end = state["status"] == "PROCESSED"
        events.append(_Event(is_end, [each - change for each in at]))
    return _Run(events, len(changes), reads, cpu)


@asynccontextmanager
async def _connection_to(target: Database) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(**credentials(target.url))
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def _subscribers(running: Running) -> AsyncIterator[_SubscriberProcess]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.many_subscribers"),
        *(running.url, running.client.token, str(_SUBSCRIBERS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_OUTPUT_BYTES,
    )
    try:
        yield _SubscriberProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
