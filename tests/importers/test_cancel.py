"""Cancelling stops what has not run, and nothing else."""

from __future__ import annotations

import asyncio

from importers.retry import RetryError
from models.audit import COMMAND_LINE
from models.db import transaction
from models.progress import CancelResult, request_cancel
from tests.importers.engine_fixture import Counts, EngineFixture, Result

ROWS = [f"trv-001,{user},,staff,1" for user in ("jack-001", "jones-001", "jill-001", "x-1")]
ROWS += [f"trv-003,{user},,staff,0" for user in ("jack-001", "jones-001", "jill-001", "x-1")]


async def cancel(world: EngineFixture, import_id: int, app_id: int | None = None) -> CancelResult:
    async with transaction() as db:
        return await request_cancel(db, app_id or world.app_id, import_id, by=COMMAND_LINE)


async def test_before_it_was_cut(small: EngineFixture) -> None:
    """All rows of an import that is cancelled at once end as cancelled, with their cells."""
    import_id = await small.upload("assign", *ROWS)
    said = await cancel(small, import_id)
    await small.queue.enqueue_split(import_id)
    await small.drain()
    (cells,) = await small.cells(import_id, 2)

    assert said is CancelResult.REQUESTED
    assert await small.counts(import_id) == Counts("CANCELLED", 8, 0, 0, 8, 0, 0, 0, 0)
    assert set((await small.results(import_id)).values()) == {Result("CANCELLED")}
    assert cells == ["trv-001", "jack-001", "", "staff", "1"]
    assert await small.assignments() == {}


async def test_in_the_middle(small: EngineFixture) -> None:
    """Rows that were applied stay; those that wait are cancelled."""
    rows = ["trv-004,jill-001,,staff,1", *ROWS]
    import_id = await small.split("assign", *rows)
    await small.put_first(import_id, "trv-004")
    await small.engine.run(import_id)
    await cancel(small, import_id)
    applied = set(await small.results(import_id))
    await small.drain()
    results = await small.results(import_id)
    done = {number for number, result in results.items() if result != Result("CANCELLED")}
    created = {number for number, result in results.items() if result == Result("CREATED")}
    counts = await small.counts(import_id)

    assert 2 in applied
    assert 1 <= len(applied) <= 3
    assert done == applied
    assert (counts.status, counts.total, counts.passed) == ("CANCELLED", 9, len(created))
    assert counts.cancelled == 9 - len(applied)
    assert len(await small.assignments()) == len(created)
    assert await small.mails(import_id) == [
        (number, "SENT") for number in sorted(created) if rows[number - 2].endswith("1")
    ]


async def test_after_the_end(small: EngineFixture) -> None:
    """A finished import can't be cancelled, nor one that there is not, nor another app's."""
    import_id = await small.run("assign", *ROWS)
    waiting = await small.upload("assign", *ROWS)

    assert await cancel(small, import_id) is CancelResult.FINISHED
    assert await cancel(small, 404) is CancelResult.NOT_FOUND
    assert await cancel(small, waiting, app_id=404) is CancelResult.NOT_FOUND
    assert (await small.counts(import_id)).status == "PROCESSED"


async def test_twice(small: EngineFixture) -> None:
    """Cancelling what is being cancelled is no error and changes nothing more."""
    import_id = await small.split("assign", *ROWS)
    first = await cancel(small, import_id)
    moment = await small.fetchrow("SELECT cancel_requested_at FROM imports")
    second = await cancel(small, import_id)

    assert (first, second) == (CancelResult.REQUESTED, CancelResult.REQUESTED)
    assert await small.fetchrow("SELECT cancel_requested_at FROM imports") == moment


async def test_after_the_last_row(small: EngineFixture) -> None:
    """An import whose rows have all run when the wish comes is processed, not cancelled."""
    import_id = await small.split("assign", *ROWS)
    await asyncio.gather(*[small.engine.run(import_id) for _ in range(3)])
    await small.drain()
    await cancel(small, import_id)

    assert (await small.counts(import_id)).status == "PROCESSED"


async def test_a_chain_is_cancelled_to_its_end(small: EngineFixture) -> None:
    """Chunks that wait for others are cancelled as well."""
    import_id = await small.split("assign", *["trv-001,jack-001,,staff,0"] * 10)
    await small.engine.run(import_id)
    await cancel(small, import_id)
    await small.drain()
    counts = await small.counts(import_id)

    assert (counts.status, counts.passed, counts.cancelled) == ("CANCELLED", 3, 7)


async def test_a_refused_file_is_failed(small: EngineFixture) -> None:
    """A file that can't be read ends as failed even if it was cancelled before."""
    import_id = await small.upload("assign", data=b"")
    await cancel(small, import_id)
    await small.queue.enqueue_split(import_id)
    await small.drain()

    assert (await small.counts(import_id)).status == "FAILED"


async def test_a_retry(small: EngineFixture) -> None:
    """Rows of a retry that is cancelled stay as failed as they were, errors and all."""
    import_id = await small.run("assign", *ROWS, *["y,z,,,"] * 5)
    before, errors = await small.counts(import_id), await small.errors(import_id)
    await small.execute(
        "INSERT INTO users (app_id, tag_id, email) VALUES ($1, 'x-1', 'x@x.org')", small.app_id
    )
    await small.request_retry(import_id)
    await cancel(small, import_id)
    await small.drain()

    assert await small.counts(import_id) == before
    assert await small.errors(import_id) == errors


async def test_what_was_cancelled_can_be_tried_again(small: EngineFixture) -> None:
    """The failed rows of a cancelled import can be tried again; the cancelled ones stay so."""
    good = [row for row in ROWS if "x-1" not in row]
    import_id = await small.split("assign", "x,y,,,", *good)
    await small.put_first(import_id, "y")
    await small.engine.run(import_id)
    await cancel(small, import_id)
    await small.drain()
    before = await small.counts(import_id)
    await small.retry(
        import_id, {2: {"case_id": "trv-004", "user_id": "jill-001", "case_role_id": "staff"}}
    )
    after = await small.counts(import_id)

    assert (before.status, before.failed) == ("CANCELLED", 1)
    assert after == before._replace(passed=before.passed + 1, failed=0, created=before.created + 1)


async def test_nothing_to_try_again(small: EngineFixture) -> None:
    """A cancelled import without failed rows has nothing to be tried again."""
    import_id = await small.upload("assign", *ROWS[:3])
    await cancel(small, import_id)
    await small.queue.enqueue_split(import_id)
    await small.drain()
    try:
        await small.request_retry(import_id)
    except RetryError as error:
        code = error.code

    assert code == "NOTHING_TO_RETRY"
