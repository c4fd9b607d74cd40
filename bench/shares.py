"""Measures the parts of an `assign` import's time, in one process, one chunk after the other.

Statements are timed in the client, so sending and reading count as part of them; the rest of the
time is Python's. Foreign keys are checked at once. The cost of checking them row by row is the
difference to a run in which PostgreSQL does so.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import asyncpg

from api.worker import GC_THRESHOLDS
from bench.figure import Figure, median_of
from bench.files import make_file
from bench.population import populate, store, wrong_rows
from importers.engine import Engine
from importers.mail_sender import NoTransport
from importers.plugins.registry import load
from importers.reading.limits import Limits
from importers.run_inline import LocalQueue
from models import foreign_keys
from models.database_url import credentials
from models.db import database
from models.imports import Import

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.options import Options
    from bench.system import Database, System

SCENARIO = "shares of a row"
_CHUNK_ROWS = 10_000
_METHODS = ("fetch", "fetchrow", "fetchval", "execute", "copy_records_to_table")
# A text in a statement → the part that it counts to; the first text that fits decides.
_PARTS = {
    "copy_records_to_table assignments": "write assignments",
    "copy_records_to_table assignment_history": "write history",
    "copy_records_to_table import_rows": "write row results",
    "FOR KEY SHARE": "check foreign keys",
    "session_replication_role": "check foreign keys",
    "JOIN users t": "look up users",
    "JOIN cases t": "look up cases",
    "COMMIT": "commit",
}
_OTHERS = "other statements"
_CUT, _PYTHON = "read and cut the file", "Python"
_ROW_BY_ROW = "foreign keys, if checked row by row"
_NEVER = 1 << 62


async def measure(system: System, options: Options) -> list[Figure]:
    """Time the parts of imports that check foreign keys at once and row by row, in turns."""
    gc.set_threshold(*GC_THRESHOLDS)
    people = max(1_000, options.rows // 10)
    template = await populate(system, "shared", people)
    file = make_file("assign", options.rows, people=people)
    rounds, wal = [], []
    for _ in range(options.rounds):
        parts, size = await _measure_parts(system, template, file)
        with patch.object(foreign_keys, "_FEWEST_ROWS", _NEVER):
            others, _ = await _measure_parts(system, template, file)
        parts[_ROW_BY_ROW] = others["write assignments"] - parts["write assignments"]
        rounds.append(parts)
        wal.append(size)
    names = sorted(rounds[0], key=lambda name: -statistics.median(each[name] for each in rounds))
    names.remove(_ROW_BY_ROW)
    names.append(_ROW_BY_ROW)
    scale = 1e6 / options.rows
    return [
        *(
            median_of(SCENARIO, name, [each[name] * scale for each in rounds], "µs")
            for name in names
        ),
        median_of(SCENARIO, "write-ahead log", [size / options.rows for size in wal], "bytes"),
    ]


async def _measure_parts(
    system: System, template: Database, file: bytes
) -> tuple[dict[str, float], int]:
    """Run an import; return the seconds of its parts, and the bytes of write-ahead log."""
    async with system.copied(template) as copy:
        db = await asyncpg.connect(**credentials(copy.url))
        start = await db.fetchval("SELECT pg_current_wal_insert_lsn()")
        async with database(copy.url):
            parts = await _time_parts(await store("assign", file), file)
        size = await db.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", start)
        await db.close()
    return parts, int(size)


async def _time_parts(key: int, file: bytes) -> dict[str, float]:
    engine = Engine(
        importers=load().importers,
        limits=Limits(),
        chunk_rows=_CHUNK_ROWS,
        queue=LocalQueue(),
        mail_transport=NoTransport("mails are not measured"),
    )
    begun = time.perf_counter()
    await engine.split(key)
    cut = time.perf_counter()
    with _timed_statements() as seconds:
        while (pending := (await Import.get(id=key)).pending) > 0:
            await engine.run(key)
    total = time.perf_counter() - cut
    done = await Import.get(id=key)
    if pending or done.failed != wrong_rows(file):
        raise SystemExit(f"the import went wrong: {done.status}")
    parts = {name: seconds[name] for name in (*_PARTS.values(), _OTHERS)}
    return {**parts, _CUT: cut - begun, _PYTHON: total - sum(parts.values())}


@contextmanager
def _timed_statements() -> Iterator[Counter[str]]:
    """Sum the seconds of all statements by the part that they count to."""
    seconds: Counter[str] = Counter()
    originals = {name: getattr(asyncpg.Connection, name) for name in _METHODS}

    def timed(name: str) -> Any:
        async def call(self: asyncpg.Connection, what: str, *arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return await originals[name](self, what, *arguments, **options)
            finally:
                seconds[_part_of(f"{name} {what}")] += time.perf_counter() - start

        return call

    for name in _METHODS:
        setattr(asyncpg.Connection, name, timed(name))
    try:
        yield seconds
    finally:
        for name, original in originals.items():
            setattr(asyncpg.Connection, name, original)


def _part_of(statement: str) -> str:
    return next((part for text, part in _PARTS.items() if text in statement), _OTHERS)
