"""Rows that fail by themselves, at a large file's beginning, have results before the split ends."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

import importers.split.split
from importers.sdk.errors import RetryableError
from importers.split.chunk_writer import ChunkWriter
from models.audit import COMMAND_LINE
from models.db import connection
from models.progress import request_cancel
from tests.importers.engine_fixture import HEADERS, PAIRS, Counts, EngineFixture, Result

WRONG = "trv-1,jack-001,,boss,7"
GOOD = [pair for pair in PAIRS if "trv-002" not in pair and "gone-001" not in pair]
ROWS = [GOOD[0], WRONG, *GOOD[1:6]]


async def before_the_cut(
    world: EngineFixture, import_id: int, monkeypatch: Any, error: Exception
) -> Any:
    """Split an import, and fail with an error once its first rows have results."""

    async def finish(self: ChunkWriter) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ChunkWriter, "finish", finish)
        await world.engine.split(import_id)


async def test_they_have_results_before_the_others_run(small: EngineFixture) -> None:
    """A row with wrong cells has all of its errors once the file is cut; nothing was applied."""
    import_id = await small.split("assign", *ROWS)
    results, counts = await small.results(import_id), await small.counts(import_id)
    errors = await small.errors(import_id)

    assert list(results) == [3]
    assert [error["column"] for error in errors[3]] == ["case_id", "case_role_id", "case_notify"]
    assert (counts.status, counts.total, counts.passed, counts.failed) == ("PROCESSING", 7, 0, 1)
    assert await small.assignments() == {}
    assert len(small.queue.changes) == 3


async def test_the_end_is_the_same(world: EngineFixture, small: EngineFixture) -> None:
    """The rows that are left bring the import to the end that it would have had in one chunk."""
    one = await world.run("assign", *ROWS)
    expected = await world.counts(one), await world.results(one), await world.errors(one)
    await world.execute("TRUNCATE assignments, assignment_history")
    import_id = await small.run("assign", *ROWS)

    assert await small.counts(import_id) == expected[0]
    assert await small.results(import_id) == expected[1]
    assert await small.errors(import_id) == expected[2]


async def test_a_file_of_one_chunk_is_run_as_it_is(small: EngineFixture) -> None:
    """No row has its result early when the file has no more rows than a chunk."""
    import_id = await small.split("assign", WRONG, GOOD[0], GOOD[1])

    assert await small.results(import_id) == {}
    assert (await small.counts(import_id)).failed == 0


async def test_a_cut_that_is_done_again(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies after that leaves its results to the one that splits the file again."""
    import_id = await small.upload("assign", *ROWS)
    with pytest.raises(RetryableError):
        await before_the_cut(small, import_id, monkeypatch, asyncpg.AdminShutdownError("down"))
    meanwhile = await small.counts(import_id)
    (header,) = await small.fetchrow("SELECT header FROM imports WHERE id = $1", import_id)
    await small.engine.split(import_id)
    await small.queue.enqueue_run(import_id)
    await small.drain()

    assert (meanwhile.status, meanwhile.total, meanwhile.failed) == ("PROCESSING", None, 1)
    assert header == HEADERS["assign"].split(",")
    assert await small.counts(import_id) == Counts("PROCESSED", 7, 6, 1, 0, 6, 0, 0, 0)
    assert sorted(await small.errors(import_id)) == [3]


async def test_a_file_that_is_refused_after_all(small: EngineFixture) -> None:
    """A file whose end can't be read has no rows, also if its first rows had results."""
    text = "\r\n".join([HEADERS["assign"], *ROWS, 'trv-001,"jack-001,,staff,0'])
    import_id = await small.upload("assign", data=text.encode())
    await small.engine.split(import_id)

    assert await small.counts(import_id) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
    assert await small.results(import_id) == {}
    assert await small.assignments() == {}


async def test_a_bug_after_they_were_told(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that can't be cut for another reason ends without rows as well."""
    import_id = await small.upload("assign", *ROWS)
    await before_the_cut(small, import_id, monkeypatch, ValueError("a bug"))

    assert await small.counts(import_id) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
    assert await small.results(import_id) == {}


async def test_cancelled_meanwhile(small: EngineFixture) -> None:
    """Rows that have results stay failed when the others are cancelled."""
    import_id = await small.split("assign", *ROWS)
    await small.execute("UPDATE imports SET cancel_requested_at = now() WHERE id = $1", import_id)
    await small.queue.enqueue_run(import_id)
    await small.drain()

    assert await small.counts(import_id) == Counts("CANCELLED", 7, 0, 1, 6, 0, 0, 0, 0)
    assert (await small.results(import_id))[2] == Result("CANCELLED")


async def test_only_some(small: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows are looked at as are read in a moment, however large chunks are."""
    monkeypatch.setattr(importers.split.split, "MOST", 1)
    import_id = await small.split("assign", *ROWS)

    assert await small.results(import_id) == {}


async def test_repeats_of_a_wrong_row(small: EngineFixture) -> None:
    """A row that repeats one with an early result fails by itself, wherever it is."""
    import_id = await small.run("assign", WRONG, *GOOD[:4], WRONG)
    errors = await small.errors(import_id)

    assert sorted(errors) == [2, 7]
    assert errors[2] == errors[7]


async def test_cancelled_between_its_first_rows_and_its_cut(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies when first rows have results leaves an import that can be cancelled:
    it ends, and each row has one result."""

    class DeadError(BaseException):
        pass

    def die(*_: object) -> None:
        raise DeadError

    import_id = await small.upload("assign", WRONG, *GOOD)
    with monkeypatch.context() as patch:
        patch.setattr("importers.split.split.allow_long", die)
        with pytest.raises(DeadError):
            await small.engine.split(import_id)
    early = await small.results(import_id)
    async with connection() as db:
        await request_cancel(db, small.app_id, import_id, by=COMMAND_LINE)
    await small.queue.enqueue_split(import_id)
    await small.drain()
    counts = await small.counts(import_id)

    assert set(early) == {2}
    assert counts.status == "CANCELLED"
    assert (counts.total, counts.failed, counts.cancelled) == (len(GOOD) + 1, 1, len(GOOD))


async def test_when_they_are_all(small: EngineFixture) -> None:
    """An import of which no row is left for a chunk ends; its rows can be retried as ever."""
    import_id = await small.run("assign", *[WRONG] * 4)
    counts = await small.counts(import_id)
    await small.retry(import_id, {2: {"case_id": "trv-001", "case_role_id": "staff",
                                      "case_notify": "0"}})  # fmt: skip

    assert counts == Counts("FAILED", 4, 0, 4, 0, 0, 0, 0, 0)
    assert await small.fetchrow("SELECT finished_at FROM imports WHERE finished_at IS NOT NULL")
    assert await small.counts(import_id) == Counts("PROCESSED", 4, 1, 3, 0, 1, 0, 0, 0)
