"""A sync in the engine: planned and guarded, in whole groups, retried, undone."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.audit import Actor
from tests.importers.engine_fixture import CASES, HEADERS, USERS, EngineFixture, Result

OTHER = Actor("another", 7)
ACTIVE = [user for user, is_active in USERS.items() if is_active]
OPEN = [case for case, is_open in CASES.items() if is_open]


def people(case: str, *users: str, role: str = "clients") -> list[tuple[str, str, str, int]]:
    return [(case, user, role, 0) for user in users or USERS]


async def shown(world: EngineFixture, import_id: int) -> tuple[int, ...]:
    """Return what clients see of an import: what it has created, updated, removed, left."""
    row = await world.fetchrow(
        "SELECT created, updated, removed + group_removals, unchanged FROM imports WHERE id = $1",
        import_id,
    )
    return tuple(row)


async def on_case(world: EngineFixture, case: str) -> set[str]:
    return {user for of, user in await world.assignments() if of == case}


async def test_a_sync(world: EngineFixture) -> None:
    """The case has the users of the file; the first row tells who has left; history has the row."""
    await world.put(*people("trv-001", *ACTIVE), ("trv-003", "jill-001", "staff", 0))

    done = await world.run("sync", "trv-001,jack-001,,clients,0", "trv-003,jack-001,,staff,1")

    assert await world.assignments() == {
        ("trv-001", "jack-001"): ("clients", 0),
        ("trv-003", "jack-001"): ("staff", 1),
    }
    assert await world.results(done) == {
        2: Result("REMOVED", "removed jones-001 and jill-001, who are not in the file"),
        3: Result("UPDATED", "removed jill-001, who is not in the file"),
    }
    assert (await world.counts(done)).status == "PROCESSED"
    assert await shown(world, done) == (0, 1, 3, 0)
    assert [
        (row, case, user, after) for row, case, user, _, _, after, _ in await world.history(done)
    ] == [
        (2, "trv-001", "jones-001", None),
        (2, "trv-001", "jill-001", None),
        (3, "trv-003", "jack-001", "staff"),
        (3, "trv-003", "jill-001", None),
    ]
    assert await world.mails(done) == [(3, "SENT")]


async def test_the_same_once_more(world: EngineFixture) -> None:
    """A file that is in effect changes nothing."""
    rows = ["trv-001,jack-001,,clients,0", "trv-001,jones-001,,staff,1"]
    await world.run("sync", *rows)

    assert await shown(world, await world.run("sync", *rows)) == (0, 0, 0, 2)


async def test_undone(world: EngineFixture) -> None:
    """Undo puts back who was removed, and takes off who was assigned."""
    await world.put(*people("trv-001"))
    before = await world.assignments()
    done = await world.run("sync", "trv-001,jack-001,,staff,1", "trv-003,jack-001,,staff,0")

    undone = await world.undo(done)

    assert await world.assignments() == before
    assert (await world.counts(undone)).failed == 0


async def test_a_retry_of_what_was_undone(world: EngineFixture) -> None:
    """Its passed rows are not in effect any more: nothing is run, and nobody removed once more."""
    await world.put(*people("trv-001", "jones-001"))
    done = await world.run("sync", "trv-001,jack-001,,staff,0", "trv-001,jill-001,,nobody,0")
    await world.undo(done)

    await world.retry(done, {3: {"case_role_id": "staff"}})

    row = await world.fetchrow("SELECT errors FROM imports WHERE id = $1", done)
    assert '"code": "UNDONE"' in row["errors"]
    assert (await world.results(done))[3].codes == ("INVALID_CHOICE",)
    assert await on_case(world, "trv-001") == {"jones-001"}


@pytest.mark.parametrize("seed", range(4))
async def test_many_chunks(world: EngineFixture, seed: int) -> None:
    """However the rows are mixed, those of a case are in one chunk, and chunks run in any order."""
    small = world.with_engine(chunk_rows=3)
    await small.put(*[pair for case in OPEN for pair in people(case, "gone-001", "jack-001")])
    pairs = [(case, user) for case in OPEN for user in ("jones-001", "jill-001", "jack-001")]
    random.Random(seed).shuffle(pairs)
    rows = [
        f"{case if place % 2 else small.case_id(case)},{user},,clients,0"
        for place, (case, user) in enumerate(pairs)
    ]

    done = await small.split("sync", *rows)
    assert len(await small.fetch("SELECT 1 FROM import_chunks WHERE import_id = $1", done)) == 3
    await small.queue.enqueue_run(done)
    await small.drain(random.Random(seed))

    assert set(await small.assignments()) == set(pairs)
    assert (await shown(small, done))[2] == 3


@pytest.mark.parametrize("is_mixed", [False, True])
async def test_too_many_rows(world: EngineFixture, is_mixed: bool) -> None:
    """A case with more rows than a chunk may have refuses the file, before anything is applied."""
    small = world.with_engine(chunk_rows=3)
    rows = [f"trv-001,{user},,staff,0" for user in (*ACTIVE, "gone-001")]
    others = [f"trv-003,{user},,staff,0" for user in ACTIVE]
    await small.put(*people("trv-001", "jack-001"))

    done = await small.run("sync", *(others if is_mixed else ()), *rows)

    row = await small.fetchrow("SELECT status, total, errors FROM imports WHERE id = $1", done)
    assert (row["status"], row["total"]) == ("FAILED", 0)
    assert '"code": "GROUP_TOO_LARGE"' in row["errors"]
    assert (
        "The file has 4 rows with the Case Id 'trv-001', and 3 are the most: such rows are applied"
        " together. Nothing of the file was applied."
    ) in row["errors"]
    assert await on_case(small, "trv-001") == {"jack-001"}


async def test_a_row_of_an_unknown_case(world: EngineFixture) -> None:
    """It may mean any case, whose chunk may be another: whom it names stays everywhere."""
    small = world.with_engine(chunk_rows=3)
    for case in OPEN:
        await small.put(*people(case, *ACTIVE))
    rows = [f"{case},jack-001,,clients,0" for case in OPEN for _ in range(2)]

    done = await small.run("sync", *rows, "trv-1,jones-001,,clients,0")

    assert (await small.results(done))[2] == Result(
        "REMOVED",
        "kept jones-001; the Case Id of row 8 can't be read; removed jill-001, who is not in the"
        " file",
    )
    assert set(await small.assignments()) == {
        (case, user) for case in OPEN for user in ("jack-001", "jones-001")
    }
    await small.retry(done, {8: {"case_id": "trv-001"}})
    assert await on_case(small, "trv-001") == {"jack-001", "jones-001"}
    assert (await small.counts(done)).failed == 0


async def test_many_rows_of_unknown_cases(world: EngineFixture) -> None:
    """With more of them than each chunk can see, nobody is removed."""
    small = world.with_engine(chunk_rows=600)
    await small.put(*people("trv-001", *ACTIVE))
    lost = [f"trv-x{number},gone-001,,clients,0" for number in range(1_001)]

    done = await small.run("sync", "trv-001,jack-001,,clients,0", *lost)

    assert await on_case(small, "trv-001") == set(ACTIVE)
    assert (await small.results(done))[2] == Result(
        "UNCHANGED", "kept jones-001 and jill-001; the Case Id of row 1003 can't be read"
    )
    assert (await small.counts(done)).failed == 1_001


async def test_a_retry_sees_the_whole_case(world: EngineFixture) -> None:
    """While a row fails, nobody leaves; with the last one corrected, who is in no row does."""
    small = world.with_engine(chunk_rows=4)
    await small.put(*people("trv-001", *ACTIVE))

    done = await small.run(
        "sync",
        f"{small.case_id('trv-001')},jack-001,,clients,0",
        "trv-001,jones-001,,client,0",
        "trv-001,gone-001,,staff,0",
        "trv-003,jones-001,,staff,0",
    )
    assert await on_case(small, "trv-001") == set(ACTIVE)
    assert (await small.results(done))[
        2
    ].message == "kept jones-001 and jill-001; rows 3 and 4 have failed"

    await small.retry(done, {3: {"case_role_id": "staff"}})
    assert await on_case(small, "trv-001") == set(ACTIVE)
    assert (await small.results(done))[3] == Result("UPDATED", "kept jill-001; row 4 has failed")

    await small.retry(done, {4: {"user_id": small.user_id("jones-001"), "case_role_id": "staff"}})
    assert (await small.results(done))[4] == Result(
        "REMOVED", "repeats row 3; removed jill-001, who is not in the file"
    )
    assert await on_case(small, "trv-001") == {"jack-001", "jones-001"}
    assert await shown(small, done) == (1, 1, 1, 1)


async def test_a_row_that_moves_to_another_case(world: EngineFixture) -> None:
    """In a retry it counts for the case that it names now."""
    await world.put(*people("trv-001", *ACTIVE), *people("trv-003", *ACTIVE))
    done = await world.run("sync", "trv-001,jack-001,,client,0", "trv-003,jill-001,,clients,0")
    assert await on_case(world, "trv-003") == {"jill-001"}

    await world.put(*people("trv-003", "jones-001"))
    await world.retry(done, {2: {"case_id": "trv-003", "case_role_id": "staff"}})

    assert await on_case(world, "trv-001") == set(ACTIVE)
    assert await on_case(world, "trv-003") == {"jack-001", "jill-001"}


async def test_held_and_released(world: EngineFixture) -> None:
    """A guard holds it, however few its rows are; released, it does what it has planned."""
    await world.execute(
        "UPDATE apps SET remove_percent = 50, remove_at_least = 2 WHERE id = $1", world.app_id
    )
    await world.put(*people("trv-001", *ACTIVE))

    held = await world.run("sync", "trv-001,jack-001,,clients,0")
    assert (await world.counts(held)).status == "HELD"
    assert await on_case(world, "trv-001") == set(ACTIVE)
    assert ((await world.hold(held)) or {})["message"].startswith("2 of the 3 assignments would be")
    assert await shown(world, held) == (0, 0, 2, 0)

    await world.release(held, OTHER)

    assert await on_case(world, "trv-001") == {"jack-001"}
    assert await shown(world, held) == (0, 0, 2, 0)


async def test_removals_of_groups_count_for_the_guard(world: EngineFixture) -> None:
    """What a sync has removed within the hour is added to what another import would remove."""
    await world.put(*people("trv-001"), *people("trv-003"))
    await world.run("sync", "trv-001,jill-001,,staff,0")
    await world.execute(
        "UPDATE apps SET remove_percent = 50, remove_at_least = 4 WHERE id = $1", world.app_id
    )

    held = await world.run("remove", "jack-001,trv-003", "jones-001,trv-003")

    assert (await world.counts(held)).status == "HELD"


@pytest.mark.parametrize("is_held", [False, True])
async def test_cancelled(world: EngineFixture, is_held: bool) -> None:
    """A cancel before it is applied leaves everything as it was."""
    await world.put(*people("trv-001", *ACTIVE))
    if is_held:
        await world.execute("UPDATE apps SET requires_release = true WHERE id = $1", world.app_id)
        cancelled = await world.run("sync", "trv-001,jack-001,,clients,0")
    else:
        cancelled = await world.split("sync", "trv-001,jack-001,,clients,0")

    await world.cancel(cancelled)
    await world.queue.enqueue_run(cancelled)
    await world.drain()

    assert (await world.counts(cancelled)).status == "CANCELLED"
    assert await shown(world, cancelled) == (0, 0, 0, 0)
    assert await on_case(world, "trv-001") == set(ACTIVE)


async def test_a_plan_is_applied_exactly(world: EngineFixture) -> None:
    """A dry run tells who would leave; applied, it does that, beside rows that fail."""
    small = world.with_engine(chunk_rows=3)
    await small.put(*people("trv-001", *ACTIVE), *people("trv-003", *ACTIVE))
    rows = ["trv-001,jack-001,,staff,0", "trv-003,jill-001,,clients,0", "trv-003,gone-001,,staff,0"]

    plan = await small.run("sync", *rows, is_dry_run=True)
    assert await on_case(small, "trv-001") == set(ACTIVE)
    applied = await small.apply_plan(plan)

    assert await small.results(applied) == {
        2: Result("UPDATED", "removed jones-001 and jill-001, who are not in the file"),
        3: Result("UNCHANGED", "kept jack-001 and jones-001; row 4 has failed"),
    }
    assert await shown(small, plan) == await shown(small, applied) == (0, 1, 2, 1)
    assert await on_case(small, "trv-001") == {"jack-001"}
    assert await on_case(small, "trv-003") == set(ACTIVE)


async def test_changed_since(world: EngineFixture) -> None:
    """If the case has changed since the plan, its first row fails, and nobody leaves it."""
    await world.put(*people("trv-001", "jack-001", "jones-001"))
    plan = await world.run(
        "sync", "trv-001,jack-001,,clients,0", "trv-003,jack-001,,staff,0", is_dry_run=True
    )
    await world.run("assign", "trv-001,jill-001,,clients,0")

    applied = await world.apply_plan(plan)

    assert await world.results(applied) == {
        2: Result("FAILED", codes=("CHANGED_SINCE",)),
        3: Result("CREATED"),
    }
    assert await on_case(world, "trv-001") == {"jack-001", "jones-001", "jill-001"}


async def test_all_or_nothing(world: EngineFixture) -> None:
    """With a row that fails, nothing of the file is applied; else all of it."""
    await world.put(*people("trv-001", *ACTIVE))

    refused = await world.run(
        "sync", "trv-001,jack-001,,clients,0", "x,jack-001,,staff,0", is_atomic=True
    )
    assert await on_case(world, "trv-001") == set(ACTIVE)
    assert await shown(world, refused) == (0, 0, 0, 0)

    done = await world.run("sync", "trv-001,jack-001,,clients,0", is_atomic=True)
    assert await on_case(world, "trv-001") == {"jack-001"}
    assert await shown(world, done) == (0, 0, 2, 0)


async def test_failed_rows_alone(world: EngineFixture) -> None:
    """A download of failed rows would remove who is in rows that have passed: it is refused."""
    await world.put(*people("trv-001", *ACTIVE))
    await world.run("sync", "trv-001,jack-001,,clients,0", "trv-001,jones-001,,client,0")
    header = f"{HEADERS['sync']},row,errors"

    again = await world.run("sync", "trv-001,jones-001,,clients,0,3,no role", header=header)

    row = await world.fetchrow("SELECT status, errors FROM imports WHERE id = $1", again)
    assert row["status"] == "FAILED"
    assert '"code": "ONLY_FAILED_ROWS"' in row["errors"]
    assert await on_case(world, "trv-001") == set(ACTIVE)


@pytest.mark.parametrize("case", ["trv-001", "trv-0x1"], ids=["its case", "an unknown case"])
async def test_a_row_that_failed_in_the_plan(world: EngineFixture, case: str) -> None:
    """An import that carries out a plan does not have it; whom it names stays in a retry too."""
    await world.put(*people("trv-001", "jack-001", "jones-001"))
    role = "client" if case == "trv-001" else "staff"
    rows = ["trv-001,jack-001,,staff,0", f"{case},jones-001,,{role},0"]
    plan = await world.run("sync", *rows, is_dry_run=True)
    await world.run("modify", "trv-001,jack-001,,1")
    applied = await world.apply_plan(plan)
    assert await world.results(applied) == {2: Result("FAILED", codes=("CHANGED_SINCE",))}

    await world.retry(applied)

    why = "row 3 has failed" if case == "trv-001" else "the Case Id of row 3 can't be read"
    assert await world.results(applied) == {2: Result("UPDATED", f"kept jones-001; {why}")}
    assert await on_case(world, "trv-001") == {"jack-001", "jones-001"}


async def test_a_plan_with_a_corrected_row(world: EngineFixture) -> None:
    """A dry run in which a row was corrected is that of the file as it is then."""
    await world.put(*people("trv-001", *ACTIVE))
    rows = ["trv-001,jack-001,,staff,0", "trv-001,jones-001,,client,0"]
    plan = await world.run("sync", *rows, is_dry_run=True)
    await world.retry(plan, {3: {"case_role_id": "staff"}})
    assert await shown(world, plan) == (0, 2, 1, 0)

    applied = await world.apply_plan(plan)

    assert await world.results(applied) == {
        2: Result("UPDATED", "removed jill-001, who is not in the file"),
        3: Result("UPDATED"),
    }
    assert await shown(world, applied) == (0, 2, 1, 0)
    assert await on_case(world, "trv-001") == {"jack-001", "jones-001"}


async def test_another_row_of_a_plan_has_failed(world: EngineFixture) -> None:
    """What has passed in the plan and failed in its import keeps others on the case."""
    await world.put(*people("trv-001", *ACTIVE))
    rows = ["trv-001,jack-001,,staff,0", "trv-001,jones-001,,staff,0"]
    plan = await world.run("sync", *rows, is_dry_run=True)
    await world.run("modify", "trv-001,jack-001,,1", "trv-001,jones-001,,1")
    applied = await world.apply_plan(plan)

    await world.retry(applied, {2: {}})

    assert (await world.results(applied))[2] == Result("UPDATED", "kept jill-001; row 3 has failed")
    assert await on_case(world, "trv-001") == set(ACTIVE)


@pytest.mark.parametrize("attempt", range(5))
async def test_two_at_the_same_time(world: EngineFixture, attempt: int) -> None:
    """In the end one file or the other is the whole truth, never a mixture."""
    one = await world.split("sync", "trv-001,jack-001,,staff,0")
    other = await world.split("sync", "trv-001,jill-001,,staff,0")

    async def run(import_id: int) -> None:
        engine = world.with_engine()
        await engine.queue.enqueue_run(import_id)
        await engine.drain()

    await asyncio.gather(run(one), run(other))

    assert await on_case(world, "trv-001") in ({"jack-001"}, {"jill-001"})


PAIRS = st.tuples(st.sampled_from([*CASES, "trv-9"]), st.sampled_from([*USERS, "jack-9"]))
ROWS = st.builds(
    lambda pair, role: (*pair, role),
    PAIRS,
    st.sampled_from(["staff", "clients", "staff", "clients", "nobody"]),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.lists(ROWS, min_size=1, max_size=10), min_size=1, max_size=3))
async def test_any_file(world: EngineFixture, files: list[list[Any]]) -> None:
    """A case of which no row fails has just the people of its rows; undo gives what was before.

    A user whom a row of an unknown case names may stay as well.
    """
    small = world.with_engine(chunk_rows=10)
    for rows in files:
        before = await small.assignments()
        done = await small.run("sync", *[f"{case},{user},,{role},0" for case, user, role in rows])
        results = await small.results(done)
        ended = [
            (case, user, bool(results[number].codes))
            for number, (case, user, _) in enumerate(rows, 2)
        ]
        after = await small.assignments()

        unknown = {user for case, user, _ in ended if case not in CASES}
        for case in CASES:
            of_case = [(user, has_failed) for each, user, has_failed in ended if each == case]
            had = {user for each, user in before if each == case}
            has = {user for each, user in after if each == case}
            if any(has_failed for _, has_failed in of_case) or not of_case:
                assert had <= has
            elif "jack-9" in unknown:
                assert has == had | {user for user, _ in of_case}
            else:
                assert has == {user for user, _ in of_case} | (had & unknown)
        assert (await shown(small, done))[2] == len(before.keys() - after.keys())
        if before != after:
            await small.undo(done)
            assert await small.assignments() == before
            await small.run("sync", *[f"{case},{user},,{role},0" for case, user, role in rows])
