"""Faults of PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import aiohttp
import asyncpg

from models.database_url import credentials
from tests.chaos.client import UnavailableError
from tests.chaos.fault import Fault
from tests.chaos.run import Run
from tests.chaos.site import SiteOptions
from tests.chaos.small_disk import SmallDisk

_OURS = "application_name = 'caseroll'"
_TERMINATE = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OURS}"
_CONNECTIONS = 30
_FEW_CONNECTIONS = {"max_connections": str(_CONNECTIONS), "superuser_reserved_connections": "0"}
_MOST_TRIES = 50
_SPARE_BYTES = 256 * 1024


async def _restart(run: Run) -> None:
    await run.begin()
    await run.moment()
    if run.random.random() < 0.5:
        run.site.postgres.stop()
    else:
        pid = run.site.postgres.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
    run.strike()
    await run.moment(1.0)
    run.site.postgres.start()
    run.over()
    await run.finish()


async def _terminate(run: Run) -> None:
    await run.begin()
    for _ in range(3):
        await run.moment(0.3)
        await run.site.query(_TERMINATE)
        run.strike()
    run.over()
    await run.finish()


async def _refuse(run: Run) -> None:
    """Refuse all connections, as an administrator does for maintenance."""
    await run.begin()
    await run.moment()
    admin = await asyncpg.connect(**credentials(run.site.postgres.url))
    try:
        await admin.execute("ALTER DATABASE chaos ALLOW_CONNECTIONS false")
        await admin.execute(f"{_TERMINATE} AND datname = 'chaos'")
        run.strike()
        await asyncio.sleep(run.random.uniform(1, 2 if run.is_short else 20))
    finally:
        await admin.execute("ALTER DATABASE chaos ALLOW_CONNECTIONS true")
        await admin.close()
    run.over()
    await run.finish()


async def _take_all_connections(run: Run) -> None:
    await run.begin()
    await run.moment()
    admin = await asyncpg.connect(**credentials(run.site.postgres.url))
    taken: list[asyncpg.Connection] = []
    try:
        for _ in range(_MOST_TRIES):  # a connection that becomes free may be taken by Caseroll
            await admin.execute(_TERMINATE)
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    taken.append(await asyncpg.connect(**credentials(run.site.postgres.url)))
            if len(taken) + 1 == _CONNECTIONS:
                break
        run.strike()
        await _expect_refusal(run)
        await asyncio.sleep(run.random.uniform(1, 2 if run.is_short else 15))
    finally:
        for db in [*taken, admin]:
            await db.close()
    run.over()
    await run.finish()


async def _fill_disk(run: Run) -> None:
    disk = SmallDisk.of(run.site.folder)
    await run.begin()
    await run.moment(0.2)
    disk.fill(spare=_SPARE_BYTES)
    run.strike()
    try:
        await asyncio.sleep(1)
        await _expect_refusal(run)
        await asyncio.sleep(run.random.uniform(0, 1 if run.is_short else 15))
    finally:
        disk.clear()
    run.over()
    await run.finish()


async def _expect_refusal(run: Run) -> None:
    """Try to upload; the client must get UNAVAILABLE."""
    header = b"case_id,user_id,case_role_id\r\n"
    content = header + os.urandom(300_000).hex().encode()
    try:
        await run.client.upload_once("assign", "in vain", content, "")
    except (UnavailableError, aiohttp.ClientError):
        return
    except AssertionError as error:
        run.findings.fault(f"an upload is answered with {error}")
        return
    run.findings.fault("an upload was taken while there was no room for it")


def _small_tablespace(folder: Path) -> AbstractContextManager[Path]:
    return SmallDisk.of(folder).mounted()


FAULTS = [
    Fault(
        name="postgres-restarted",
        promise="What PostgreSQL had not committed when it stopped or crashed is done again, once.",
        stage=_restart,
    ),
    Fault(
        name="connections-terminated",
        promise="A connection that ends in the middle of a transaction costs no row.",
        stage=_terminate,
    ),
    Fault(
        name="postgres-refusing",
        promise="While PostgreSQL takes no connections imports wait; then they go on.",
        stage=_refuse,
    ),
    Fault(
        name="out-of-connections",
        promise="While others hold all connections, clients get UNAVAILABLE, and imports wait.",
        stage=_take_all_connections,
        site=SiteOptions(postgres=_FEW_CONNECTIONS),
    ),
    Fault(
        name="disk-full",
        promise="While the disk is full, clients get UNAVAILABLE, and imports wait for room.",
        stage=_fill_disk,
        site=SiteOptions(tablespace=_small_tablespace),
    ),
]
