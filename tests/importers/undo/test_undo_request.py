"""An import is undone by another one: what is as it was left is put back, all else is kept."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from importers.request_error import RequestError
from importers.retry import RetryError, request_retry
from importers.undo.undo_request import UndoError, request_undo
from models.audit import COMMAND_LINE
from models.db import transaction
from models.new_import import NewName
from tests.importers.engine_fixture import EngineFixture, Result


async def state(world: EngineFixture) -> list[Any]:
    """Everything that imports change, without the times."""
    users = await world.fetch(
        "SELECT id, tag_id, email, given_name, family_name, locale, zoneinfo, is_active FROM users"
        " ORDER BY id"
    )
    cases = await world.fetch(
        "SELECT id, tag_id, about, is_active, date_opened FROM cases ORDER BY id"
    )
    assignments = await world.fetch(
        "SELECT case_id, user_id, role_id, notify FROM assignments ORDER BY 1, 2"
    )
    return [list(map(tuple, rows)) for rows in (users, cases, assignments)]


async def test_assign(small: EngineFixture) -> None:
    """Who was put on a case is taken off it; who was changed since stays."""
    before = await state(small)
    done = await small.run("assign", "trv-001,jack-001,,staff,1", "trv-003,jack-001,,staff,0")
    undone = await small.undo(done)

    assert set((await small.results(undone)).values()) == {Result("REMOVED")}
    assert await state(small) == before
    assert len(await small.mails(done)) == 1
    assert await small.mails(undone) == []


async def test_modify_and_remove(small: EngineFixture) -> None:
    """Changed roles are as before; who was removed is there again, notify and all, unmailed."""
    await small.put(("trv-001", "jack-001", "staff", 1), ("trv-002", "jack-001", "clients", 0))
    before = await state(small)

    modify = await small.run("modify", "trv-001,jack-001,clients,0")
    assert set((await small.results(await small.undo(modify))).values()) == {Result("UPDATED")}
    assert await state(small) == before

    # One of the cases is closed, which is no obstacle.
    remove = await small.run("remove", "jack-001,trv-001", "jack-001,trv-002")
    undone = await small.undo(remove)
    assert set((await small.results(undone)).values()) == {Result("CREATED")}
    assert await state(small) == before
    assert await small.mails(undone) == []


async def test_what_others_have_changed(small: EngineFixture) -> None:
    """It stays, and the row says which import and row have changed it."""
    done = await small.run(
        "assign", "trv-001,jack-001,,staff,0", "trv-003,jack-001,,staff,0", name="First"
    )
    await small.run("modify", "trv-003,jack-001,clients,", name="Second")

    undone = await small.undo(done)

    ends = await small.results(undone)
    assert sorted(end.what for end in ends.values()) == ["FAILED", "REMOVED"]
    [error] = next(errors for errors in (await small.errors(undone)).values())
    assert error["code"] == "CHANGED_SINCE"
    assert "changed since, by row 2 of the import 'Second'" in error["message"]
    assert "as 'clients'" in error["message"]
    assert await small.assignments() == {("trv-003", "jack-001"): ("clients", 0)}


async def test_undo_of_an_undo(small: EngineFixture) -> None:
    """It does once more what the first import did."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")
    after = await state(small)
    undone = await small.undo(done)

    again = await small.undo(undone)

    assert set((await small.results(again)).values()) == {Result("CREATED")}
    assert await state(small) == after


