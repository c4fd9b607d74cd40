"""No import has to wait for all of another one, and no app for all of another app."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from importers import engine as engine_module
from importers.fairness import Fairness
from importers.sdk.errors import RetryableError
from importers.split.split import split_import
from models.app import create_app
from models.db import connection
from models.waiting import WaitingImport, find_waiting
from tests.importers.engine_fixture import EngineFixture, make_world, ticking

MANY = [f"trv-00{case},{user}-001,,staff,0" for case in (1, 3, 4) for user in ("jack", "jill")]


def test_turns_go_round() -> None:
    """The app served longest ago is next, and of it the import that was; new ones come first."""
    fairness = Fairness(ticking())
    waiting = [
        WaitingImport(import_id, app, True) for import_id, app in ((1, 1), (2, 1), (3, 2), (4, 3))
    ]
    order = []
    for _ in range(8):
        chosen = fairness.choose(waiting)
        assert chosen
        order.append(chosen.id)
        with fairness.working(chosen.id):
            pass
        fairness.note_app(chosen.app_id)

    assert order == [1, 3, 4, 2, 3, 4, 1, 3]
    assert fairness.choose([]) is None


def test_an_app_that_can_do_nothing_has_had_its_turn() -> None:
    """An import that has nothing to do, or fails whenever it is tried, keeps nobody from theirs."""
    fairness = Fairness(ticking())
    waiting = [WaitingImport(import_id, import_id, True) for import_id in (1, 2, 3)]

    chosen = [fairness.choose(waiting) for _ in range(6)]

    assert [each.id for each in chosen if each] == [1, 2, 3, 1, 2, 3]


async def test_an_import_that_fails_is_no_fault_of_others(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the turn of another app's import fails, the import that a hint came for is run."""
    other = await make_world(slug="stuck")
    stuck = await other.split("assign", *MANY)
    import_id = await world.split("assign", *MANY)
    real = engine_module.next_chunk

    async def next_chunk(key: int) -> Any:
        if key == stuck:
            raise RuntimeError("it can't be run")
        return await real(key)

    monkeypatch.setattr(engine_module, "next_chunk", next_chunk)
    monkeypatch.setattr("importers.fairness._SECONDS_BEFORE_A_LOOK", -1.0)
    await world.engine.run(import_id)

    assert (await world.counts(import_id)).status == "PROCESSED"
    assert (await other.counts(stuck)).status == "PROCESSING"


async def waiting_ids(**options: Any) -> list[int]:
    async with connection() as db:
        return sorted(each.id for each in await find_waiting(db, **options))


async def test_what_waits(small: EngineFixture) -> None:
    """What is queued, has chunks or is to be tried again waits; what is being cut or is finished
    does not."""
    queued = await small.upload("assign", *MANY)
    cut = await small.split("assign", *MANY)
    tried_again = await small.run("assign", *MANY, "x,y,,,")
    await small.request_retry(tried_again)
    small.queue.messages.clear()
    being_cut = await small.upload("assign", *MANY)
    await small.execute("UPDATE imports SET status = 'PROCESSING' WHERE id = $1", being_cut)
    await small.run("assign", *MANY)

    assert await waiting_ids() == [queued, cut, tried_again]
    assert await waiting_ids(most_bytes=10, most_rows=5) == [tried_again]
    assert await waiting_ids(most_bytes=10_000, most_rows=0) == [queued]


