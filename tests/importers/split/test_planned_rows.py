"""Plans are carried out, held, or ended: what decides, and what becomes of their rows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from importers import Assign, CaseRef, Importer, RoleRef, Row, RowError, UserRef
from importers.plan_requests import PlanError, request_release
from importers.request_error import RequestError
from importers.sdk.errors import RetryableError
from importers.split import planned_rows
from importers.undo.undo_request import UndoError
from models.audit import COMMAND_LINE, Actor
from models.db import connection, transaction
from models.guard import AppGuard, read_guard
from models.progress import read_work, request_cancel
from models.retention import expire_imports
from tests.importers.engine_fixture import Counts, EngineFixture, Result
from tests.importers.test_plan_requests import OTHER, guard


async def jack_is_on_all_cases(world: EngineFixture) -> None:
    await world.put(*((case, "jack-001", "staff", 0) for case in world.cases))


@pytest.mark.parametrize("row", ["nowhere,jack-001,,staff,0", "trv-001,jack-001,,staff,0"])
async def test_nothing_to_hold(small: EngineFixture, row: str) -> None:
    """An import that would change nothing ends without a release."""
    await guard(small, requires_release=True)
    await small.put(("trv-001", "jack-001", "staff", 0))

    done = await small.run("assign", row)

    assert (await small.counts(done)).status in ("FAILED", "PROCESSED")
    assert await small.hold(done) is None


async def test_retries_in_portions(small: EngineFixture) -> None:
    """What the same import has removed within the hour counts, but not what it removed before."""
    await guard(small, remove_percent=20, remove_at_least=2)
    await jack_is_on_all_cases(small)
    done = await small.run("remove", "jack-001,trv-001", "jack-001,nowhere")

    await small.retry(done, {3: {"case_id": "trv-002"}})

    why = await small.hold(done)
    assert why
    assert why["message"].startswith(
        "2 of the 4 assignments would be gone, 1 of them within the last hour"
    )
    await small.cancel(done)
    await small.execute("UPDATE assignment_history SET changed_at = now() - interval '2 hours'")
    await small.retry(done)
    assert await small.counts(done) == Counts("PROCESSED", 2, 2, 0, 0, 0, 0, 2, 0)


class TakeOffAll(Importer):
    """Rows that take two users off a case."""

    label = "Take off"
    case_id = CaseRef()
    one = UserRef()
    other = UserRef()


async def test_rows_that_remove_several(small: EngineFixture) -> None:
    """A row counts as often as it can name an assignment."""
    await guard(small, remove_percent=20, remove_at_least=4)
    key = await small.upload("remove")
    async with connection() as db:
        work = await read_work(db, key)
        assert work
        assert await planned_rows.stage_of(db, work, TakeOffAll("take"), 1) is None
        assert await planned_rows.stage_of(db, work, TakeOffAll("take"), 2) == "PLAN"


@pytest.mark.parametrize("moment", ["held", "released"])
async def test_cancel_of_a_held_retry(small: EngineFixture, moment: str) -> None:
    """Its rows stay failed, to be retried once more; what was applied before stays as it is."""
    await jack_is_on_all_cases(small)
    done = await small.run("remove", "jack-001,trv-001", "jack-001,nowhere", "jack-001,never")
    await guard(small, remove_percent=20, remove_at_least=1)
    await small.retry(done, {3: {"case_id": "trv-002"}})
    assert (await small.counts(done)).status == "HELD"

    if moment == "released":
        await small.execute(
            "UPDATE imports SET status = 'PROCESSING', hold = NULL, released_at = now()"
            " WHERE id = $1", done
        )  # fmt: skip
        await small.engine.split(done)
    await small.cancel(done)

    assert await small.counts(done) == Counts("PROCESSED", 3, 1, 2, 0, 0, 0, 1, 0)
    assert (await small.results(done))[3] == Result("FAILED", codes=("NOT_APPLIED",))
    assert len(await small.assignments()) == 3
    await guard(small, remove_percent=None)
    await small.retry(done)
    assert (await small.results(done))[3] == Result("REMOVED")


async def test_cancel_without_the_importer(small: EngineFixture) -> None:
    """A held import can be cancelled although its type was switched off meanwhile."""
    await guard(small, requires_release=True)
    held = await small.run("assign", "trv-001,jack-001,,staff,1")

    await replace(small, engine=replace(small.engine, importers={})).cancel(held)

    assert await small.counts(held) == Counts("CANCELLED", 1, 0, 0, 1, 0, 0, 0, 0)


async def test_release_without_the_importer(small: EngineFixture) -> None:
    """Its rows fail, and say why."""
    await guard(small, requires_release=True)
    held = await small.run("assign", "trv-001,jack-001,,staff,1")

    await replace(small, engine=replace(small.engine, importers={})).release(held, OTHER)

    assert await small.results(held) == {2: Result("FAILED", codes=("UNKNOWN_TYPE",))}
    assert await small.counts(held) == Counts("FAILED", 1, 0, 1, 0, 0, 0, 0, 0)


async def test_cancel_at_the_last_moment(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that is cancelled while a worker decides to hold it is not held."""
    await guard(small, requires_release=True)

    async def cancel_and_read(db: Any, app_id: int) -> AppGuard:
        await request_cancel(db, app_id, key, by=COMMAND_LINE)
        return await read_guard(db, app_id)

    key = await small.upload("assign", "trv-001,jack-001,,staff,1")
    await small.engine.split(key)
    monkeypatch.setattr(planned_rows, "read_guard", cancel_and_read)
    await small.drain()

    assert await small.counts(key) == Counts("CANCELLED", 1, 0, 0, 1, 0, 0, 0, 0)


