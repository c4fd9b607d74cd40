"""Imports that are run in the process that stored them."""

from __future__ import annotations

import asyncio

import asyncpg

from importers.run.run_chunk import next_chunk
from importers.run_inline import run_here
from models.chunk import lock_chunk
from models.database_url import credentials
from tests.importers.engine_fixture import EngineFixture


async def test_it_is_run_to_its_end(world: EngineFixture) -> None:
    """A file of any number of chunks is run, and its mails wait for a worker."""
    import_id = await world.upload("assign", "trv-001,jack-001,,staff,1", "trv-001,nobody,,staff,1")
    await run_here(import_id, world.engine.importers)
    counts = await world.counts(import_id)

    assert (counts.status, counts.passed, counts.failed) == ("PROCESSED", 1, 1)
    assert await world.mails(import_id) == [(2, "PENDING")]


async def test_it_goes_on_where_somebody_left(small: EngineFixture) -> None:
    """Chunks that are there already, some of them run, are not made anew; all are run."""
    rows = [f"new-{number},,,about" for number in range(10)]
    import_id = await small.split("add-cases", *rows)
    await small.engine.run(import_id)
    await run_here(import_id, small.engine.importers)
    counts = await small.counts(import_id)

    assert (counts.status, counts.total, counts.created) == ("PROCESSED", 10, 10)


async def test_finished_import_is_left_alone(world: EngineFixture) -> None:
    """There is nothing to do for it."""
    import_id = await world.run("assign", "trv-001,jack-001,,staff,0")
    before = await world.counts(import_id)
    await run_here(import_id, world.engine.importers)

    assert await world.counts(import_id) == before


async def test_worker_that_is_at_it_is_waited_for(
    world: EngineFixture, module_database_url: str
) -> None:
    """What a worker has taken is waited for, and done here when the worker dies."""
    import_id = await world.split("assign", "trv-001,jack-001,,staff,0")
    claim = await next_chunk(import_id)
    assert claim
    worker = await asyncpg.connect(**credentials(module_database_url))
    await worker.execute("BEGIN")
    assert await lock_chunk(worker, claim.chunk_id)
    running = asyncio.create_task(run_here(import_id, world.engine.importers))
    await asyncio.sleep(0.3)
    assert not running.done()
    worker.terminate()
    await running

    assert (await world.counts(import_id)).created == 1
