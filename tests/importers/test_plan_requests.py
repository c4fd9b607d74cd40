"""A dry run is a plan: applied exactly, once; what has changed since fails alone."""

from __future__ import annotations

import random
from typing import Any

import pytest

from importers.plan_requests import PlanError, request_apply
from importers.reading.limits import Limits
from importers.request_error import RequestError
from importers.retry import RetryError
from importers.run.run_chunk import next_chunk, run_chunk
from models.audit import COMMAND_LINE, Actor
from models.db import transaction
from models.new_import import NewName
from tests.importers.engine_fixture import PAIRS, Counts, EngineFixture, Result

OTHER = Actor("another", 7)


async def guard(world: EngineFixture, **values: Any) -> None:
    columns = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 2))
    await world.execute(f"UPDATE apps SET {columns} WHERE id = $1", world.app_id, *values.values())


async def test_a_plan_is_applied(small: EngineFixture) -> None:
    """The rows that passed are applied, under their numbers; those that failed are not in it."""
    plan = await small.run("assign", *PAIRS, "nowhere,jack-001,,staff,0", is_dry_run=True)
    assert await small.assignments() == {}

    applied = await small.apply_plan(plan)

    planned = {row: end for row, end in (await small.results(plan)).items() if not end.codes}
    assert await small.results(applied) == planned
    assert len(await small.assignments()) == len(planned)
    assert (await small.counts(applied)).status == "PROCESSED"
    row = await small.fetchrow("SELECT * FROM imports WHERE id = $1", applied)
    assert (row["applied_from_id"], row["name"], row["is_dry_run"]) == (
        plan,
        f"{(await small.fetchrow('SELECT name FROM imports WHERE id = $1', plan))[0]} (applied)",
        False,
    )


async def test_changed_since(small: EngineFixture) -> None:
    """A row fails whose assignment another import has changed; the others are applied."""
    await small.put(("trv-001", "jack-001", "staff", 0), ("trv-003", "jack-001", "staff", 0))
    plan = await small.run(
        "modify",
        "trv-001,jack-001,clients,",
        "trv-003,jack-001,clients,",
        "trv-004,jack-001,clients,",
        is_dry_run=True,
    )
    await small.run("modify", "trv-001,jack-001,default,", name="Night shift")

    applied = await small.apply_plan(plan)

    assert await small.results(applied) == {
        2: Result("FAILED", codes=("CHANGED_SINCE",)),
        3: Result("UPDATED"),
    }
    [error] = (await small.errors(applied))[2]
    assert error["message"].startswith(
        "The assignment has been changed since, by row 2 of the import 'Night shift' at 2"
    )
    assert (await small.assignments())["trv-001", "jack-001"] == ("default", 0)
    assert (await small.assignments())["trv-003", "jack-001"] == ("clients", 0)


async def test_no_less_and_no_more(small: EngineFixture) -> None:
    """Also a row that would do nothing by now is not what the plan said."""
    plan = await small.run("assign", "trv-001,jack-001,,staff,0", is_dry_run=True)
    await small.put(("trv-001", "jack-001", "staff", 0))

    applied = await small.apply_plan(plan)

    assert await small.results(applied) == {2: Result("FAILED", codes=("CHANGED_SINCE",))}


async def test_a_closed_case(small: EngineFixture) -> None:
    """What the row says by now is told, and what has changed."""
    plan = await small.run("assign", "trv-001,jack-001,,staff,0", is_dry_run=True)
    await small.run("modify-cases", "trv-001,0,,", name="Closing")

    applied = await small.apply_plan(plan)

    [error] = (await small.errors(applied))[2]
    assert error["code"] == "CHANGED_SINCE"
    assert error["column"] == "case_id"
    assert "The case has been changed since, by row 2 of the import 'Closing'" in error["message"]
    assert "closed" in error["message"]
    assert await small.assignments() == {}