async def test_plan_of_an_undo(small: EngineFixture) -> None:
    """A dry run says what would become of it, and can be applied."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")
    plan = await small.undo(done, is_dry_run=True)
    assert len(await small.assignments()) == 1

    applied = await small.apply_plan(plan)

    assert set((await small.results(applied)).values()) == {Result("REMOVED")}
    assert await small.assignments() == {}
    with pytest.raises(UndoError) as caught:
        await small.undo(done)
    assert caught.value.code == "ALREADY_UNDONE"


async def test_users_and_cases(small: EngineFixture) -> None:
    """Fields are as before; what was created is disabled, or closed, unless it is in use."""
    before = await state(small)
    modify = await small.run("modify-users", "jack-001,Jack,,es,,,0", "jill-001,Jill,,,,,")
    close = await small.run("modify-cases", "trv-001,0,01/31/2026,Other")
    await small.undo(modify)
    await small.undo(close)
    assert await state(small) == before

    users = await small.run("add-users", "jo@example.org,Jo,,,,jo-001", "al@example.org,,,,,al-001")
    cases = await small.run("add-cases", "new-1,1,,About", "new-2,1,,About")
    await small.run("assign", "new-1,jo-001,,staff,0")
    kept = await small.undo(users)
    closed = await small.undo(cases)

    assert sorted(end.what for end in (await small.results(kept)).values()) == ["FAILED", "UPDATED"]
    assert {codes for end in (await small.results(closed)).values() for codes in end.codes} == {
        "CHANGED_SINCE"
    }
    active = dict(await small.fetch("SELECT tag_id, is_active FROM users"))
    assert (active["jo-001"], active["al-001"]) == (True, False)
    active = dict(await small.fetch("SELECT tag_id, is_active FROM cases"))
    assert (active["new-1"], active["new-2"]) == (True, False)


async def test_retried_rows(small: EngineFixture) -> None:
    """What an import has changed twice is put back to what it was before the first change."""
    await small.put(("trv-001", "jack-001", "staff", 0))
    before = await state(small)
    done = await small.run("modify", "trv-001,jack-001,clients,", "trv-01,jack-001,default,")
    await small.retry(done, {3: {"case_id": "trv-001"}})
    assert await small.assignments() == {("trv-001", "jack-001"): ("default", 0)}

    await small.undo(done)

    assert await state(small) == before


async def test_refused(small: EngineFixture) -> None:
    """What has changed nothing, or is too old, is refused."""
    dry = await small.run("assign", "trv-001,jack-001,,staff,0", is_dry_run=True)
    failed = await small.run("assign", "nowhere,jack-001,,staff,0")
    old = await small.run("assign", "trv-001,jack-001,,staff,0")
    await small.execute(
        "UPDATE imports SET finished_at = now() - interval '31 days' WHERE id = $1", old
    )
    waiting = await small.upload("assign", "trv-003,jack-001,,staff,0")
    for key, code in (
        (dry, "NOTHING_TO_UNDO"),
        (failed, "NOTHING_TO_UNDO"),
        (old, "TOO_LATE"),
        (waiting, "NOT_FINISHED"),
        (999_999, "NOT_FOUND"),
    ):
        with pytest.raises(UndoError) as caught:
            await small.undo(key)
        assert caught.value.code == code
    assert (await small.counts(await small.undo(old, within_days=0))).removed == 1


@pytest.mark.parametrize("seed", range(12))
async def test_any_import(small: EngineFixture, seed: int) -> None:
    """Undone, an import leaves the state before it, but for what others have changed since."""
    random_ = random.Random(seed)
    cases, users, roles = list(small.cases), list(small.users), ["staff", "clients", "default"]

    def rows(type_: str) -> list[str]:
        pairs = [(random_.choice(cases), random_.choice(users)) for _ in range(10)]
        return [
            {
                "assign": f"{case},{user},,{random_.choice(roles)},{random_.choice('01')}",
                "modify": f"{case},{user},{random_.choice(roles)},{random_.choice(['0', '1', ''])}",
                "remove": f"{user},{case}",
            }[type_]
            for case, user in pairs
        ]

    await small.run("assign", *rows("assign"))
    await small.run("assign", *rows("assign"))
    before = {tuple(row[:2]): tuple(row) for row in (await state(small))[2]}
    type_ = random_.choice(["assign", "modify", "remove"])
    done = await small.run(type_, *rows(type_))
    between = {tuple(row[:2]): tuple(row) for row in (await state(small))[2]}
    if seed % 2:
        await small.run("modify", *rows("modify"))
        await small.run("remove", *rows("remove")[:3])
    after = {tuple(row[:2]): tuple(row) for row in (await state(small))[2]}
    changes = await small.fetch(
        "SELECT case_id, user_id FROM assignment_history WHERE import_id = $1", done
    )
    if not changes:
        return

    await small.undo(done)

    wanted = dict(after)
    for pair in map(tuple, changes):
        if after.get(pair) == between.get(pair):
            wanted.pop(pair, None)
            wanted |= {pair: before[pair]} if pair in before else {}
    assert {tuple(row[:2]): tuple(row) for row in (await state(small))[2]} == wanted


async def test_a_plugins_own_change(small: EngineFixture) -> None:
    """It can't be undone, and its row says so."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")
    await small.execute(
        "INSERT INTO entity_history (app_id, import_id, row, after) VALUES ($1, $2, 3, $3)",
        small.app_id,
        done,
        json.dumps({"floor": 2}),
    )

    undone = await small.undo(done)

    codes = sorted(end.codes for end in (await small.results(undone)).values())
    assert codes == [(), ("NOT_REVERSIBLE",)]


