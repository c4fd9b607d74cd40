"""Importers whose changes depend on the present state, on other rows, or that ask for nothing."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import asyncpg
import pytest

from importers import (
    Assign,
    AssignmentOf,
    Case,
    CaseRef,
    Importer,
    Modify,
    Remove,
    RoleRef,
    Row,
    RowError,
    Unchanged,
    UserRef,
)
from importers.run.carried_keys import CarriedKeys
from importers.testing import Assigned, World, check_importer, run_importer
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.fakes import plan_read, read

HEADER = "matter,person,role"


class Handover(Importer):
    """Put people on matters, move those who are on it, and leave clients alone."""

    label = "Handover"
    matter = CaseRef(required=True)
    person = UserRef(required=True)
    role = RoleRef(required=True)
    present = AssignmentOf("matter", "person")

    def change(self, row: Row) -> Any:
        """Assign, modify, or leave alone."""
        if row.present is None:
            return Assign(case=row.matter, user=row.person, role=row.role)
        if row.present.role.key == "clients":
            return Unchanged("clients stay as they are")
        return Modify(case=row.matter, user=row.person, role=row.role)


def test_a_change_that_depends_on_the_present() -> None:
    """A row is told how its user is on its case; what is left alone says why."""
    check_importer(
        Handover,
        f"{HEADER}\ntrv-001,jones-001,staff\ntrv-002,jones-001,staff\ntrv-002,jack-001,staff\n",
        [
            {"row": 2, "outcome": "UNCHANGED", "message": "clients stay as they are"},
            {"row": 3, "outcome": "UPDATED"},
            {"row": 4, "outcome": "CREATED"},
        ],
        world=World(
            assignments=[
                Assigned(case="trv-001", user="jones-001", role="clients"),
                Assigned(case="trv-002", user="jones-001", role="default"),
            ]
        ),
    )


def test_rows_without_a_case_or_user() -> None:
    """Where a row names nobody, there is no assignment."""

    class Optional(Handover):
        person = UserRef()

        def change(self, row: Row) -> Any:
            return Unchanged(f"is {row.present}")

    (report,) = run_importer(Optional, f"{HEADER}\ntrv-001,,staff\n")

    assert report["message"] == "is None"


def test_of_a_column_that_is_not_there() -> None:
    """A name that is no column's is an error of the class."""
    with pytest.raises(TypeError, match=r"Odd\.present: there is no column 'user'"):

        class Odd(Importer):
            matter = CaseRef()
            present = AssignmentOf("matter", "user")


def test_unchanged_beside_changes() -> None:
    """What an importer has to say stands on the row, whatever else the row does."""

    class Talkative(Handover):
        def change(self, row: Row) -> Any:
            yield Unchanged("one")
            yield Assign(case=row.matter, user=row.person, role=row.role)
            yield Unchanged("two")

    (report,) = run_importer(Talkative, f"{HEADER}\ntrv-002,jack-001,staff\n")

    assert (report["outcome"], report["message"]) == ("CREATED", "one; two")


def test_unchanged_wants_a_text(caplog: pytest.LogCaptureFixture) -> None:
    """A message that is no text is the importer's error."""

    class Odd(Handover):
        def change(self, row: Row) -> Any:
            return Unchanged(7)  # type: ignore[arg-type]

    with caplog.at_level(logging.ERROR):
        (report,) = run_importer(Odd, f"{HEADER}\ntrv-002,jack-001,staff\n")

    assert [error["code"] for error in report["errors"]] == ["IMPORTER_ERROR"]


class OneLead(Handover):
    """Allow one member of the staff for each matter of the file."""

    matter = CaseRef(required=True, is_key=True)

    def check_chunk(self, rows: Sequence[Row], memo: Any) -> Iterable[tuple[Row, RowError]]:
        """Name the rows that want another lead."""
        for row in rows:
            if row.role.key == "staff":
                number, person = memo.setdefault(row.matter.id, [row.number, row.person.id])
                if person != row.person.id:
                    yield row, RowError("person", "TWO_LEADS", f"row {number} has the lead.")


def test_a_check_over_the_chunk() -> None:
    """An importer may look at rows together and name those that are wrong, each on a column."""
    reports = run_importer(
        OneLead,
        f"{HEADER}\ntrv-002,jack-001,staff\nnobody,jones-001,staff\ntrv-002,jones-001,staff\n"
        "trv-002,gone-001,default\n",
    )

    assert [
        [(error["code"], error["message"]) for error in report.get("errors", ())]
        for report in reports
    ] == [
        [],
        [("NOT_FOUND", "Matter: no case has the Tag ID or ID 'nobody'.")],
        [("TWO_LEADS", "Person: row 2 has the lead.")],
        [("USER_DISABLED", "Person: the user 'gone-001' is disabled; enable the user first.")],
    ]