async def test_release_by_who_has_retried(small: EngineFixture) -> None:
    """A token that has corrected rows can't release them itself."""
    done = await small.run("assign", "nowhere,jack-001,,staff,0")
    await guard(small, requires_release=True)
    await small.retry(done, {2: {"case_id": "trv-001"}})
    await small.execute("UPDATE imports SET token_id = NULL")
    await small.execute("UPDATE audit_events SET token_id = 7 WHERE action = 'IMPORT_RETRIED'")
    for same, deed in ((COMMAND_LINE, "uploaded"), (OTHER, "retried")):
        with pytest.raises(PlanError, match=f"the one that {deed} the import"):
            await small.release(done, same)

    await small.release(done, Actor("a third", 8))

    assert (await small.counts(done)).created == 1


async def test_a_plan_of_all_or_nothing(small: EngineFixture) -> None:
    """It is applied as a whole: what has changed since keeps all of it from being applied."""
    rows = [f"trv-00{number},jack-001,,staff,0" for number in (1, 3, 4)]
    rows += ["trv-001,jill-001,,staff,0"]
    plans = [await small.run("assign", *rows, is_dry_run=True, is_atomic=True) for _ in range(2)]
    await small.put(("trv-003", "jack-001", "staff", 0))

    spoilt = await small.apply_plan(plans[0])

    results = await small.results(spoilt)
    assert results.pop(3) == Result("FAILED", codes=("CHANGED_SINCE",))
    assert set(results.values()) == {Result("FAILED", codes=("NOT_APPLIED",))}
    assert len(await small.assignments()) == 1
    await small.execute("DELETE FROM assignments")
    whole = await small.apply_plan(plans[1], "Whole")
    assert await small.counts(whole) == Counts("PROCESSED", 4, 4, 0, 0, 4, 0, 0, 0)
    assert len(await small.assignments()) == 4


async def test_a_plan_that_is_not_whole(small: EngineFixture) -> None:
    """Of a dry run of all or nothing with a failed row nothing can be applied."""
    plan = await small.run(
        "assign", "trv-001,jack-001,,staff,0", "no,no,,staff,0", is_dry_run=True, is_atomic=True
    )

    with pytest.raises(PlanError) as caught:
        await small.apply_plan(plan)

    assert caught.value.code == "NOTHING_TO_APPLY"


