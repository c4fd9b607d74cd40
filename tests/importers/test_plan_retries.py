"""A dry run of which failed rows are tried again: its plan is that of the file as it is then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import (
    Assign,
    Case,
    CaseRef,
    FailedRow,
    Importer,
    RoleRef,
    Row,
    RowError,
    UserRef,
)
from models.audit import Actor
from tests.importers.engine_fixture import CASES, USERS, Counts, EngineFixture, Result

HEADER = "case_id,user_id,case_role_id"


class WholeCases(Importer):
    """Assign all users of a case, or none."""

    label = "Whole cases"
    at_worst = "adds"
    group_by = "case_id"
    case_id = CaseRef(required=True, example="trv-001")
    user_id = UserRef(required=True, example="jack-001")
    case_role_id = RoleRef(required=True, example="staff")

    def change_group(self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Do nothing while a row of the case is wrong."""
        if not failed_rows:
            for row in rows:
                yield row, Assign(case=key, user=row.user_id, role=row.case_role_id)


class TwoAtMost(Importer):
    """Assign two users of the file to a case at most."""

    label = "Two at most"
    at_worst = "adds"
    case_id = CaseRef(required=True, is_key=True, example="trv-001")
    user_id = UserRef(required=True, example="jack-001")
    case_role_id = RoleRef(required=True, example="staff")

    def change(self, row: Row) -> Assign:
        """Assign the user."""
        return Assign(case=row.case_id, user=row.user_id, role=row.case_role_id)

    def check_chunk(self, rows: Sequence[Row], memo: Any) -> Any:
        """Name the third row of a case, and those after it."""
        seen: dict[int, int] = {}
        for row in rows:
            seen[row.case_id.id] = seen.get(row.case_id.id, 0) + 1
            if seen[row.case_id.id] > 2:
                yield row, RowError("case_id", "FULL", "is full.")


async def test_a_group_that_waits_for_a_row(world: EngineFixture) -> None:
    """Once the row is corrected, the plan has all rows of the group, and they are carried out."""
    own = world.with_engine(whole=WholeCases("whole"))
    rows = ["trv-001,jack-001,staff", "trv-001,jones-001,nobody", "trv-003,jack-001,staff"]
    plan = await own.run("whole", *rows, header=HEADER, is_dry_run=True)
    assert (await own.results(plan))[2] == Result("UNCHANGED")

    await own.retry(plan, {3: {"case_role_id": "staff"}})
    assert await own.counts(plan) == Counts("PROCESSED", 3, 3, 0, 0, 3, 0, 0, 0)
    applied = await own.apply_plan(plan)

    assert await own.results(applied) == dict.fromkeys([2, 3, 4], Result("CREATED"))


async def test_a_row_that_leaves_its_group(world: EngineFixture) -> None:
    """The group that it was in is planned without it."""
    own = world.with_engine(whole=WholeCases("whole"))
    rows = ["trv-001,jack-001,staff", "trv-001,jones-001,nobody"]
    plan = await own.run("whole", *rows, header=HEADER, is_dry_run=True)

    await own.retry(plan, {3: {"case_id": "trv-003", "case_role_id": "staff"}})
    applied = await own.apply_plan(plan)

    assert await own.results(applied) == dict.fromkeys([2, 3], Result("CREATED"))


@pytest.mark.parametrize("is_held", [False, True])
async def test_a_row_of_a_group_that_fails_for_another_reason(
    world: EngineFixture, is_held: bool
) -> None:
    """Its cells are right, so the importer has planned the others with it; so it carries them out,
    be it the plan of a dry run or the import's own."""
    own = world.with_engine(whole=WholeCases("whole"))
    rows = ["trv-001,jack-001,staff", "trv-001,jones-001,staff", "trv-001,jack-001,clients"]
    if is_held:
        await own.execute("UPDATE apps SET requires_release = true WHERE id = $1", own.app_id)
    done = await own.run("whole", *rows, header=HEADER, is_dry_run=not is_held)
    assert [row.codes for row in (await own.results(done)).values()] == [
        (),
        (),
        ("CONFLICTS_WITH_ROW",),
    ]

    if is_held:
        await own.release(done, Actor("another", 7))
    else:
        done = await own.apply_plan(done)

    results = await own.results(done)
    assert (results[2], results[3]) == (Result("CREATED"), Result("CREATED"))


