"""What an admin is promised of imports that are rehearsed, cancelled, and tried again."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from importers.retry import Corrections, RetryError
from models.audit import COMMAND_LINE
from models.db import connection
from models.progress import CancelResult, request_cancel
from tests.importers.engine_fixture import EngineFixture, FakeQueue

TYPES = ("assign", "modify", "remove", "add-users", "modify-users", "add-cases", "modify-cases")
STATE = (
    "SELECT id, tag_id, is_active, about, date_opened FROM cases ORDER BY id",
    "SELECT id, tag_id, email, given_name, is_active FROM users ORDER BY id",
    "SELECT case_id, user_id, role_id, notify, created_import_id, updated_import_id"
    " FROM assignments ORDER BY 1, 2",
    "SELECT import_id, row FROM assignment_history ORDER BY 1, 2",
    "SELECT import_id, row FROM mails ORDER BY 1, 2",
)


async def state(world: EngineFixture) -> list[list[tuple[Any, ...]]]:
    """Read all that an import could change."""
    return [[tuple(row) for row in await world.fetch(query)] for query in STATE]


async def cancel(world: EngineFixture, import_id: int) -> CancelResult:
    async with connection() as db:
        return await request_cancel(db, world.app_id, import_id, by=COMMAND_LINE)


def random_file(type_: str, rng: random.Random, world: EngineFixture) -> list[str]:
    """Write rows about few things, some wrong, so that they repeat and contradict others."""
    cases = [*world.cases, *map(world.case_id, world.cases), "trv-1", "1E+05", ""]
    users = [*world.users, *map(world.user_id, world.users), "jones-1", ""]
    roles = ["staff", "clients", "role::staff", "boss", ""]
    emails = ["a@x.org", "A@x.org", "b@x.org", "jack-001@example.org", "bad"]
    tags = ["", "a", "b", "jack-001", "trv-001", "no tag"]

    def row() -> str:
        case, user, role = rng.choice(cases), rng.choice(users), rng.choice(roles)
        flag, name, tag = (
            rng.choice(["", "0", "1", "2"]),
            rng.choice(["", "x", "y"]),
            rng.choice(tags),
        )
        return {
            "assign": f"{case},{user},{rng.choice(['', '', '', '1'])},{role},{flag}",
            "modify": f"{case},{user},{role},{flag}",
            "remove": f"{user},{case}",
            "add-users": f"{rng.choice(emails)},{name},,,,{tag}",
            "modify-users": f"{user},{name},,,,{tag},{flag}",
            "add-cases": f"{tag},{flag},,{name}",
            "modify-cases": f"{case},{flag},,{name}",
        }[type_] + rng.choice(["", "", "", "", "", "", "", ",x"])

    return [row() for _ in range(rng.randint(1, 40))]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("type_", TYPES)
async def test_a_dry_run_is_the_real_run_without_its_effect(
    small: EngineFixture, type_: str, seed: int
) -> None:
    """The same results for every row on the same state, and no change, history or mail."""
    rng = random.Random(f"{type_} {seed}")
    pairs = [(case, user) for case in small.cases for user in small.users]
    await small.put(*[(*pair, "staff", 0) for pair in rng.sample(pairs, 5)])
    rows = random_file(type_, rng, small)
    before = await state(small)
    rehearsal = await small.run(type_, *rows, is_dry_run=True)
    after = await state(small)
    real = await small.run(type_, *rows)

    assert after == before
    assert await small.results(rehearsal) == await small.results(real)
    assert await small.errors(rehearsal) == await small.errors(real)
    assert await small.counts(rehearsal) == await small.counts(real)


ROWS = [f"trv-00{case},{user}-001,,staff,1" for case in (1, 3, 4) for user in ("jack", "jill")]
WRONG = "x,y,,,"


async def test_cancel_while_the_file_is_cut(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were told of as failed before stay so; all others end as cancelled."""
    import_id = await small.upload("assign", WRONG, *ROWS, WRONG)

    async def cancel_at_once(_: FakeQueue, app_id: int, changed: int) -> None:
        await cancel(small, changed)

    monkeypatch.setattr(FakeQueue, "notify_changed", cancel_at_once)
    await small.queue.enqueue_split(import_id)
    await small.drain()
    counts = await small.counts(import_id)

    assert (counts.status, counts.total, counts.passed) == ("CANCELLED", 8, 0)
    assert counts.failed + counts.cancelled == 8
    assert len(await small.results(import_id)) == 8
    assert await small.assignments() == {}