class Partners(Importer):
    """A row for a user passes only if the file has one for another user too."""

    label = "Partners"
    case_id = CaseRef(is_key=True)
    user_id = UserRef()
    role_id = RoleRef()

    def check_chunk(self, rows: Sequence[Row], memo: Any) -> Iterator[tuple[Row, RowError]]:
        """Refuse users without a partner."""
        for row in rows:
            if len({other.user_id.id for other in rows if other.case_id == row.case_id}) < 2:
                yield row, RowError("user_id", "ALONE", "has no partner.")

    def change(self, row: Row) -> Assign:
        """Put the user on the case."""
        return Assign(case=row.case_id, user=row.user_id, role=row.role_id)


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_rows_that_are_checked_together(small: EngineFixture, is_dry_run: bool) -> None:
    """Rows are judged beside the same rows as when they were planned, also those that failed."""
    world = small.with_engine(partners=Partners("partners"))
    await guard(world, requires_release=not is_dry_run)
    rows = ["trv-001,jack-001,staff", "trv-001,gone-001,staff", "trv-003,jack-001,staff"]
    header = "case_id,user_id,role_id"
    done = await world.run("partners", *rows, header=header, is_dry_run=is_dry_run)
    if is_dry_run:
        done = await world.apply_plan(done)
    else:
        await world.release(done, OTHER)

    assert (await world.results(done))[2] == Result("CREATED")
    assert (await world.counts(done)).created == 1


async def test_a_plan_outlives_its_application(small: EngineFixture) -> None:
    """The rows of a plan are not purged before those of the import that applies it."""
    plan = await small.run("assign", "trv-001,jack-001,,staff,0", is_dry_run=True)
    await guard(small, requires_release=True)
    applied = await small.apply_plan(plan)
    await small.execute("UPDATE imports SET finished_at = finished_at - interval '1 year'")
    async with transaction() as db:
        await expire_imports(db, kept_for=60)

    await small.release(applied, OTHER)

    assert (await small.counts(applied)).created == 1
    await small.execute("UPDATE imports SET finished_at = finished_at - interval '1 year'")
    for expected in ([applied], [applied, plan]):
        async with transaction() as db:
            await expire_imports(db, kept_for=60)
        purging = await small.fetch("SELECT id FROM imports WHERE is_purging ORDER BY id DESC")
        assert [row["id"] for row in purging] == expected


async def follow_the_sweeper(world: EngineFixture, import_id: int) -> None:
    """Run an import whose every message is lost, but for those of the sweeper."""
    for _ in range(100):
        if (await world.counts(import_id)).status not in ("QUEUED", "PROCESSING"):
            return
        await world.execute(
            "UPDATE imports SET notified_at = notified_at - interval '1 minute',"
            " split_at = split_at - interval '1 minute'"
        )
        await world.execute(
            "UPDATE import_chunks SET attempted_at = attempted_at - interval '1 minute'"
        )
        world.queue.messages.clear()
        await world.engine.sweep()
        messages = [each for each in world.queue.messages if each[0] in ("split", "run")]
        assert len(messages) == 1
        [(name, arguments)] = messages
        await getattr(world.engine, name)(*arguments)
    raise AssertionError("the import does not come to an end")


@pytest.mark.parametrize("is_atomic", [True, False])
async def test_lost_messages(small: EngineFixture, is_atomic: bool) -> None:
    """Whatever message is lost, in whatever stage, the sweeper makes up for it."""
    await guard(small, requires_release=True)
    rows = [
        f"{case},{user},,staff,0"
        for case in ("trv-001", "trv-003", "trv-004")
        for user in ("jack-001", "jill-001")
    ]
    key = await small.upload("assign", *rows, is_atomic=is_atomic)
    # It is cut, its chunks are planned, and it is held.
    await follow_the_sweeper(small, key)
    assert (await small.counts(key)).status == "HELD"
    small.queue.messages.clear()
    await small.engine.sweep()
    assert not small.queue.messages
    async with transaction() as db:
        await request_release(db, small.app_id, key, by=OTHER)

    await follow_the_sweeper(small, key)

    assert await small.counts(key) == Counts("PROCESSED", 6, 6, 0, 0, 6, 0, 0, 0)