async def test_users_and_cases(small: EngineFixture) -> None:
    """Plans of users are applied as well, and compared field by field."""
    add = await small.run("add-users", "jo@example.org,Jo,,es,,", is_dry_run=True)
    modify = await small.run(
        "modify-users", "jack-001,Jack,,,,,", "jill-001,Jill,,,,,", is_dry_run=True
    )
    await small.run("modify-users", "jill-001,Gillian,,,,,", "jack-001,,Smith,,,,")

    applied = await small.apply_plan(modify)
    assert await small.results(await small.apply_plan(add)) == {2: Result("CREATED")}

    # A family name that is new is no field of this plan.
    assert await small.results(applied) == {
        2: Result("UPDATED"),
        3: Result("FAILED", codes=("CHANGED_SINCE",)),
    }
    names = await small.fetch("SELECT given_name, family_name FROM users ORDER BY tag_id")
    assert ["Jack", "Smith"] in map(list, names)
    assert ["Gillian", ""] in map(list, names)


async def test_created_by_another(small: EngineFixture) -> None:
    """If a user or a case of a plan exists by now, the row says which import has created it."""
    users = await small.run(
        "add-users", "jo@example.org,Jo,,,,", "x@example.org,,,,,jo-1", is_dry_run=True
    )
    cases = await small.run("add-cases", "new-1,1,,New", is_dry_run=True)
    rows = "JO@example.org,Joan,,,,", "joan@example.org,,,,,jo-1"
    await small.run("add-users", *rows, name="others")
    await small.run("add-cases", "new-1,0,,New", name="other cases")

    found = await small.errors(await small.apply_plan(users))
    found_cases = await small.errors(await small.apply_plan(cases))

    for number in (2, 3):
        [error] = found[number]
        start = f"The user has been changed since, by row {number} of the import 'others' at "
        assert error["message"].startswith(start)
        assert (error["code"], error["params"]["row"]) == ("CHANGED_SINCE", number)
    [error] = found_cases[2]
    assert error["message"].startswith(
        "The case has been changed since, by row 2 of the import 'other cases' at "
    )


async def test_refused(small: EngineFixture) -> None:
    """What is no plan, or not one any more, is refused."""
    real = await small.run("assign", "trv-001,jack-001,,staff,0")
    failed = await small.run("assign", "nowhere,jack-001,,staff,0", is_dry_run=True)
    plan = await small.run("assign", "trv-003,jack-001,,staff,0", is_dry_run=True)
    waiting = await small.upload("assign", "trv-003,jack-001,,staff,0", is_dry_run=True)
    await small.apply_plan(plan)
    retried = await small.run("assign", "trv-004,jack-001,,staff,0", "no,,,,", is_dry_run=True)
    await small.apply_plan(retried)

    with pytest.raises(RetryError, match="has been applied"):
        await small.request_retry(retried)
    for key, code in (
        (real, "NOT_A_PLAN"),
        (failed, "NOTHING_TO_APPLY"),
        (plan, "ALREADY_APPLIED"),
        (waiting, "NOT_FINISHED"),
        (999_999, "NOT_FOUND"),
    ):
        with pytest.raises(PlanError) as caught:
            await small.apply_plan(key)
        assert caught.value.code == code


async def test_a_name_or_a_key_that_is_taken(small: EngineFixture) -> None:
    """The refusal says which of the two it is."""
    row = "trv-001,jack-001,,staff,0"
    plans = [await small.run("assign", row, is_dry_run=True) for _ in range(3)]

    async def request(plan: int, new: NewName) -> int:
        async with transaction() as db:
            return await request_apply(db, small.app_id, plan, new, by=COMMAND_LINE)

    await request(plans[0], NewName("May", "key"))
    with pytest.raises(RequestError) as of_name:
        await request(plans[1], NewName("May"))
    with pytest.raises(RequestError) as of_key:
        await request(plans[2], NewName("June", "key"))

    assert (of_name.value.code, of_name.value.field) == ("NAME_TAKEN", ("name",))
    assert of_key.value.code == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("seed", range(12))