@pytest.mark.parametrize(
    "answer",
    [
        [("x", RowError(None, "ODD", "is odd."))],
        [1],
        None,
        ValueError("secret"),
    ],
    ids=repr,
)
def test_a_check_that_fails(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A check that fails or answers nonsense fails the rows that it was asked about."""

    class Odd(Handover):
        def check_chunk(self, rows: Sequence[Row], memo: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    with caplog.at_level(logging.ERROR):
        reports = run_importer(Odd, f"{HEADER}\ntrv-002,jack-001,staff\nnobody,jack-001,staff\n")

    assert [[error["code"] for error in report["errors"]] for report in reports] == [
        ["IMPORTER_ERROR"],
        ["NOT_FOUND"],
    ]
    assert "importer 'test' failed on a chunk" in caplog.text
    assert "secret" not in str(reports)


async def test_an_import(world: EngineFixture) -> None:
    """The engine tells rows what is stored, and writes what they ask for."""
    await world.put(("trv-001", "jones-001", "clients", 0), ("trv-003", "jack-001", "default", 0))
    made = world.with_engine(handover=Handover("handover"))
    import_id = await made.run(
        "handover",
        "trv-001,jones-001,staff",
        "trv-003,jack-001,staff",
        "trv-003,jones-001,staff",
        header=HEADER,
    )

    assert await world.results(import_id) == {
        2: Result("UNCHANGED", "clients stay as they are"),
        3: Result("UPDATED"),
        4: Result("CREATED"),
    }


@pytest.mark.parametrize("is_dry_run", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_chunks(world: EngineFixture, seed: int, is_dry_run: bool) -> None:
    """Rows are told what was there before the file, in chunks of any size and order."""
    rng = random.Random(seed)
    await world.put(("trv-001", "jones-001", "default", 0), ("trv-003", "jack-001", "default", 0))
    rows = [
        f"{rng.choice(['trv-001', world.case_id('trv-001'), 'trv-003', 'trv-004'])},"
        f"{rng.choice(['jack-001', 'jones-001'])},{rng.choice(['staff', 'clients'])}"
        for _ in range(30)
    ]
    made = world.with_engine(handover=Handover("handover"))
    whole = await made.run("handover", *rows, header=HEADER, is_dry_run=True)
    small = world.with_engine(handover=Handover("handover"), chunk_rows=3)
    import_id = await small.upload("handover", *rows, header=HEADER, is_dry_run=is_dry_run)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)

    assert await world.results(import_id) == await world.results(whole)


@pytest.mark.parametrize("before", ["none", "default", "staff"])
async def test_what_changes_meanwhile_is_asked_again(
    world: EngineFixture, module_database_url: str, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """When somebody else changes an assignment between the telling and the writing, the importer
    is asked anew."""
    if before != "none":
        await world.put(("trv-001", "jack-001", before, 0))
    told: list[str] = []

    class Watched(Handover):
        def change(self, row: Row) -> Any:
            told.append(row.present.role.key if row.present else "none")
            return super().change(row)

    async def meddle(*arguments: Any) -> Any:
        monkeypatch.setattr("importers.run.plan_rows.read_current", read_now)
        found = await read_now(*arguments)
        other = await asyncpg.connect(module_database_url)
        await other.execute("DELETE FROM assignments")
        if before == "none":
            await other.execute(
                "INSERT INTO assignments (app_id, case_id, user_id, role_id)"
                " VALUES ($1, $2, $3, $4)",
                world.app_id,
                world.cases["trv-001"],
                world.users["jack-001"],
                world.roles["default"],
            )
        await other.close()
        return found

    from importers.run.plan_rows import read_current as read_now

    monkeypatch.setattr("importers.run.plan_rows.read_current", meddle)
    made = world.with_engine(watched=Watched("watched"))
    import_id = await made.run("watched", "trv-001,jack-001,staff", header=HEADER)

    assert told == [before, "default" if before == "none" else "none"]
    assert [each.what for each in (await world.results(import_id)).values()] == [
        "UPDATED" if before == "none" else "CREATED"
    ]
    assert await world.assignments() == {("trv-001", "jack-001"): ("staff", 0)}


async def test_a_remove_that_depends(world: EngineFixture) -> None:
    """Any kind of change can depend on what is there."""

    class Sweep(Handover):
        role = RoleRef()

        def change(self, row: Row) -> Any:
            if row.present and row.present.role.key == "staff":
                return Remove(case=row.matter, user=row.person)
            return Unchanged("is not staff")

    await world.put(("trv-001", "jack-001", "staff", 0), ("trv-003", "jack-001", "clients", 0))
    made = world.with_engine(sweep=Sweep("sweep"))
    import_id = await made.run("sweep", "trv-001,jack-001,", "trv-003,jack-001,", header=HEADER)

    assert await world.results(import_id) == {
        2: Result("REMOVED"),
        3: Result("UNCHANGED", "is not staff"),
    }


@pytest.mark.parametrize("seed", range(4))
async def test_rows_of_one_key_are_looked_at_together(world: EngineFixture, seed: int) -> None:
    """Wherever in the file they are, rows with the same value in a key column are in one chunk,
    or in chunks that share what the importer remembers."""
    rng = random.Random(seed)
    rows = [
        f"{rng.choice(['trv-001', world.case_id('trv-003'), 'trv-003', 'trv-004'])},{user},staff"
        for user in ("jack-001", "jones-001", "jill-001")
        for _ in range(5)
    ]
    rng.shuffle(rows)
    whole = await world.with_engine(leads=OneLead("leads")).run(
        "leads", *rows, header=HEADER, is_dry_run=True
    )
    small = world.with_engine(leads=OneLead("leads"), chunk_rows=3)
    import_id = await small.upload("leads", *rows, header=HEADER)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)
    failed = [each for each in (await world.results(import_id)).values() if each.what == "FAILED"]

    assert await world.results(import_id) == await world.results(whole)
    assert failed


@pytest.mark.parametrize(
    "value",
    [{1}, pytest.param(object(), id="object"), {("a",): 1}, date(2026, 1, 1), 1 << 64, Case(id=1)],
    ids=repr,
)
def test_what_can_not_be_remembered(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A memo that can't be handed to the next chunk fails the rows, and the log says why."""

    class Odd(Handover):
        def check_chunk(self, rows: Sequence[Row], memo: Any) -> Any:
            memo["x"] = value
            return ()

    with caplog.at_level(logging.ERROR):
        (report,) = run_importer(Odd, f"{HEADER}\ntrv-002,jack-001,staff\n")

    assert [error["code"] for error in report["errors"]] == ["IMPORTER_ERROR"]
    assert "TypeError: " in caplog.text


@pytest.mark.parametrize("key", [Case(id=1), ((1, 2), 3), date(2026, 1, 1), 1 << 64], ids=repr)
def test_what_can_not_be_a_key_of_a_memo(key: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Keys that would come back as something else are refused as well."""

    class Odd(Handover):
        def check_chunk(self, rows: Sequence[Row], memo: Any) -> Any:
            memo[key] = 1
            return ()

    with caplog.at_level(logging.ERROR):
        (report,) = run_importer(Odd, f"{HEADER}\ntrv-002,jack-001,staff\n")

    assert [error["code"] for error in report["errors"]] == ["IMPORTER_ERROR"]


def test_a_check_that_fails_forgets_nothing() -> None:
    """What earlier chunks of a chain have left is still there after one whose check fails."""

    class Odd(Handover):
        def check_chunk(self, rows: Sequence[Row], memo: Any) -> Any:
            memo["x"] = 2
            raise ValueError

    carried = CarriedKeys(memo={"x": 1})
    plan = plan_read(Odd("odd"), read(Odd("odd"), "trv-001,jack-001,staff"), carried)

    assert plan.carried.memo == carried.memo == {"x": 1}


async def test_a_retry_sees_what_has_passed(world: EngineFixture) -> None:
    """Rows that are run again are looked at together with those that have passed; these stay."""
    made = world.with_engine(leads=OneLead("leads"))
    import_id = await made.run(
        "leads", "trv-001,jack-001,staff", "trv-001,jones-001,staff", "trv-003,nobody,staff",
        header=HEADER,
    )  # fmt: skip
    first = await made.results(import_id)
    await made.retry(import_id, {3: {}, 4: {"person": "jones-001"}})

    assert [each.codes for each in first.values()] == [(), ("TWO_LEADS",), ("NOT_FOUND",)]
    assert await made.results(import_id) == {**first, 4: Result("CREATED")}
    assert (await made.counts(import_id)).passed == 2