async def test_workers_that_do_the_same(small: EngineFixture) -> None:
    """Two workers with the same messages do each step once."""
    rows = [f"{case},jack-001,,staff,1" for case in ("trv-001", "trv-003", "trv-004")]
    rows += ["trv-001,jill-001,,staff,1"]
    for is_atomic in (True, False):
        await guard(small, requires_release=not is_atomic)
        await small.execute("DELETE FROM assignments")
        key = await small.upload("assign", *rows, is_atomic=is_atomic)

        async def work(key: int = key) -> None:
            for _ in range(20):
                with suppress(RetryableError):
                    await small.engine.split(key)
                with suppress(RetryableError):
                    await small.engine.run(key)

        await asyncio.gather(work(), work(), work())
        if not is_atomic:
            async with transaction() as db:
                await request_release(db, small.app_id, key, by=OTHER)
            await asyncio.gather(work(), work(), work())

        assert await small.counts(key) == Counts("PROCESSED", 4, 4, 0, 0, 4, 0, 0, 0)
        assert len(await small.mails(key)) == 4
        assert len(await small.history(key)) == 4


async def test_two_requests_at_once(small: EngineFixture) -> None:
    """Of two requests to apply a plan, and to undo it, one is refused."""
    plan = await small.run("assign", "trv-001,jack-001,,staff,0", is_dry_run=True)

    applied = await asyncio.gather(
        *[small.apply_plan(plan, name) for name in "ab"], return_exceptions=True
    )
    [key] = [each for each in applied if isinstance(each, int)]
    assert [each.code for each in applied if isinstance(each, PlanError)] == ["ALREADY_APPLIED"]

    undone = await asyncio.gather(
        *[small.undo(key, name=name) for name in "ab"], return_exceptions=True
    )
    assert [each.code for each in undone if isinstance(each, UndoError)] == ["ALREADY_UNDONE"]
    assert await small.assignments() == {}


@pytest.mark.parametrize("seed", range(20))
async def test_any_moment(small: EngineFixture, seed: int) -> None:
    """Whatever clients ask at whatever moment, results say what was done, and counts add up."""
    random_ = random.Random(seed)
    await guard(small, requires_release=random_.random() < 0.7)
    pairs = [f"{case},{user}" for case in small.cases for user in small.users]
    rows = [f"{pair},,staff,0" for pair in random_.sample(pairs, 7)] + ["nowhere,jack-001,,staff,0"]
    key = await small.upload("assign", *rows, is_atomic=random_.random() < 0.4)
    await small.queue.enqueue_split(key)

    async def release() -> None:
        async with transaction() as db:
            await request_release(db, small.app_id, key, by=Actor("a third", 9))
        await small.queue.enqueue_split(key)

    async def cancel() -> None:
        async with transaction() as db:
            await request_cancel(db, small.app_id, key, by=COMMAND_LINE)
        await small.queue.enqueue_split(key)
        await small.queue.enqueue_run(key)

    async def retry() -> None:
        await small.request_retry(key, random_.choice([None, {9: {"case_id": "trv-001"}}]))

    async def work() -> None:
        if small.queue.messages:
            small.queue.messages.rotate(random_.randrange(9))
            name, arguments = small.queue.messages.popleft()
            await getattr(small.engine, name)(*arguments)

    for _ in range(30):
        step = random_.choices([work, release, cancel, retry], [10, 2, 1, 2])[0]
        with suppress(RequestError):
            await step()
    await small.drain()
    with suppress(PlanError):
        await release()
    await small.drain()

    counts, results = await small.counts(key), await small.results(key)
    assert counts.status in ("PROCESSED", "FAILED", "CANCELLED")
    ends = [end.what for end in results.values()]
    assert counts.total == len(ends) == 8
    assert (counts.failed, counts.cancelled, counts.created, counts.unchanged) == tuple(
        ends.count(what) for what in ("FAILED", "CANCELLED", "CREATED", "UNCHANGED")
    )
    assert counts.created == len(await small.assignments()) == len(await small.history(key))
    assert not await small.fetch("SELECT 1 FROM import_rows WHERE is_planned")
    assert not await small.fetch("SELECT 1 FROM import_chunks")
    assert not await small.fetch(
        "SELECT 1 FROM imports WHERE retry IS NOT NULL OR hold IS NOT NULL"
    )
