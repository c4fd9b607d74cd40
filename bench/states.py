"""Measures `assign` in the states that a database and a file can be in: is any slower than others?

In every state there are as many cases and users, written by SQL, and the file has as many rows.
Autovacuum is off, as it may come too late: tables are analysed where the state says so, and where
the measured system does it.
"""

from __future__ import annotations

import io
import statistics
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
from openpyxl import Workbook

from bench.figure import Figure, median_of
from bench.files import FORMATS, make_file
from bench.population import fill
from models.database_url import credentials
from models.db import migrate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.options import Options
    from bench.system import Database, System
    from bench.usage import Used

SCENARIO = "assign in different states"
_BAR, _BAR_IF_WRONG = 1.5, 2.0
_OTHER_APPS, _PEOPLE_OF_OTHERS = 999, 100
_WEARING_ROUNDS, _WEARING_ROWS = 20, 20_000
_REPEATS = 100
_PURGED_ROWS = 1_000_000
_FORM = FORMATS["assign"]
_RETRY = "mutation ($id: ID!) { retryImport(id: $id) { userErrors { code } } }"
_STOP_AUTOVACUUM = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
  END LOOP;
END $$
"""
_ADD_OTHER_APPS = """
INSERT INTO apps (id, slug, name) SELECT n, 'app-' || n, 'App' FROM generate_series(2, $1::int) n
"""
# $1 and $2 are the first and the last app, $3 says how many cases and users each has.
_ADD_PEOPLE = (
    """
    INSERT INTO users (app_id, tag_id, email, given_name, family_name)
    SELECT app, 'jack-' || to_char(n, 'FM000000'), 'jack' || n || '@example.org', 'Jo', 'Smith'
    FROM generate_series($1::int, $2::int) app, generate_series(0, $3::int - 1) n
    """,
    """
    INSERT INTO cases (app_id, tag_id, about)
    SELECT app, 'trv-' || to_char(n, 'FM000000'), 'Smith v. Harbor Freight Lines'
    FROM generate_series($1::int, $2::int) app, generate_series(0, $3::int - 1) n
    """,
)
# An import whose time is over; each round of a worker deletes some of its rows.
_ADD_PURGED_IMPORT = """
WITH purged AS (
  INSERT INTO imports (app_id, type, name, source, status, file_name, file_size, file_sha256,
    finished_at, purged_at, is_purging)
  VALUES (1, 'assign', 'old', 'bench', 'PROCESSED', 'old.csv', 1, '', now(), now(), true)
  RETURNING id)
INSERT INTO import_rows (id, app_id, status, outcome, cells)
SELECT (purged.id << 32) | (number + 1), 1, 1, 1,
  json_build_array('trv-' || number, 'jack-' || number, '', 'staff', '0')
FROM purged, generate_series(1, $1::int) AS number
"""


class _State(NamedTuple):
    """A database, which each round copies, and a file.

    Args:
        is_wrong: whether every row is wrong, so that the retry is measured as well.
    """

    template: Database
    file: bytes
    name: str = "assign.csv"
    is_wrong: bool = False


class _Spent(NamedTuple):
    """What an import took, or its retry."""

    what: str
    seconds: float
    used: Used

    @property
    def cpu(self) -> float:
        """Seconds of all processes together."""
        return sum(self.used.cpu.values())


async def measure(system: System, options: Options) -> list[Figure]:
    """Import the file in each state, in turns."""
    states = await _make_states(system, options.rows)
    rates: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        for name, state in states.items():
            async with system.copied(state.template) as copy:
                for spent in await _import_file(system, copy, options.workers, state):
                    rates[name + spent.what].append(options.rows / spent.seconds)
                    cpu[name + spent.what].append(spent.cpu / options.rows * 1e6)
    # Rows that are wrong are another piece of work: nothing is written of them but their errors.
    right = [name for name in rates if "wrong" not in name]
    best = max(statistics.median(rates[name]) for name in right)
    least = min(statistics.median(cpu[name]) for name in right)
    figures = []
    for name, samples in rates.items():
        bar = _BAR_IF_WRONG if "wrong" in name else _BAR
        ratios = [best / rate for rate in samples]
        figures.append(median_of(SCENARIO, f"{name}: rows/s", samples, ""))
        figures.append(median_of(SCENARIO, f"{name}: CPU of a row", cpu[name], "µs"))
        figures.append(median_of(SCENARIO, f"{name}: best to this", ratios, "", bar=bar))
        # Beside other programs, a rate says more of them than of the state.
        shares = [spent / least for spent in cpu[name]]
        figures.append(median_of(SCENARIO, f"{name}: CPU to the least", shares, "", bar=bar))
    return figures


async def _import_file(
    system: System, target: Database, workers: int, state: _State
) -> list[_Spent]:
    """Upload the file, and wait for the import's end; then, if all is wrong, run it again."""
    rows = state.file.count(b"\n") if state.is_wrong else 0
    end = "FAILED" if state.is_wrong else "PROCESSED"
    spent = []
    async with system.running(target, workers=workers) as running:
        client = running.client
        start, before = time.perf_counter(), running.usage()
        key = await client.start("assign", "bench", state.file, state.name)
        await client.wait(key, failed=rows, status=end)
        spent.append(_Spent("", time.perf_counter() - start, running.usage(before)))
        if state.is_wrong:
            start, before = time.perf_counter(), running.usage()
            await client.query(_RETRY, {"id": key})
            await client.wait(key, failed=rows, status=end)
            spent.append(_Spent(", its retry", time.perf_counter() - start, running.usage(before)))
    return spent