async def test_a_conflict_with_a_row_that_has_passed(world: EngineFixture) -> None:
    """Of two rows of a pair, the first is planned; the other fails, and not only when applied."""
    rows = ["trv-001,jack-001,,nobody,0", "trv-001,jack-001,,staff,0"]
    plan = await world.run("assign", *rows, is_dry_run=True)

    await world.retry(plan, {2: {"case_role_id": "clients"}})

    assert await world.results(plan) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
    }
    assert await world.counts(plan) == Counts("PROCESSED", 2, 1, 1, 0, 1, 0, 0, 0)
    assert await world.results(await world.apply_plan(plan)) == {2: Result("CREATED")}


async def test_rows_that_are_checked_together(world: EngineFixture) -> None:
    """What an importer says of rows that have passed counts as well."""
    own = world.with_engine(two=TwoAtMost("two"))
    rows = [f"trv-001,{user},{role}" for user, role in [
        ("jack-001", "nobody"), ("jones-001", "staff"), ("jill-001", "staff")]]  # fmt: skip
    plan = await own.run("two", *rows, header=HEADER, is_dry_run=True)

    await own.retry(plan, {2: {"case_role_id": "staff"}})

    assert [row.codes for row in (await own.results(plan)).values()] == [(), (), ("FULL",)]
    applied = await own.apply_plan(plan)
    assert await own.results(applied) == dict.fromkeys([2, 3], Result("CREATED"))


async def test_other_failed_rows_stay(world: EngineFixture) -> None:
    """A failed row that the retry does not name stays as it was, though it would pass by now."""
    rows = ["trv-002,jack-001,,staff,0", "trv-001,jack-001,,nobody,0", "trv-001,jill-001,,staff,0"]
    plan = await world.run("assign", *rows, is_dry_run=True)
    await world.set_active("cases", "trv-002", is_active=True)

    where = {"code": "INVALID_CHOICE"}
    await world.retry(plan, where=where, cells={"case_role_id": "staff"})

    assert await world.counts(plan) == Counts("PROCESSED", 3, 2, 1, 0, 2, 0, 0, 0)
    assert (await world.results(plan))[2].codes == ("CASE_CLOSED",)


async def test_cancelled(world: EngineFixture) -> None:
    """A retry that is cancelled leaves the plan as it was."""
    rows = ["trv-001,jack-001,,nobody,0", "trv-001,jill-001,,staff,0"]
    plan = await world.run("assign", *rows, is_dry_run=True)
    before = await world.counts(plan), await world.results(plan)

    await world.request_retry(plan, {2: {"case_role_id": "staff"}})
    await world.engine.split(plan)
    await world.cancel(plan)

    assert (await world.counts(plan), await world.results(plan)) == before


ROWS = st.tuples(
    st.sampled_from([*CASES, "trv-9"]),
    st.sampled_from([*USERS, "jack-9"]),
    st.sampled_from(["staff", "clients", "nobody"]),
)
CORRECTED = st.tuples(
    st.sampled_from(list(CASES)), st.sampled_from(list(USERS)), st.sampled_from(["staff", "nobody"])
)
TYPES = ["assign", "modify", "sync", "whole", "two"]


# The state goes on from one example to the next, which makes it the richer.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    type_=st.sampled_from(TYPES),
    rows=st.lists(ROWS, min_size=2, max_size=8),
    news=st.lists(CORRECTED | st.none(), min_size=8, max_size=8),
)
async def test_any_plan(world: EngineFixture, type_: str, rows: list[Any], news: list[Any]) -> None:
    """It says what a dry run of the corrected file says, and is carried out without exception."""
    own = world.with_engine(chunk_rows=8, whole=WholeCases("whole"), two=TwoAtMost("two"))
    plan = await own.run(type_, *map(",".join, rows), header=HEADER, is_dry_run=True)
    failed = [number for number, result in (await own.results(plan)).items() if result.codes]
    corrections = {
        number: dict(zip(HEADER.split(","), new, strict=True)) if new else {}
        for number, new in zip(failed, news, strict=False)
    }
    if corrections:
        await own.retry(plan, corrections)
    file = [
        ",".join(corrections.get(number, {}).values()) or ",".join(row)
        for number, row in enumerate(rows, 2)
    ]
    again = await own.run(type_, *file, header=HEADER, is_dry_run=True)

    assert await own.results(plan) == await own.results(again)
    assert await own.counts(plan) == await own.counts(again)
    if (await own.counts(plan)).passed:
        applied = await own.counts(await own.apply_plan(plan))
        assert (applied.status, applied.failed) == ("PROCESSED", 0)