async def test_any_plan(small: EngineFixture, seed: int) -> None:
    """A plan comes to the same as the plain import on the same state."""
    random_ = random.Random(seed)
    cases, users = list(small.cases), list(small.users)
    roles = ["staff", "clients", "default", ""]

    def rows(type_: str, number: int) -> list[str]:
        made = []
        for _ in range(number):
            case, user = random_.choice(cases), random_.choice(users)
            role, notify = random_.choice(roles), random_.choice("01 ").strip()
            made.append(
                {
                    "assign": f"{case},{user},,{role},{notify}",
                    "modify": f"{case},{user},{role},{notify}",
                    "remove": f"{user},{case}",
                }[type_]
            )
        return made

    await small.run("assign", *rows("assign", 8))
    before = await small.fetch("SELECT case_id, user_id, role_id, notify FROM assignments")
    type_ = random_.choice(["assign", "modify", "remove"])
    file = rows(type_, 12)
    plan = await small.run(type_, *file, is_dry_run=True)
    assert await small.fetch("SELECT case_id, user_id, role_id, notify FROM assignments") == before
    failed = {row for row, end in (await small.results(plan)).items() if end.codes}
    if (await small.counts(plan)).passed:
        applied = await small.apply_plan(plan)
        assert (await small.results(applied)).keys() == (await small.results(plan)).keys() - failed
    after = await small.assignments()

    await small.execute("DELETE FROM assignments")
    await small.execute(
        "INSERT INTO assignments (app_id, case_id, user_id, role_id, notify)"
        " SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bool[])",
        small.app_id,
        *([row[place] for row in before] for place in range(4)),
    )
    plain = await small.run(type_, *file)

    assert await small.assignments() == after
    assert await small.results(plain) == await small.results(plan)


async def test_removals_are_held(small: EngineFixture) -> None:
    """An import that removes much is planned, held, and applied when it is released."""
    await guard(small, remove_percent=20, remove_at_least=2)
    await small.put(*((case, "jack-001", "staff", 0) for case in small.cases))
    before = await small.assignments()

    held = await small.run("remove", "jack-001,trv-001", "jack-001,trv-002", "jack-001,nowhere")

    counts = await small.counts(held)
    assert (counts.status, counts.removed, counts.failed) == ("HELD", 2, 1)
    assert await small.assignments() == before
    why = await small.hold(held)
    assert why
    assert (why["code"], why["message"]) == (
        "REMOVES_MANY",
        "2 of the 4 assignments would be gone: more than the 20 % that may be removed at once.",
    )
    assert not small.queue.ends

    await small.release(held, OTHER)

    assert await small.counts(held) == Counts("PROCESSED", 3, 2, 1, 0, 0, 0, 2, 0)
    assert await small.hold(held) is None
    assert len(await small.assignments()) == 2
    assert [end.id for end in small.queue.ends] == [held]


async def test_few_removals_are_not_held(small: EngineFixture) -> None:
    """Below the line nothing is held, also when it was planned first."""
    await guard(small, remove_percent=60, remove_at_least=2)
    await small.put(*((case, user, "staff", 0) for case in small.cases for user in small.users))

    done = await small.run("remove", "jack-001,trv-001", "jack-001,trv-002")

    assert await small.counts(done) == Counts("PROCESSED", 2, 2, 0, 0, 0, 0, 2, 0)
    assert len(await small.assignments()) == 14


async def test_several_small_files(small: EngineFixture) -> None:
    """What imports have removed within the hour counts as well."""
    await guard(small, remove_percent=40, remove_at_least=3)
    await small.put(*((case, user, "staff", 0) for case in small.cases for user in small.users))
    first = await small.run("remove", "jack-001,trv-001", "jack-001,trv-002")

    second = await small.run("remove", "jill-001,trv-001")

    assert (await small.counts(first)).status == "PROCESSED"
    assert (await small.counts(second)).status == "HELD"
    why = await small.hold(second)
    assert why
    assert why["message"] == (
        "3 assignments would be gone, 2 of them within the last hour, and 2 of the 4 users of the "
        "case 'trv-001': more than the 40 % that may be removed at once."
    )