async def _make_states(system: System, rows: int) -> Mapping[str, _State]:
    people = max(1_000, rows // 10)
    file = make_file("assign", rows, people=people, is_perfect=True)
    pairs = [(number // _REPEATS, number // _REPEATS) for number in range(rows)]
    analysed = await _create(system, "analysed", rows, finish="VACUUM ANALYZE")
    # A dump has no statistics. `migrate` follows each restore.
    restored = await _create(system, "restored", rows)
    await migrate(restored.url)
    assigned = await system.copy(analysed)
    await fill(assigned, {"assign": file})
    return {
        "analysed": _State(analysed, file),
        "never analysed": _State(await _create(system, "raw", rows), file),
        "analysed when empty": _State(await _create(system, "empty", rows, first="ANALYZE"), file),
        "after a restore": _State(restored, file),
        "one app of a thousand": _State(await _create_one_of_many(system, rows), file),
        "all rows of one case": _State(analysed, _lines((0, number) for number in range(rows))),
        "all rows of one user": _State(analysed, _lines((number, 0) for number in range(rows))),
        "every row wrong": _State(
            analysed, _lines(((n, n) for n in range(rows)), _FORM.wrong), is_wrong=True
        ),
        "every row wrong, each otherwise": _State(
            analysed, _lines((n + rows, n) for n in range(rows)), is_wrong=True
        ),
        "every row a repeat": _State(analysed, _lines(pairs)),
        "every row unchanged": _State(assigned, file),
        f"after {_WEARING_ROUNDS} rounds of assign and remove": _State(
            await _create_worn(system, rows, people), file
        ),
        "beside retention": _State(await _create_purged(system, rows), file),
        "as XLSX": _State(analysed, _workbook(file), name="assign.xlsx"),
    }


async def _create(
    system: System, name: str, people: int, *, first: str = "SELECT 1", finish: str = "SELECT 1"
) -> Database:
    """Create a database with cases and users; `first` and `finish` are run before and after."""
    created = await system.create(name)
    db = await asyncpg.connect(**credentials(created.url))
    try:
        await db.execute(_STOP_AUTOVACUUM)
        await db.execute(first)
        for sql in _ADD_PEOPLE:
            await db.execute(sql, 1, 1, people)
        await db.execute(finish)
    finally:
        await db.close()
    return created


async def _create_one_of_many(system: System, people: int) -> Database:
    created = await _create(system, "one_of_many", people)
    await _run(created, _ADD_OTHER_APPS, _OTHER_APPS + 1)
    for sql in _ADD_PEOPLE:
        await _run(created, sql, 2, _OTHER_APPS + 1, _PEOPLE_OF_OTHERS)
    await _run(created, "VACUUM ANALYZE")
    return created


async def _create_worn(system: System, people: int, used: int) -> Database:
    """Assign and remove again and again; nothing is vacuumed but once, in the end."""
    created = await _create(system, "worn", people, finish="VACUUM ANALYZE")
    files = {
        type_: make_file(type_, _WEARING_ROWS, people=used, is_perfect=True)
        for type_ in ("assign", "remove")
    }
    for _ in range(_WEARING_ROUNDS):
        await fill(created, files, finish="SELECT 1")
    return created


async def _create_purged(system: System, people: int) -> Database:
    created = await _create(system, "purged", people)
    await _run(created, _ADD_PURGED_IMPORT, _PURGED_ROWS)
    await _run(created, "VACUUM ANALYZE")
    return created


async def _run(target: Database, sql: str, *values: object) -> None:
    db = await asyncpg.connect(**credentials(target.url))
    try:
        await db.execute(sql, *values)
    finally:
        await db.close()


def _lines(pairs: Iterable[tuple[int, int]], line: str = _FORM.line) -> bytes:
    """Return a file with a row for each pair of case and user."""
    return "\r\n".join([_FORM.header, *(line.format(a=a, b=b) for a, b in pairs)]).encode()


def _workbook(file: bytes) -> bytes:
    """Return a workbook with the cells of a file, all of them text."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for line in file.decode().splitlines():
        sheet.append(line.split(","))
    stored = io.BytesIO()
    workbook.save(stored)
    return stored.getvalue()