async def test_cancel_of_what_is_queued_takes_no_effect_at_all(small: EngineFixture) -> None:
    """However late a worker comes to it, no row of it is applied, and every row has its result."""
    import_id = await small.upload("assign", *ROWS)
    before = await state(small)
    said = [await cancel(small, import_id), await cancel(small, import_id)]
    await small.engine.split(import_id, is_to_run=True)
    await small.drain()
    counts = await small.counts(import_id)

    assert said == [CancelResult.REQUESTED] * 2
    assert (counts.status, counts.cancelled) == ("CANCELLED", 6)
    assert await state(small) == before


async def test_cancel_in_the_middle_of_a_retry(small: EngineFixture) -> None:
    """Rows that were tried again until then keep what came of it; the others stay as they were."""
    closed = [f"trv-002,{user},,staff,0" for user in ("jack-001", "jill-001", "jones-001")]
    import_id = await small.run("assign", *ROWS, *closed, *[f"x,{n},,," for n in range(6)])
    before = await small.counts(import_id)
    await small.set_active("cases", "trv-002", is_active=True)
    await small.request_retry(import_id)
    await small.engine.split(import_id)
    await small.put_first(import_id, "trv-002")
    await small.engine.run(import_id)
    await cancel(small, import_id)
    await small.drain()
    after = await small.counts(import_id)

    assert (before.passed, before.failed) == (6, 9)
    assert (after.passed, after.failed, after.cancelled) == (9, 6, 0)
    assert after.status == "PROCESSED"
    assert await cancel(small, import_id) is CancelResult.FINISHED


@pytest.mark.parametrize("seed", range(5))
async def test_a_retry_never_touches_a_row_that_passed(small: EngineFixture, seed: int) -> None:
    """Whatever is tried again how often, with whatever cells: a row that has passed keeps its
    result and its cells, and has left one mail and one change at most."""
    rng = random.Random(seed)
    rows = random_file("assign", rng, small)
    import_id = await small.run("assign", *rows)
    passed: dict[int, tuple[Any, list[str]]] = {}
    for _ in range(5):
        results = await small.results(import_id)
        cells = await small.cells(import_id, *sorted(results))
        now = {
            number: (results[number], cell)
            for number, cell in zip(sorted(results), cells, strict=True)
            if results[number].what not in ("FAILED", "CANCELLED")
        }
        assert {number: now[number] for number in passed} == passed
        passed = now
        failed = sorted(results.keys() - passed.keys())
        if not failed:
            break
        corrections: Corrections = {
            number: rng.choice(
                [{}, {"case_role_id": "staff", "case_notify": "1", "case_role_order": ""},
                 {"case_id": rng.choice([*small.cases]), "user_id": rng.choice([*small.users])}]
            )
            for number in rng.sample(failed, rng.randint(1, len(failed)))
        }  # fmt: skip
        for number in list(passed)[:1]:
            with pytest.raises(RetryError, match=f"Row {number} has not failed"):
                await small.request_retry(import_id, {**corrections, number: {}})
        await small.retry(import_id, corrections)
    changed = [row[0] for row in await small.history(import_id)]
    mailed = [row for row, _ in await small.mails(import_id)]

    assert sorted(set(changed)) == sorted(changed)
    assert sorted(set(mailed)) == sorted(mailed)
    counts = await small.counts(import_id)
    assert counts.created == len(changed)


async def test_two_retries_at_the_same_moment_run_once(small: EngineFixture) -> None:
    """One is accepted, the other is told that the import is running; each row runs once."""
    import_id = await small.run("assign", *ROWS, "trv-002,jack-001,,staff,1")
    await small.set_active("cases", "trv-002", is_active=True)
    answers = await asyncio.gather(
        *[small.request_retry(import_id) for _ in range(5)], return_exceptions=True
    )
    await small.drain()

    assert answers.count(None) == 1
    assert {e.code for e in answers if isinstance(e, RetryError)} == {"NOT_FINISHED"}
    assert [row for row, *_ in await small.history(import_id)].count(8) == 1
    assert [row for row, _ in await small.mails(import_id)].count(8) == 1
