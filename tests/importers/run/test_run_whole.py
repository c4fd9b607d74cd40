"""All or nothing: one worker applies all chunks, whatever others do meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from importers.run import run_whole
from importers.sdk.errors import RetryableError
from models.chunk import claim_chunk
from models.database_url import credentials
from tests.importers.engine_fixture import Counts, EngineFixture, Result

ROWS = [f"trv-001,{user},,staff,1" for user in ("jack-001", "jones-001", "jill-001")]
ROWS += [f"trv-003,{user},,staff,1" for user in ("jack-001", "jones-001")]


@pytest.fixture
async def other(module_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The connection of another process."""
    db = await asyncpg.connect(**credentials(module_database_url))
    yield db
    await db.close()


async def planned(world: EngineFixture, type_: str = "assign", *rows: str) -> int:
    """Upload an import of all or nothing, and plan it; its chunks are next."""
    key = await world.upload(type_, *(rows or ROWS), is_atomic=True)
    await world.engine.split(key)
    world.queue.messages.clear()
    while ("split", (key,)) not in world.queue.messages:
        await world.engine.run(key)
    await world.engine.split(key)
    world.queue.messages.clear()
    return key


def between_chunks(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Awaitable[None]]) -> None:
    """Let something happen each time that a chunk has been carried out."""
    carry_out = run_whole.carry_out_chunk

    async def carry_out_and_do(*arguments: Any) -> Any:
        done = await carry_out(*arguments)
        await do()
        return done

    monkeypatch.setattr(run_whole, "carry_out_chunk", carry_out_and_do)


async def test_other_workers(
    small: EngineFixture, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They find nothing to do meanwhile, and the queue has no message for them."""
    key = await planned(small)
    found: list[object] = []

    async def look() -> None:
        found.extend([await claim_chunk(other, key), *small.queue.messages])

    between_chunks(monkeypatch, look)
    await small.engine.run(key)

    assert found == [None, None]
    assert await small.counts(key) == Counts("PROCESSED", 5, 5, 0, 0, 5, 0, 0, 0)


async def test_cancel_meanwhile(
    small: EngineFixture, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancel undoes what the transaction has done so far."""
    key = await planned(small)

    async def cancel() -> None:
        await other.execute("UPDATE imports SET cancel_requested_at = now() WHERE id = $1", key)

    between_chunks(monkeypatch, cancel)
    await small.queue.enqueue_run(key)
    await small.drain()

    assert await small.counts(key) == Counts("CANCELLED", 5, 0, 0, 5, 0, 0, 0, 0)
    assert await small.assignments() == {}
    assert await small.mails(key) == []
    assert len(small.queue.ends) == 1


async def test_cancel_of_a_retry(small: EngineFixture) -> None:
    """Its rows stay failed, to be retried once more."""
    rows = ["trv-001,jack-001,,staff,0", "trv-01,jill-001,,staff,0"]
    done = await small.run("assign", *rows, is_atomic=True)
    await small.request_retry(done, {3: {"case_id": "trv-001"}})
    while ("split", (done,)) in small.queue.messages or (
        await small.fetchrow("SELECT stage FROM imports WHERE id = $1", done)
    )["stage"] != "APPLY":
        name, arguments = small.queue.messages.popleft()
        await getattr(small.engine, name)(*arguments)
    await small.cancel(done)

    assert await small.counts(done) == Counts("FAILED", 2, 0, 2, 0, 0, 0, 0, 0)
    await small.retry(done)
    assert await small.counts(done) == Counts("PROCESSED", 2, 2, 0, 0, 2, 0, 0, 0)


async def test_workers_that_die(small: EngineFixture) -> None:
    """An import that has ended five workers fails, and nothing of it is applied."""
    key = await planned(small)
    await small.execute("UPDATE imports SET split_attempts = 5 WHERE id = $1", key)

    await small.engine.run(key)

    assert set((await small.results(key)).values()) == {Result("FAILED", codes=("IMPORTER_ERROR",))}
    assert await small.counts(key) == Counts("FAILED", 5, 0, 5, 0, 0, 0, 0, 0)
    assert await small.assignments() == {}


async def test_early_failures(small: EngineFixture) -> None:
    """Rows that fail before the file is read to its end keep the others from being applied."""
    done = await small.run("assign", "nowhere,jack-001,,staff,0", *ROWS, is_atomic=True)

    results = await small.results(done)
    assert results.pop(2) == Result("FAILED", codes=("NOT_FOUND",))
    assert set(results.values()) == {Result("FAILED", codes=("NOT_APPLIED",))}
    assert await small.counts(done) == Counts("FAILED", 6, 0, 6, 0, 0, 0, 0, 0)
    assert await small.assignments() == {}


async def test_a_row_that_others_hold(small: EngineFixture, other: asyncpg.Connection) -> None:
    """An import that waits for another one's lock in vain begins again, and is not to blame."""
    rows = ["trv-001,jack-001,clients,1", "trv-003,jack-001,clients,1"]
    await small.put(("trv-001", "jack-001", "staff", 0), ("trv-003", "jack-001", "staff", 0))
    key = await planned(small, "modify", *rows)
    holding = other.transaction()
    await holding.start()
    await other.execute("SELECT 1 FROM assignments WHERE case_id = $1 FOR UPDATE",
                        small.cases["trv-003"])  # fmt: skip
    with pytest.raises(RetryableError):
        await small.engine.run(key)
    await holding.rollback()
    row = await small.fetchrow("SELECT split_attempts FROM imports WHERE id = $1", key)
    assert row["split_attempts"] == 0

    await small.engine.run(key)

    assert await small.counts(key) == Counts("PROCESSED", 2, 2, 0, 0, 0, 2, 0, 0)