async def test_a_plugins_own_change_of_a_case(small: EngineFixture) -> None:
    """What an older history has of a case, with fields that cases have not, is a plugin's own."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")
    await small.execute(
        "INSERT INTO entity_history (app_id, import_id, row, case_id, before, after)"
        " VALUES ($1, $2, 3, $3, '{\"floor\": 1}', '{\"floor\": 2}')",
        small.app_id,
        done,
        small.cases["trv-001"],
    )

    undone = await small.undo(done)

    codes = sorted(end.codes for end in (await small.results(undone)).values())
    assert codes == [(), ("NOT_REVERSIBLE",)]


async def test_the_same_key_for_a_plan(small: EngineFixture) -> None:
    """An idempotency key of a dry run stands for no other request."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")

    async def request(*, is_dry_run: bool) -> int:
        async with transaction() as db:
            return await request_undo(
                db, small.app_id, done, NewName("Undone", "key"), is_dry_run=is_dry_run,
                within_days=30, by=COMMAND_LINE,
            )  # fmt: skip

    plan = await request(is_dry_run=True)
    assert await request(is_dry_run=True) == plan
    with pytest.raises(RequestError) as caught:
        await request(is_dry_run=False)
    assert (caught.value.code, caught.value.field) == (
        "IDEMPOTENCY_KEY_REUSED",
        ("idempotencyKey",),
    )


async def test_a_retry_after_an_undo(small: EngineFixture) -> None:
    """What a retry has changed after the undo can be undone as well."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0", "trv-03,jack-001,,staff,0")
    await small.undo(done)
    await small.retry(done, {3: {"case_id": "trv-003"}})

    undone = await small.undo(done)

    assert sorted(end.what for end in (await small.results(undone)).values()) == [
        "REMOVED", "UNCHANGED",
    ]  # fmt: skip
    assert await small.assignments() == {}


async def test_corrections(small: EngineFixture) -> None:
    """Rows of an undo are run again as they are, or not at all."""
    done = await small.run("assign", "trv-001,jack-001,,staff,0")
    await small.run("modify", "trv-001,jack-001,clients,")
    undone = await small.undo(done)

    with pytest.raises(RetryError) as caught:
        await small.request_retry(undone, {2: {"what": "case"}})
    assert caught.value.code == "NOT_CORRECTABLE"
    with pytest.raises(RetryError) as caught:
        async with transaction() as db:
            await request_retry(
                db, small.app_id, undone, None, by=COMMAND_LINE,
                where={"code": "CHANGED_SINCE"}, cells={"what": "case"},
            )  # fmt: skip
    assert caught.value.code == "NOT_CORRECTABLE"
    await small.run("modify", "trv-001,jack-001,staff,")
    await small.retry(undone, {2: {}})
    assert await small.results(undone) == {2: Result("REMOVED")}


async def test_numbers_of_rows(small: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are numbered without gaps, however many are read at a time."""
    monkeypatch.setattr("models.undo._ROWS_AT_ONCE", 2)
    cases = ("trv-001", "trv-003", "trv-004")
    done = await small.run("assign", *(f"{case},jack-001,,staff,0" for case in cases))
    undone = await small.undo(done)

    assert list(await small.results(undone)) == [2, 3, 4]