async def test_several_small_files_at_once(small: EngineFixture) -> None:
    """Files that wait to be run count as well: none of them has removed anything yet."""
    await guard(small, remove_percent=20, remove_at_least=3)
    await small.put(*((case, user, "staff", 0) for case in small.cases for user in small.users))
    files = [[f"{user},trv-001", f"{user},trv-002"] for user in small.users]

    imports = [await small.split("remove", *rows) for rows in files]
    for key in imports:
        await small.queue.enqueue_run(key)
    await small.drain()

    states = [(await small.counts(key)).status for key in imports]
    assert states == ["PROCESSED", "HELD", "HELD", "HELD"]
    assert len(await small.assignments()) == 14


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_several_plans_at_once(small: EngineFixture, is_dry_run: bool) -> None:
    """What a plan will remove counts from the moment when it is decided to carry it out."""
    await small.put(*((case, user, "staff", 0) for case in small.cases for user in small.users))
    keys = []
    for user in ("jack-001", "jill-001", "jones-001"):
        rows = [f"{user},trv-001", f"{user},trv-002", f"{user},trv-001"]
        keys.append(await small.upload("remove", *rows, is_dry_run=is_dry_run))
        if is_dry_run:
            await small.queue.enqueue_split(keys[-1])
            await small.drain()
    await guard(small, remove_percent=20, remove_at_least=3)
    if is_dry_run:
        async with transaction() as db:
            keys = [
                await request_apply(db, small.app_id, key, NewName(), by=COMMAND_LINE)
                for key in keys
            ]
    else:
        # The first rows are planned, for any of the three may remove three.
        for key in keys:
            await small.engine.split(key)
            claim = await next_chunk(key)
            assert claim
            await run_chunk(key, claim, small.engine.importers)

    # Decided about one after another, before any is carried out.
    for key in keys:
        await small.engine.split(key)
    await small.drain()

    states = [(await small.counts(key)).status for key in keys]
    assert states == ["PROCESSED", "HELD", "HELD"]
    assert len(await small.assignments()) == 14
    why = (await small.hold(keys[1])) or {}
    assert why["message"].startswith(
        "4 of the 16 assignments would be gone, 2 of them within the last hour"
    )


async def test_cancel_of_a_held_import(small: EngineFixture) -> None:
    """Nothing of it is applied; the rows that were wrong stay wrong."""
    await guard(small, remove_percent=20, remove_at_least=1)
    await small.put(("trv-001", "jack-001", "staff", 0))
    held = await small.run("remove", "jack-001,trv-001", "jack-001,nowhere")

    await small.cancel(held)

    assert await small.counts(held) == Counts("CANCELLED", 2, 0, 1, 1, 0, 0, 0, 0)
    assert len(await small.assignments()) == 1
    assert (await small.results(held))[2] == Result("CANCELLED")


async def test_release_by_another(small: EngineFixture) -> None:
    """Where the app says so, another token than the one that uploaded an import releases it."""
    await guard(small, requires_release=True)
    held = await small.run("assign", "trv-001,jack-001,,staff,1", "trv-003,jack-001,,staff,0")
    assert (await small.counts(held)).status == "HELD"
    await small.put(("trv-003", "jack-001", "clients", 0))

    with pytest.raises(PlanError) as caught:
        await small.release(held, Actor("command line"))
    assert caught.value.code == "SAME_TOKEN"
    await small.release(held, OTHER)

    assert await small.results(held) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("CHANGED_SINCE",)),
    }
    assert await small.counts(held) == Counts("PROCESSED", 2, 1, 1, 0, 1, 0, 0, 0)
    assert len(await small.mails(held)) == 1
    with pytest.raises(PlanError) as caught:
        await small.release(held, OTHER)
    assert caught.value.code == "NOT_HELD"


