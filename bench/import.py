"""Rows per second of an assign import, beside the same work done by hand in SQL.

    python bench/import.py [--rows 100000] [--rounds 3] [--workers 2]

Both sides work on fresh copies of one database, in turns, on a PostgreSQL of this script's own. By
hand: COPY the file into a staging table, then one ordered INSERT … SELECT into the same table with
the same keys, foreign keys and indexes; no row results, no history. Ours: from storing the file to
`PROCESSED`, with worker processes, row results and history.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from api.broker import Doorbell, make_broker
from api.servers import EmbeddedPostgres, EmbeddedValkey
from models.app import create_app
from models.db import connection, credentials, database, migrate, transaction
from models.upload import Import, store_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_names = count(1)


def make_file(rows: int, people: int) -> bytes:
    """Write an assign file with distinct pairs, one row in a hundred wrong."""
    chance = random.Random(1)
    pairs = chance.sample(range(people * people), rows)
    lines = ["case_id,user_id,case_role_order,case_role_id,case_notify"]
    for number, pair in enumerate(pairs):
        case = "trv-xx" if number % 100 == 99 else f"trv-{pair // people:06}"
        lines.append(f"{case},jack-{pair % people:06},,staff,0")
    return "\r\n".join(lines).encode()


async def fill(url: str, people: int) -> None:
    """Create an app with as many cases and users."""
    await migrate(url)
    async with database(url):
        app = await create_app("bench", "Bench")
        async with connection() as db:
            await db.execute(
                "INSERT INTO cases (app_id, tag_id)"
                " SELECT $1, 'trv-' || lpad(i::text, 6, '0') FROM generate_series(0, $2 - 1) i",
                app.id,
                people,
            )
            await db.execute(
                "INSERT INTO users (app_id, tag_id, email)"
                " SELECT $1, 'jack-' || lpad(i::text, 6, '0'), 'u' || i || '@example.org'"
                " FROM generate_series(0, $2 - 1) i",
                app.id,
                people,
            )
            await db.execute("VACUUM ANALYZE")


async def copy_database(postgres: EmbeddedPostgres) -> str:
    """Make a fresh copy of the filled database; return its URL."""
    name = f"bench_{next(_names)}"
    db = await asyncpg.connect(**credentials(postgres.database_url("postgres")))
    await db.execute(f"CREATE DATABASE {name} TEMPLATE filled")
    await db.execute("CHECKPOINT")
    await db.close()
    return postgres.database_url(name)


async def by_hand(url: str, file: bytes) -> float:
    """Time what an expert would type; in seconds."""
    db = await asyncpg.connect(**credentials(url))
    start = time.perf_counter()
    async with db.transaction():
        await db.execute(
            "CREATE TEMP TABLE staging (case_tag text, user_tag text, role_order text,"
            " role_key text, notify text)"
        )
        await db.copy_to_table("staging", source=io.BytesIO(file), format="csv", header=True)
        await db.execute(
            """
            INSERT INTO assignments
              (app_id, case_id, user_id, role_id, notify, created_import_id, created_row)
            SELECT c.app_id, c.id, u.id, r.id, s.notify = '1', 1, 1 FROM staging s
              JOIN cases c ON c.app_id = 1 AND c.tag_id = s.case_tag
              JOIN users u ON u.app_id = 1 AND u.tag_id = s.user_tag
              JOIN roles r ON r.app_id = 1 AND r.key = s.role_key
            ORDER BY c.id, u.id ON CONFLICT DO NOTHING
            """
        )
    seconds = time.perf_counter() - start
    await db.close()
    return seconds


async def by_caseroll(url: str, redis_url: str, file: bytes) -> float:
    """Time an import from storing the file to its end; in seconds."""
    async with database(url):
        start = time.perf_counter()
        upload = Import(
            app_id=1,
            type="assign",
            name="bench",
            source="bench",
            file_name="bench.csv",
            file_size=len(file),
            file_sha256=hashlib.sha256(file).hexdigest(),
        )
        async with transaction() as db:
            await upload.save()
            await store_file(db, 1, upload.id, io.BytesIO(file))
        await Doorbell(make_broker(redis_url)).split(upload.id)
        while not upload.status.is_final:
            await asyncio.sleep(0.02)
            await upload.refresh_from_db()
        seconds = time.perf_counter() - start
    if (upload.status, upload.failed) != ("PROCESSED", upload.total // 100):
        raise SystemExit(f"the import went wrong: {upload.status}, {upload.failed} failed")
    return seconds


@contextmanager
def workers(url: str, redis_url: str, processes: int) -> Iterator[None]:
    """Run worker processes."""
    environment = {**os.environ, "DATABASE_URL": url, "REDIS_URL": redis_url}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "api.worker"], env=environment, stderr=subprocess.DEVNULL
        )
        for _ in range(processes)
    ]
    time.sleep(2)
    try:
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait()


async def main() -> None:
    """Run both sides in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    people = max(1_000, options.rows // 10)
    file = make_file(options.rows, people)
    hand, ours = [], []
    with tempfile.TemporaryDirectory(prefix="caseroll-bench-") as folder:
        base = Path(folder)
        with EmbeddedPostgres(base / "pg") as postgres, EmbeddedValkey(base / "valkey") as valkey:
            db = await asyncpg.connect(**credentials(postgres.database_url("postgres")))
            await db.execute("CREATE DATABASE filled")
            await db.close()
            await fill(postgres.database_url("filled"), people)
            for _ in range(options.rounds):
                hand.append(await by_hand(await copy_database(postgres), file))
                url = await copy_database(postgres)
                with workers(url, valkey.url, options.workers):
                    ours.append(await by_caseroll(url, valkey.url, file))
    print(f"assign, {options.rows:,} rows, {options.workers} workers, {options.rounds} rounds")
    print(f"{'':12}{'median s':>10}{'min':>8}{'max':>8}{'rows/s':>10}")
    for name, seconds in (("by hand", hand), ("caseroll", ours)):
        median = statistics.median(seconds)
        print(
            f"{name:12}{median:10.2f}{min(seconds):8.2f}{max(seconds):8.2f}"
            f"{options.rows / median:10,.0f}"
        )
    ratios = [o / h for o, h in zip(ours, hand, strict=True)]
    print(f"ratio caseroll : by hand, median of pairs {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    asyncio.run(main())
