"""Cutting a file into chunks, when something is in the way."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import asyncpg
import pytest

from importers import Case, CaseRef, Column, Importer, ModifyCase, Row
from importers.isolation.guard import Guard
from importers.sdk.errors import RetryableError
from models.database_url import credentials
from models.db import allow_long, keep_alive, transaction
from models.progress import lock_split
from tests.importers.engine_fixture import Counts, EngineFixture, Result

ROW = "trv-001,jack-001,,staff,0"


async def test_a_second_message_meanwhile(world: EngineFixture, module_database_url: str) -> None:
    """While one worker cuts a file, another that gets a message does and enqueues nothing."""
    import_id = await world.upload("assign", ROW)
    other = await asyncpg.connect(**credentials(module_database_url))
    async with other.transaction():
        assert await lock_split(other, import_id)
        await world.engine.split(import_id)
    await other.close()

    assert list(world.queue.messages) == []
    assert world.queue.changes == []
    assert (await world.fetchrow("SELECT split_at FROM imports"))["split_at"] is None


async def test_a_fault_of_ours(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen error ends the import, which is not tried again for ever."""

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("importers.split.file_rows.open_table", fail)
    import_id = await world.run("assign", ROW)
    errors = (await world.fetchrow("SELECT errors FROM imports"))["errors"]

    assert await world.counts(import_id) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
    assert "The file could not be worked on, by no fault of its own" in errors
    assert "secret" not in errors
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(asyncpg.ConnectionDoesNotExistError("gone"), id="lost"),
        pytest.param(asyncpg.InternalClientError("cannot switch to state 15"), id="being lost"),
        pytest.param(asyncpg.ObjectNotInPrerequisiteStateError("not now"), id="closed to all"),
        pytest.param(asyncpg.TooManyConnectionsError("full"), id="out of connections"),
        pytest.param(asyncpg.DiskFullError("full"), id="out of disk"),
    ],
)
async def test_a_fault_that_passes(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A lost database leaves the import as it was, to be tried again."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    import_id = await world.upload("assign", ROW)
    with monkeypatch.context() as patch:
        patch.setattr("importers.split.file_rows.open_table", fail)
        with pytest.raises(RetryableError, match=f"import {import_id} is to be cut again"):
            await world.engine.split(import_id)
    await world.engine.split(import_id)
    await world.drain()

    assert (await world.counts(import_id)).created == 1


async def test_a_long_transaction(opened: None) -> None:
    """A transaction may be allowed more time than others, and each of its statements too."""
    async with transaction() as db:
        for name in ("transaction_timeout", "statement_timeout"):
            await db.execute("SELECT set_config($1, '300ms', true)", name)
        await allow_long(db, 5)
        await db.execute("SELECT pg_sleep(0.5)")
        found = await db.fetchval("SELECT 1")

    assert found == 1


async def test_a_long_transaction_that_hangs(opened: None) -> None:
    """However long a transaction may take, one that falls silent is ended, so that a worker that
    hangs while it cuts a file does not hold the import."""
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await _fall_silent()


async def test_work_beside_a_transaction(opened: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that waits for work done elsewhere gives signs of life."""
    monkeypatch.setattr("models.db._SIGN_SECONDS", 0.05)
    async with transaction() as db:
        await _be_impatient(db)
        found = await keep_alive(db, asyncio.sleep(1.5, "done"))

    assert found == "done"


async def _fall_silent() -> None:
    async with transaction() as db:
        await _be_impatient(db)
        await asyncio.sleep(1.5)
        await db.execute("SELECT 1")


async def _be_impatient(db: asyncpg.Connection) -> None:
    await db.execute("SET LOCAL idle_in_transaction_session_timeout = '500ms'")
    await allow_long(db, 60)


class Slow(CaseRef):
    """Takes its time with each cell."""

    def parse(self, text: str) -> str:
        """Read it."""
        time.sleep(0.002)
        return text.removeprefix("case ")


class Fickle(CaseRef):
    """Knows cases by other names, when its source can be reached."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.calls = 0

    def is_plain(self, key: str) -> bool:
        """Tell whether it need not be looked up."""
        return "case" not in key

    async def resolve(self, directory: Any, keys: Collection[str]) -> Mapping[str, Case]:
        """Look them up, but not at the first time."""
        self.calls += 1
        if self.calls == 1:
            raise LookupError("away")
        found = await directory.cases([key.removeprefix("case ") for key in keys])
        return {key: found[tag] for key in keys if (tag := key.removeprefix("case ")) in found}


@pytest.mark.parametrize("kind", [Slow, Fickle])
async def test_rows_that_can_not_be_told_apart(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, kind: type[CaseRef]
) -> None:
    """When an importer can't say of all rows which case they are about, in the time that it has or
    at all, they run one after another: the first one counts, as in one chunk."""

    class About(Importer):
        label = "About"
        case_id = kind(required=True, is_key=True)
        about = Column[str](required=True)

        def change(self, row: Row) -> ModifyCase:
            return ModifyCase(case=row.case_id, about=row.about)

    monkeypatch.setattr("importers.split.split.MOST", 0)
    monkeypatch.setattr("importers.split.chunk_writer._ROWS_AT_ONCE", 20)
    small = world.with_engine(about=About("about"), chunk_rows=5)
    rows = ["trv-001,first", *[f"case x{n},x" for n in range(40)], "case trv-001,second"]
    with monkeypatch.context() as patch:
        guard = partial(Guard, "importer 'about'", total_seconds=0.02 if kind is Slow else 30)
        patch.setattr("importers.split.grouping.guard_of", lambda *_: guard())
        import_id = await small.split("about", *rows, header="case_id,about")
    await small.queue.enqueue_run(import_id)
    await small.drain(random.Random(1))
    results = await small.results(import_id)

    assert results[2] == Result("UPDATED")
    assert results[len(rows) + 1] == Result("FAILED", codes=("CONFLICTS_WITH_ROW",))
    assert (await small.counts(import_id)).total == len(rows)