async def test_a_retry_is_held(small: EngineFixture) -> None:
    """A retry is no way round a guard; rows applied before it stay applied."""
    await small.put(*((case, "jack-001", "staff", 0) for case in small.cases))
    first = await small.run(
        "remove", "jack-001,trv-001", "jack-001,trv-02", "jack-001,trv-03", "jack-001,no"
    )
    await guard(small, remove_percent=20, remove_at_least=2)

    await small.retry(
        first, {3: {"case_id": "trv-002"}, 4: {"case_id": "trv-003"}, 5: {"case_id": "never"}}
    )
    assert (await small.counts(first)).status == "HELD"
    assert len(await small.assignments()) == 3
    await small.release(first, OTHER)

    assert await small.counts(first) == Counts("PROCESSED", 4, 3, 1, 0, 0, 0, 3, 0)
    assert len(await small.assignments()) == 1


async def test_a_plan_is_held_as_well(small: EngineFixture) -> None:
    """To apply a plan that removes much takes a release; what was held is the plan."""
    await small.put(*((case, "jack-001", "staff", 0) for case in small.cases))
    plan = await small.run("remove", "jack-001,trv-001", "jack-001,trv-002", is_dry_run=True)
    await guard(small, remove_percent=20, remove_at_least=2)

    applied = await small.apply_plan(plan)
    # Who is to release it sees its rows.
    assert await small.counts(applied) == Counts("HELD", 2, 2, 0, 0, 0, 0, 2, 0)
    assert await small.results(applied) == await small.results(plan)
    await small.release(applied, OTHER)

    assert await small.counts(applied) == Counts("PROCESSED", 2, 2, 0, 0, 0, 0, 2, 0)


async def test_a_plan_that_is_held_and_then_changes(small: EngineFixture) -> None:
    """It is held with what still holds; what changes until it is released fails then."""
    await small.put(*((case, "jack-001", "staff", 0) for case in small.cases))
    rows = [f"jack-001,{case}" for case in ("trv-001", "trv-002", "trv-003")]
    plan = await small.run("remove", *rows, is_dry_run=True)
    await guard(small, remove_percent=20, remove_at_least=2)
    await small.run("modify", "trv-003,jack-001,,1")

    applied = await small.apply_plan(plan)
    assert await small.counts(applied) == Counts("HELD", 3, 2, 1, 0, 0, 0, 2, 0)
    await small.run("modify", "trv-001,jack-001,,1")
    await small.release(applied, OTHER)

    assert await small.counts(applied) == Counts("PROCESSED", 3, 1, 2, 0, 0, 0, 1, 0)
    assert [errors[0]["code"] for errors in (await small.errors(applied)).values()] == [
        "CHANGED_SINCE"
    ] * 2


async def test_a_plan_that_is_held_and_cancelled(small: EngineFixture) -> None:
    """Nothing of it is applied."""
    await small.put(*((case, "jack-001", "staff", 0) for case in small.cases))
    plan = await small.run("remove", "jack-001,trv-001", "jack-001,trv-002", is_dry_run=True)
    await guard(small, remove_percent=20, remove_at_least=2)

    applied = await small.apply_plan(plan)
    await small.cancel(applied)

    assert await small.counts(applied) == Counts("CANCELLED", 2, 0, 0, 2, 0, 0, 0, 0)
    assert len(await small.assignments()) == 4


@pytest.mark.parametrize("is_waiting", [False, True])
async def test_a_plan_of_which_nothing_was_done(small: EngineFixture, is_waiting: bool) -> None:
    """A plan is applied once: if the import that was to do so is cancelled first, by another."""
    await small.put(("trv-001", "jack-001", "staff", 0))
    plan = await small.run("remove", "jack-001,trv-001", is_dry_run=True)
    await guard(small, requires_release=True)
    if is_waiting:
        async with transaction() as db:
            new = NewName("first", "key")
            first = await request_apply(db, small.app_id, plan, new, by=COMMAND_LINE)
        assert (await small.counts(first)).status == "QUEUED"
    else:
        first = await small.apply_plan(plan)
        assert (await small.counts(first)).status == "HELD"
    with pytest.raises(PlanError, match="was applied already"):
        await small.apply_plan(plan)
    await small.cancel(first)
    if is_waiting:
        async with transaction() as db:
            again = await request_apply(db, small.app_id, plan, new, by=COMMAND_LINE)
        assert again == first

    await guard(small, requires_release=False)
    second = await small.apply_plan(plan)

    assert (await small.counts(first)).status == "CANCELLED"
    assert await small.results(second) == {2: Result("REMOVED")}
    assert await small.assignments() == {}
    with pytest.raises(PlanError, match="was applied already"):
        await small.apply_plan(plan)


