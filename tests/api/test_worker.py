"""A worker process does what waits, tells of it, and stops when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

import asyncpg
import pytest
import redis
from asyncpg import Connection

import api
from api.broker import BrokerQueue, events_channel, make_broker
from api.worker import _keep_up
from models.database_url import credentials
from models.db import connection
from models.file_part import store_file
from tests.models.pooler import pooler

if TYPE_CHECKING:
    from importers.engine import Engine

ROOT = Path(api.__file__).parent.parent
HEADER = "case_id,user_id,case_role_id,case_notify\r\n"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A database with an app, a case and 60 users."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        """
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One');
        INSERT INTO roles (app_id, key, label) VALUES (1, 'staff', 'Staff');
        INSERT INTO cases (app_id, tag_id) VALUES (1, 'trv-001');
        INSERT INTO users (app_id, tag_id, email)
          SELECT 1, 'u-' || n, n || '@example.org' FROM generate_series(0, 59) AS n;
        """
    )
    yield connection
    await connection.close()


async def upload(
    db: Connection, *, age: int = 0, rows: int = 60, name: str = "May", app: int = 1
) -> int:
    """Store an import about 60 users, as old as that many seconds."""
    lines = "".join(f"trv-001,u-{n % 60},staff,{int(n < 3)}\r\n" for n in range(rows))
    file = (HEADER + lines).encode()
    import_id = await db.fetchval(
        """
        INSERT INTO imports
          (app_id, type, name, source, file_name, file_size, file_sha256, notified_at)
        VALUES ($1, 'assign', $2, 'api', 'may.csv', $3, '', now() - $4::int * interval '1 s')
        RETURNING id
        """,
        app,
        name,
        len(file),
        age,
    )
    await store_file(db, app, import_id, BytesIO(file))
    return int(import_id)


async def finished(db: Connection, import_id: int) -> asyncpg.Record:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        row = await db.fetchrow("SELECT * FROM imports WHERE id = $1", import_id)
        if row["finished_at"]:
            return row
        await asyncio.sleep(0.02)
    raise AssertionError(f"the import is still {row['status']}")


def mails_in(folder: Path) -> int:
    return len(list(folder.glob("*.eml")))


async def begun(db: Connection) -> None:
    """Wait until a first chunk is done."""
    for _ in range(3_000):
        if await db.fetchval("SELECT EXISTS (SELECT 1 FROM import_rows)"):
            return
        await asyncio.sleep(0.01)


async def age(db: Connection) -> None:
    """Let a minute go by for the sweeper."""
    await db.execute(
        """
        UPDATE import_chunks SET attempted_at = now() - interval '1 minute';
        UPDATE imports SET notified_at = now() - interval '1 minute',
          split_at = now() - interval '1 minute'
        """
    )


async def launch(database_url: str, redis_url: str, **more: str) -> asyncio.subprocess.Process:
    environ = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CASEROLL_CHUNK_ROWS": "20",
        **more,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.worker", cwd=ROOT, env=environ, stderr=asyncio.subprocess.PIPE
    )


async def stop(process: asyncio.subprocess.Process) -> tuple[int, float, str]:
    """Stop the worker; return its exit code, how long that took, and its log."""
    began = time.monotonic()
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    _, log = await process.communicate()
    return process.returncode or 0, time.monotonic() - began, log.decode()


async def test_a_message(db: Connection, database_url: str, redis_url: str, tmp_path: Path) -> None:
    """A worker that gets a message cuts the file, runs its chunks, sends the mails, and says so."""
    process = await launch(database_url, redis_url, CASEROLL_MAIL_DIR=str(tmp_path))
    try:
        listener = redis.Redis.from_url(redis_url).pubsub()
        listener.subscribe(events_channel(1))
        import_id = await upload(db)
        broker = make_broker(redis_url)
        await BrokerQueue(broker).enqueue_split(import_id)
        row = await finished(db, import_id)
        for _ in range(200):
            if mails_in(tmp_path) == 3:
                break
            await asyncio.sleep(0.02)
    finally:
        code, seconds, log = await stop(process)
    events = []
    while message := listener.get_message(timeout=0.1):
        events.append(message["data"])
    listener.close()
    broker.close()

    assert (row["status"], row["total"], row["created"]) == ("PROCESSED", 60, 60)
    assert mails_in(tmp_path) == 3
    assert set(events[1:]) == {str(import_id).encode()}
    assert len(events[1:]) >= 1 + 1 + 3  # begun, cut, and each of its chunks
    assert code == 0
    assert seconds < 10
    assert "Traceback" not in log


async def test_the_sweeper(db: Connection, database_url: str, redis_url: str) -> None:
    """A worker finds an import that nobody has told it of."""
    import_id = await upload(db, age=60)
    process = await launch(database_url, redis_url)
    try:
        row = await finished(db, import_id)
    finally:
        code, _, log = await stop(process)

    assert row["status"] == "PROCESSED"
    assert code == 0
    assert "Traceback" not in log


async def test_stopped_in_the_middle(db: Connection, database_url: str, redis_url: str) -> None:
    """A worker that is told to stop finishes its chunk; another one does the rest."""
    import_id = await upload(db)
    broker = make_broker(redis_url)
    first = await launch(database_url, redis_url, CASEROLL_CHUNK_ROWS="1")
    await BrokerQueue(broker).enqueue_split(import_id)
    await begun(db)
    code, _, log = await stop(first)
    await age(db)
    second = await launch(database_url, redis_url)
    try:
        row = await finished(db, import_id)
    finally:
        await stop(second)
    broker.close()

    assert code == 0
    assert "Traceback" not in log
    assert (row["status"], row["created"]) == ("PROCESSED", 60)
    assert await db.fetchval("SELECT count(*) FROM assignment_history") == 60


async def test_killed_in_the_middle(db: Connection, database_url: str, redis_url: str) -> None:
    """A worker that is killed leaves nothing half done; another one does the rest."""
    import_id = await upload(db)
    broker = make_broker(redis_url)
    first = await launch(database_url, redis_url, CASEROLL_CHUNK_ROWS="1")
    await BrokerQueue(broker).enqueue_split(import_id)
    await begun(db)
    first.kill()
    await first.communicate()
    await age(db)
    second = await launch(database_url, redis_url)
    try:
        row = await finished(db, import_id)
    finally:
        await stop(second)
    broker.close()

    assert (row["status"], row["created"], row["unchanged"]) == ("PROCESSED", 60, 0)
    assert await db.fetchval("SELECT count(*) FROM assignment_history") == 60
    assert await db.fetchval("SELECT count(*) FROM import_rows") == 60


async def test_wrong_settings(redis_url: str) -> None:
    """Settings that are wrong are told, all at once, and the worker does not start."""
    process = await launch("", redis_url, CASEROLL_CHUNK_ROWS="none")
    _, log = await process.communicate()

    assert process.returncode == 2
    assert "DATABASE_URL is not set." in log.decode()
    assert "CASEROLL_CHUNK_ROWS" in log.decode()


async def test_without_a_database(redis_url: str, tmp_path: Path) -> None:
    """A worker that can't reach the database ends, so that it is started again, instead of taking
    messages that it can do nothing with."""
    nowhere = f"postgresql://postgres@/none?host={tmp_path}"
    process = await launch(nowhere, redis_url)
    async with asyncio.timeout(30):
        _, log = await process.communicate()

    assert process.returncode == 1
    assert "the database can't be opened" in log.decode()
    assert "Traceback" not in log.decode()


async def test_behind_a_pooler(database_url: str, redis_url: str) -> None:
    """A pooler that shares sessions is refused in one sentence, and not tried again."""
    async with pooler(database_url, is_shared=True) as url:
        process = await launch(url, redis_url)
        async with asyncio.timeout(30):
            _, log = await process.communicate()

    assert process.returncode == 2
    assert log.decode().count("\n") == 1
    assert "behind a pooler that shares sessions" in log.decode()


async def test_messages_of_others(
    db: Connection, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """A thousand messages that can't be decoded delay nothing, and are one line."""
    with redis.Redis.from_url(redis_url) as client:
        for number in range(1_000):
            client.hset("caseroll:caseroll.msgs", f"w-{number}", "no JSON")
            client.rpush("caseroll:caseroll", f"w-{number}")
    import_id = await upload(db, rows=1)
    broker = make_broker(redis_url)
    await BrokerQueue(broker).enqueue_split(import_id)
    process = await launch(database_url, redis_url, CASEROLL_MAIL_DIR=str(tmp_path))
    try:
        row = await finished(db, import_id)
    finally:
        code, _, log = await stop(process)
        broker.close()

    assert (row["status"], row["created"], code) == ("PROCESSED", 1, 0)
    assert log.count("\n") == 1
    assert "put 1000 messages aside" in log