async def test_a_few_of_each_app(small: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many imports an app has, those of another one are seen."""
    monkeypatch.setattr("models.waiting._MOST_OF_AN_APP", 2)
    first = [await small.upload("assign", *MANY) for _ in range(4)][:2]
    other = await make_world(slug="other")
    theirs = await other.upload("assign", *MANY)

    assert await waiting_ids() == [*first, theirs]


async def test_one_import_of_an_app_behind_fifty_of_another(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app's only import is done after a few turns, not after all that another app has queued
    before it, and nothing of that is lost."""
    monkeypatch.setattr("importers.fairness._SECONDS_BEFORE_A_LOOK", -1.0)
    many = [await small.upload("assign", *MANY, name=f"n{number}") for number in range(50)]
    app = await create_app("other", "Other")
    await small.execute("UPDATE cases SET app_id = $1 WHERE tag_id = 'trv-004'", app.id)
    theirs = await small.upload("assign", *MANY)
    await small.execute("UPDATE imports SET app_id = $1 WHERE id = $2", app.id, theirs)
    for import_id in [*many, theirs]:
        await small.queue.enqueue_split(import_id)
    turns_taken = 0
    while (await small.counts(theirs)).status in ("QUEUED", "PROCESSING"):
        name, arguments = small.queue.messages.popleft()
        turns_taken += name != "send_mails"
        await getattr(small.engine, name)(*arguments)
    await small.drain()

    assert turns_taken < 12
    assert {(await small.counts(import_id)).status for import_id in many} == {"PROCESSED"}
    assert await small.fetch("SELECT 1 FROM import_chunks") == []


async def test_a_small_import_while_a_large_file_is_cut(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one worker only, a small import is done while that one cuts a large file."""
    large = await world.upload("assign", *MANY)
    little = await world.upload("assign", *MANY)

    async def slowly(import_id: int, cut: Any) -> Any:
        while (  # noqa: ASYNC110 - the database has no event for it
            import_id == large and (await world.counts(little)).status != "PROCESSED"
        ):
            await asyncio.sleep(0.01)
        return await split_import(import_id, cut)

    monkeypatch.setattr(engine_module, "split_import", slowly)
    monkeypatch.setattr(engine_module, "_SHORT_SECONDS", 0.01)
    await world.engine.split(large)
    done = (await world.counts(little)).status
    await world.drain()

    assert done == "PROCESSED"
    assert (await world.counts(large)).status == "PROCESSED"


async def test_a_small_import_is_run_when_it_is_cut(small: EngineFixture) -> None:
    """What is cut in no time need not wait in the queue for its first chunk to be run."""
    small = small.with_engine(clock=lambda: 0.0)
    import_id = await small.upload("assign", *MANY[:3])
    await small.engine.split(import_id, is_to_run=True)

    assert (await small.counts(import_id)).status == "PROCESSED"
    assert [name for name, _ in small.queue.messages] == []


async def test_the_rest_of_what_was_cut(small: EngineFixture) -> None:
    """Other chunks are enqueued, as always."""
    import_id = await small.upload("assign", *MANY)
    await small.engine.split(import_id, is_to_run=True)
    enqueued = [name for name, _ in small.queue.messages]
    await small.drain()

    assert enqueued == ["run"]
    assert (await small.counts(import_id)).status == "PROCESSED"


@pytest.mark.parametrize("error", [RetryableError("the database is not well"), OSError("lost")])
async def test_a_first_chunk_that_can_not_be_run_at_once(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A message to run it is enqueued then: one to cut would find nothing to do."""

    async def fail(*_: Any) -> None:
        raise error

    import_id = await small.upload("assign", *MANY[:3])
    monkeypatch.setattr(engine_module, "run_chunk", fail)
    await small.engine.split(import_id, is_to_run=True)
    monkeypatch.undo()
    enqueued = [name for name, _ in small.queue.messages]
    await small.drain()

    assert enqueued == ["run"]
    assert (await small.counts(import_id)).status == "PROCESSED"


async def test_a_small_import_that_can_not_be_done_meanwhile(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong with a small import does not disturb the cutting of the large file, and is a
    line in the log."""
    caplog.set_level(logging.INFO, "importers.engine")
    large = await world.upload("assign", *MANY)
    little = await world.upload("assign", *MANY)
    has_failed = asyncio.Event()

    async def slowly(import_id: int, cut: Any) -> Any:
        if import_id == little:
            has_failed.set()
            raise RetryableError("the database is not well")
        await has_failed.wait()
        return await split_import(import_id, cut)

    monkeypatch.setattr(engine_module, "split_import", slowly)
    monkeypatch.setattr(engine_module, "_SHORT_SECONDS", 0.01)
    await world.engine.split(large)
    monkeypatch.undo()
    await world.queue.enqueue_split(little)
    await world.drain()

    assert {(record.getMessage(), record.exc_info) for record in caplog.records} == {
        (f"import {little} was put off to its own turn: the database is not well", None)
    }
    assert {(await world.counts(each)).status for each in (large, little)} == {"PROCESSED"}