async def test_a_plan_of_which_nothing_was_done_is_tried_again(small: EngineFixture) -> None:
    """Failed rows of such a plan can be mended, and are in it then."""
    plan = await small.run(
        "assign", "trv-001,jones-1,,staff,0", "trv-003,jack-001,,staff,0", is_dry_run=True
    )
    await guard(small, requires_release=True)
    await small.cancel(await small.apply_plan(plan))
    await small.retry(plan, {2: {"user_id": "jones-001"}})
    await guard(small, requires_release=False)
    applied = await small.apply_plan(plan)

    assert (await small.counts(applied)).created == 2


async def test_all(small: EngineFixture) -> None:
    """An atomic import whose rows are all right is applied as a whole, mails and all."""
    rows = [row.replace(",staff,0", ",staff,1") for row in PAIRS if "trv-002" not in row]
    rows = [row for row in rows if "gone-001" not in row]

    done = await small.run("assign", *rows, is_atomic=True)

    assert (await small.counts(done)).status == "PROCESSED"
    assert (await small.counts(done)).created == len(rows)
    assert len(await small.assignments()) == len(rows)
    assert len(await small.mails(done)) == len(rows)
    assert len(small.queue.ends) == 1


async def test_or_nothing(small: EngineFixture) -> None:
    """One row that is wrong, and nothing is done; all others say so."""
    done = await small.run("assign", *PAIRS, is_atomic=True)

    counts = await small.counts(done)
    assert (counts.status, counts.passed, counts.failed) == ("FAILED", 0, len(PAIRS))
    assert await small.assignments() == {}
    codes = {end.codes for end in (await small.results(done)).values()}
    assert ("NOT_APPLIED",) in codes
    assert ("CASE_CLOSED",) in codes


async def test_or_nothing_at_the_last_moment(small: EngineFixture) -> None:
    """What changes between the plan and its application undoes the rows before it as well."""
    rows = [f"trv-001,{user},,staff,1" for user in ("jack-001", "jones-001", "jill-001")]
    rows += [f"trv-003,{user},,staff,1" for user in ("jack-001", "jones-001")]
    key = await small.upload("assign", *rows, is_atomic=True)
    await small.engine.split(key)
    small.queue.messages.clear()
    while not small.queue.messages or small.queue.messages[-1][0] != "split":
        await small.engine.run(key)
    await small.put(("trv-003", "jones-001", "clients", 0))

    await small.drain()

    results = await small.results(key)
    assert results.pop(6) == Result("FAILED", codes=("CHANGED_SINCE",))
    assert set(results.values()) == {Result("FAILED", codes=("NOT_APPLIED",))}
    assert (await small.counts(key)).failed == 5
    assert await small.assignments() == {("trv-003", "jones-001"): ("clients", 0)}
    assert await small.mails(key) == []


async def test_retry_of_all_or_nothing(small: EngineFixture) -> None:
    """A correction of some rows runs all of them again."""
    rows = ["trv-001,jack-001,,staff,0", "trv-01,jill-001,,staff,0", "trv-003,jack-001,,staff,0"]
    done = await small.run("assign", *rows, is_atomic=True)
    assert (await small.counts(done)).failed == 3

    await small.retry(done, {3: {"case_id": "trv-001"}})

    assert await small.counts(done) == Counts("PROCESSED", 3, 3, 0, 0, 3, 0, 0, 0)
    assert len(await small.assignments()) == 3


async def test_too_many_for_one(small: EngineFixture) -> None:
    """The number of rows that are applied as a whole is limited."""
    few = small.with_engine(limits=Limits(atomic_rows=2))

    done = await few.run("assign", *PAIRS[:3], is_atomic=True)

    assert await few.counts(done) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
