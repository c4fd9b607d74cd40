"""Whoever listens hears of each import's end, once for each time that it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.audit import COMMAND_LINE
from models.db import transaction
from models.imports import ImportEnd, ImportStatus
from models.progress import request_cancel
from tests.importers.engine_fixture import Counts, EngineFixture

ROWS = [f"trv-00{case},{user}-001,,staff,1" for case in (1, 3, 4) for user in ("jack", "jill")]
WRONG = "trv-002,jack-001,,staff,1"


def counts(end: ImportEnd) -> Counts:
    return Counts(*[getattr(end, name) for name in Counts._fields])


async def cancel(world: EngineFixture, import_id: int) -> None:
    async with transaction() as db:
        await request_cancel(db, world.app_id, import_id, by=COMMAND_LINE)


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_the_last_chunk(small: EngineFixture, is_dry_run: bool) -> None:
    """The chunk with the last row ends the import; those before it, and late messages, do not."""
    import_id = await small.run("assign", *ROWS, WRONG, is_dry_run=is_dry_run)
    await small.engine.split(import_id)
    await small.engine.run(import_id)
    (end,) = small.queue.ends
    row = await small.fetchrow("SELECT name, finished_at FROM imports")

    assert counts(end) == await small.counts(import_id)
    assert (end.id, end.app_id, end.type) == (import_id, small.app_id, "assign")
    assert (end.name, end.source, end.token_id) == (row["name"], "api", None)
    assert (end.is_dry_run, end.finished_at) == (is_dry_run, row["finished_at"])
    assert end.status is ImportStatus.PROCESSED


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_a_refused_file(world: EngineFixture, is_dry_run: bool) -> None:
    """A file that can't be read ends its import."""
    import_id = await world.run("assign", data=b"", is_dry_run=is_dry_run)

    assert [counts(end) for end in world.queue.ends] == [Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)]
    assert [end.id for end in world.queue.ends] == [import_id]
    assert await world.fetch("SELECT 1 FROM import_chunks") == []


async def test_a_split_that_fails(world: EngineFixture) -> None:
    """An import that can't be cut, by no fault of its file, ends as well."""
    broken = replace(world.engine, limits=None)  # type: ignore[arg-type]
    import_id = await world.upload("assign", *ROWS)
    await broken.split(import_id)

    assert [(end.id, end.status) for end in world.queue.ends] == [(import_id, "FAILED")]


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_no_rows_for_chunks(small: EngineFixture, is_dry_run: bool) -> None:
    """An import whose every row fails before the file is cut ends with the cut."""
    import_id = await small.upload(
        "assign", *[f"x,{n},,,maybe" for n in range(8)], is_dry_run=is_dry_run
    )
    await small.engine.split(import_id, is_to_run=True)
    (end,) = small.queue.ends

    assert counts(end) == Counts("FAILED", 8, 0, 8, 0, 0, 0, 0, 0)
    assert list(small.queue.messages) == []


async def test_a_retry_ends_again(small: EngineFixture) -> None:
    """Each retry has an end of its own, later than the one before."""
    import_id = await small.run("assign", *ROWS, WRONG)
    await small.retry(import_id)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.retry(import_id)
    first, second, third = small.queue.ends

    assert {first.id, second.id, third.id} == {import_id}
    assert [(end.passed, end.failed) for end in small.queue.ends] == [(6, 1), (6, 1), (7, 0)]
    assert first.finished_at < second.finished_at < third.finished_at


async def test_a_refused_retry_ends_again(world: EngineFixture) -> None:
    """A retry that can't be run ends the import again, with its rows as they were."""
    import_id = await world.run("assign", *ROWS, WRONG)
    await world.request_retry(import_id)
    await replace(world.engine, importers={}).split(import_id)

    assert [(end.passed, end.failed) for end in world.queue.ends] == [(6, 1), (6, 1)]
    assert [end.id for end in world.queue.ends] == [import_id] * 2


async def test_a_retry_without_rows_ends_again(world: EngineFixture) -> None:
    """A retry whose rows are gone when it begins ends the import with the cut."""
    import_id = await world.run("assign", *ROWS, WRONG)
    await world.request_retry(import_id)
    await world.execute('UPDATE imports SET retry = \'{"rows": [404], "cells": {}}\'')
    await world.drain()

    assert [end.id for end in world.queue.ends] == [import_id] * 2


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_cancelled_import(small: EngineFixture, is_begun: bool) -> None:
    """A request to cancel is no end; the import ends when no row waits any more."""
    import_id = await small.split("assign", *ROWS)
    if is_begun:
        await small.engine.run(import_id)
    await cancel(small, import_id)
    before = list(small.queue.ends)
    await small.queue.enqueue_run(import_id)
    await small.drain()
    (end,) = small.queue.ends

    assert before == []
    assert end.status is ImportStatus.CANCELLED
    assert (end.total, end.passed + end.cancelled) == (6, 6)


async def test_listeners(world: EngineFixture, caplog: pytest.LogCaptureFixture) -> None:
    """Every listener hears of an end, also when another one fails; the message is done then."""
    heard: list[str] = []

    async def fail(end: ImportEnd) -> None:
        heard.append("first")
        raise OSError("no such host")

    async def listen(end: ImportEnd) -> None:
        heard.append(end.name)

    engine = replace(world.engine, on_end=[fail, listen])
    import_id = await world.upload("assign", *ROWS, name="May")
    await engine.split(import_id, is_to_run=True)

    assert heard == ["first", "May"]
    assert "no such host" in caplog.text
    assert (await world.counts(import_id)).status == "PROCESSED"


async def test_it_is_committed(world: EngineFixture) -> None:
    """What a listener reads is the import's end, not the moment before."""
    seen = []

    async def look(end: ImportEnd) -> None:
        seen.append((await world.counts(end.id), counts(end)))

    import_id = await world.upload("assign", *ROWS)
    await replace(world.engine, on_end=[look]).split(import_id, is_to_run=True)

    assert [found == told for found, told in seen] == [True]