@pytest.mark.parametrize("table", ["imports", "assignments"])
async def test_lost_connections(
    db: Connection, database_url: str, redis_url: str, tmp_path: Path, table: str
) -> None:
    """A split, and a chunk, that lose their connection are done again, with a line in the log."""
    import_id = await upload(db)
    broker = make_broker(redis_url)
    process = await launch(database_url, redis_url, CASEROLL_MAIL_DIR=str(tmp_path))
    # Another connection, as a transaction's looks at the activity all show what the first one saw.
    other = await asyncpg.connect(**credentials(database_url))
    try:
        async with other.transaction():
            await other.execute(f"LOCK TABLE {table} IN SHARE MODE")
            await BrokerQueue(broker).enqueue_split(import_id)
            lost = 0
            while not lost:
                lost = await db.fetchval(
                    """
                    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """
                )
        row = await finished(db, import_id)
    finally:
        code, _, log = await stop(process)
        await other.close()
        broker.close()

    assert (row["status"], row["created"], code) == ("PROCESSED", 60, 0)
    assert "Traceback" not in log
    assert " again: " in log or "next message" in log


async def test_no_broker(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """A message that can't be sent is no error: the sweeper enqueues it again."""
    broker = make_broker(f"unix://{tmp_path}/nobody")
    queue = BrokerQueue(broker)
    await queue.enqueue_split(1)
    await queue.notify_changed(1, 1)
    broker.close()

    assert caplog.text.count("Redis is out of reach") == 2


async def test_stopped_while_it_sweeps(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is closed when the sweeper has ended its round, not under it."""
    monkeypatch.setattr("api.worker.SWEEP_SECONDS", 0)
    begun, to_end, found = asyncio.Event(), asyncio.Event(), []

    class Sweeping:
        async def sweep(self) -> None:
            begun.set()
            await to_end.wait()
            async with connection() as db:
                found.append(await db.fetchval("SELECT 1"))

        async def close(self) -> None:
            pass

    async with _keep_up(database_url, cast("Engine", Sweeping())):
        await begun.wait()
        asyncio.get_running_loop().call_soon(to_end.set)
    assert found


async def test_small_imports_beside_a_large_one(
    db: Connection, database_url: str, redis_url: str
) -> None:
    """With one worker alone, small imports get through while a large one is cut and run, and an
    app's only import before all that another app has queued."""
    await db.execute(
        """
        INSERT INTO apps (id, slug, name) VALUES (2, 'two', 'Two');
        INSERT INTO roles (app_id, key, label) VALUES (2, 'staff', 'Staff');
        INSERT INTO cases (app_id, tag_id) VALUES (2, 'trv-001');
        INSERT INTO users (app_id, tag_id, email)
          SELECT 2, 'u-' || n, n || '@example.org' FROM generate_series(0, 59) AS n;
        """
    )
    process = await launch(database_url, redis_url, CASEROLL_CHUNK_ROWS="2000")
    broker = make_broker(redis_url)
    try:
        large = [await upload(db, rows=60_000, name=f"large {number}") for number in range(3)]
        for import_id in large:
            await BrokerQueue(broker).enqueue_split(import_id)
        await begun(db)
        small = [await upload(db, name=f"small {app}", app=app) for app in (1, 2)]
        for import_id in small:
            await BrokerQueue(broker).enqueue_split(import_id)
        ends = [(await finished(db, import_id))["finished_at"] for import_id in small]
        last = max([(await finished(db, import_id))["finished_at"] for import_id in large])
    finally:
        code, _, log = await stop(process)
        broker.close()

    assert max(ends) < last
    assert code == 0
    assert "Traceback" not in log


LOOP = """
import logging, sys, threading
from dramatiq.asyncio import EventLoopThread
from api import worker
logging.basicConfig(level=logging.WARNING)
def spin():
    while True:
        pass
thread = EventLoopThread(logging.getLogger())
thread.daemon = True
thread.start()
thread.loop.call_soon_threadsafe(spin if sys.argv[1] == "hangs" else thread.loop.stop)
worker.get_event_loop_thread = lambda: thread
worker._LOOK_SECONDS, worker._MOST_SILENT_LOOKS = 0.02, 9
worker.wait_for_stop(threading.Event())
"""


@pytest.mark.parametrize("fate", ["hangs", "has ended"])
async def test_its_loop_is_lost(fate: str) -> None:
    """A worker whose event loop a plugin's task ends or blocks does not stay there for ever."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOOP, fate, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()

    assert process.returncode == 1
    assert f"the event loop {fate}" in errors.decode()
    assert fate != "hangs" or "in spin" in errors.decode()
