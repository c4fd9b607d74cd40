"""Rows about all cases of a user, or all users of a case, in memory and in the database."""

from __future__ import annotations

import logging
import random
from typing import Any

import asyncpg
import pytest

from importers import (
    AssignmentOf,
    AssignmentsOf,
    CaseRef,
    Column,
    Importer,
    Reference,
    Remove,
    RoleRef,
    Row,
    UserRef,
)
from importers.testing import Assigned, World, check_conformance, check_importer, run_importer
from models.database_url import credentials
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.run.sample_movers import Emptying, Leaving, Meeting, Moving

BUSY = World(
    assignments=[
        Assigned(case="trv-001", user="jones-001", role="staff", notify=True),
        Assigned(case="trv-002", user="jones-001", role="clients"),
        Assigned(case="trv-002", user="jack-001", role="staff"),
    ]
)


def test_all_cases_of_a_user() -> None:
    """A row sees every assignment of its user, in the order of the cases, and who has none."""
    check_importer(
        Leaving,
        "person\njones-001\ngone-001\nnobody\njones-001\n",
        [
            {
                "row": 2,
                "outcome": "REMOVED",
                "asks": [
                    {"change": "Remove", "case": "trv-001", "user": "jones-001"},
                    {"change": "Remove", "case": "trv-002", "user": "jones-001"},
                ],
            },
            {"row": 3, "outcome": "UNCHANGED", "message": "is on no case"},
            {"row": 4, "errors": [{"code": "NOT_FOUND", "column": "person"}]},
            {"row": 5, "outcome": "UNCHANGED", "message": "repeats row 2"},
        ],
        world=BUSY,
    )


def test_all_users_of_a_case() -> None:
    """A row sees every assignment to its case, in the order of the users."""
    check_importer(
        Emptying,
        "case_id\ntrv-002\nclosed-001\n",
        [
            {
                "row": 2,
                "outcome": "REMOVED",
                "asks": [{"user": "jack-001"}, {"user": "jones-001"}],
            },
            {"row": 3, "outcome": "UNCHANGED"},
        ],
        world=BUSY,
    )


def test_two_users_of_a_row() -> None:
    """Each of several columns has its own, with roles and choices of mails."""
    check_importer(
        Moving,
        "old,new\njones-001,jack-001\n",
        [
            {
                "row": 2,
                "outcome": "UPDATED",
                "message": "is on trv-002 already",
                "asks": [
                    {"change": "Remove", "case": "trv-001"},
                    {"change": "Assign", "case": "trv-001", "role": "staff", "notify": True},
                    {"change": "Remove", "case": "trv-002"},
                ],
            }
        ],
        world=BUSY,
    )


def test_a_blank_cell() -> None:
    """A row that names nobody sees nothing."""

    class Optional(Leaving):
        person = UserRef(example="jones-001")
        other = Column[str]()

    (report,) = run_importer(Optional, "person,other\n,x\n")

    assert report["message"] == "is on no case"


@pytest.mark.parametrize("importer", [Leaving, Moving, Emptying, Meeting])
@pytest.mark.parametrize("world", [None, BUSY], ids=["default", "busy"])
def test_conformance(importer: type[Importer], world: World | None) -> None:
    """They get right what importers have to."""
    check_conformance(importer, rows=500, world=world)


@pytest.mark.parametrize("names", [{}, {"user": "person", "case": "matter"}])
def test_takes_one_column(names: dict[str, str]) -> None:
    """All cases of a user, or all users of a case: not both at once, and not neither."""
    with pytest.raises(TypeError, match="the name of one column: either user= or case="):
        AssignmentsOf(**names)


class CaseOrUser(Reference[Any]):
    """A look-up of a plugin's own."""


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (AssignmentsOf(user="nobody"), "there is no column 'nobody'"),
        (AssignmentsOf(user="matter"), "the column 'matter' names no user: make it a UserRef"),
        (AssignmentsOf(case="person"), "the column 'person' names no case: make it a CaseRef"),
        (AssignmentsOf(case="role"), "the column 'role' names no case: make it a CaseRef"),
        (AssignmentsOf(user="text"), "the column 'text' names no user: make it a UserRef"),
        (AssignmentsOf(user="either"), "the column 'either' names no user: make it a UserRef"),
        (AssignmentOf("person", "matter"), "the column 'person' names no case: make it a CaseRef"),
        (AssignmentOf("matter", "text"), "the column 'text' names no user: make it a UserRef"),
    ],
)
def test_of_a_column_that_is_none(declared: Any, problem: str) -> None:
    """A column that does not name what is looked up is an error of the class."""
    with pytest.raises(TypeError, match=rf"Odd\.present: {problem}"):
        type(
            "Odd",
            (Importer,),
            {
                "matter": CaseRef(),
                "person": UserRef(),
                "role": RoleRef(),
                "text": Column[str](),
                "either": CaseOrUser(),
                "present": declared,
            },
        )


def test_a_look_up_of_ones_own() -> None:
    """`AssignmentOf` takes what a plugin's own look-up finds, and both take subclasses."""

    class OwnUser(UserRef):
        pass

    class Fine(Importer):
        matter = CaseRef()
        either = CaseOrUser()
        person = OwnUser()
        present = AssignmentOf("matter", "either")
        all_of = AssignmentsOf(user="person")

    assert list(Fine.assignments) == ["present", "all_of"]


def test_of_another_user(caplog: pytest.LogCaptureFixture) -> None:
    """A change of a user that no column names is the importer's error: no other row of that user
    could be kept in order with it."""

    class Odd(Leaving):
        case_id = CaseRef(required=True)
        people = AssignmentOf("case_id", "person")

        def change(self, row: Row) -> Any:
            jack = self.settings
            return Remove(case=row.case_id, user=jack)  # type: ignore[arg-type]

    odd = Odd("odd", BUSY.users[0])
    with caplog.at_level(logging.ERROR):
        reports = run_importer(odd, "person,case_id\njones-001,trv-001\njack-001,trv-001\n")

    assert [report.get("errors", [{}])[0].get("code") for report in reports] == [
        "IMPORTER_ERROR",
        None,
    ]
    assert "of none that the row names in person: AssignmentsOf is about these alone" in caplog.text


async def test_an_import(world: EngineFixture) -> None:
    """The engine removes what is stored, writes history, and a second file changes nothing."""
    await world.put(
        ("trv-001", "jones-001", "staff", 1),
        ("trv-002", "jones-001", "clients", 0),
        ("trv-003", "jack-001", "default", 0),
    )
    made = world.with_engine(leaving=Leaving("leaving"))
    first = await made.run("leaving", "jones-001", "jill-001", header="person")
    again = await made.run("leaving", "jones-001", "jill-001", header="person")

    assert await made.results(first) == {
        2: Result("REMOVED"),
        3: Result("UNCHANGED", "is on no case"),
    }
    assert await made.history(first) == [
        (2, "trv-001", "jones-001", "staff", 1, None, None),
        (2, "trv-002", "jones-001", "clients", 0, None, None),
    ]
    assert {each.what for each in (await made.results(again)).values()} == {"UNCHANGED"}
    assert await made.assignments() == {("trv-003", "jack-001"): ("default", 0)}


async def test_undo(world: EngineFixture) -> None:
    """What such rows have changed can be taken back."""
    await world.put(("trv-001", "jones-001", "staff", 1), ("trv-003", "jones-001", "clients", 0))
    made = world.with_engine(leaving=Leaving("leaving"))
    before = await made.assignments()
    done = await made.run("leaving", "jones-001", header="person")
    gone = await made.assignments()
    await made.undo(done)

    assert gone == {}
    assert await made.assignments() == before


async def test_all_or_nothing(world: EngineFixture) -> None:
    """In one transaction, rows see what was there before the file as well."""
    await world.put(
        ("trv-001", "jones-001", "staff", 1),
        ("trv-003", "jones-001", "clients", 0),
        ("trv-003", "jack-001", "default", 0),
    )
    made = world.with_engine(chunk_rows=10, moving=Moving("moving"))
    rows = ["jones-001,jack-001", "jack-001,jill-001", "jill-001,jones-001"]
    done = await made.run("moving", *rows, header="old,new", is_atomic=True)

    assert await made.results(done) == {
        2: Result("UPDATED", "is on trv-003 already"),
        3: Result("UPDATED"),
        4: Result("UNCHANGED"),
    }
    assert await made.assignments() == {
        ("trv-001", "jack-001"): ("staff", 1),
        ("trv-003", "jill-001"): ("default", 0),
    }


async def test_a_plan(world: EngineFixture) -> None:
    """A plan is not carried out where the user is on another case by now."""
    await world.put(("trv-001", "jones-001", "staff", 0), ("trv-001", "jack-001", "staff", 0))
    made = world.with_engine(leaving=Leaving("leaving"))
    plan = await made.run("leaving", "jones-001", "jack-001", header="person", is_dry_run=True)
    await world.put(("trv-003", "jones-001", "staff", 0))
    applied = await made.apply_plan(plan)

    assert await made.results(applied) == {
        2: Result("FAILED", codes=("CHANGED_SINCE",)),
        3: Result("REMOVED"),
    }
    assert set(await made.assignments()) == {("trv-001", "jones-001"), ("trv-003", "jones-001")}


@pytest.mark.parametrize("percent", [20, None])
async def test_a_guard(world: EngineFixture, percent: int | None) -> None:
    """One row may remove many assignments: it is planned first, where the app has a guard."""
    await world.execute("UPDATE apps SET remove_percent = $1, remove_at_least = 3", percent)
    await world.put(*[(case, "jones-001", "staff", 0) for case in world.cases])
    made = world.with_engine(leaving=Leaving("leaving"))
    import_id = await made.run("leaving", "jones-001", header="person")

    assert (await made.counts(import_id)).status == ("HELD" if percent else "PROCESSED")
    assert len(await made.assignments()) == (4 if percent else 0)


HEADERS = {"leaving": "person", "moving": "old,new", "emptying": "case_id",
           "meeting": "case_id,person"}  # fmt: skip


def any_row(rng: random.Random, world: EngineFixture, type_: str) -> str:
    cells = {
        "person": [*world.users, world.user_id("jack-001")],
        "case_id": [*world.cases, world.case_id("trv-001")],
    }
    names = HEADERS[type_].split(",")
    return ",".join(rng.choice(cells.get(name, cells["person"])) for name in names)


@pytest.mark.parametrize("type_", HEADERS)
@pytest.mark.parametrize("is_dry_run", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_chunks(
    world: EngineFixture, type_: str, seed: int, is_dry_run: bool
) -> None:
    """Rows see what was there before the file, in chunks of any size and order."""
    rng = random.Random(f"{seed} {type_}")
    pairs = [(case, user) for case in world.cases for user in world.users]
    await world.put(
        *[(*pair, rng.choice(["staff", "clients"]), 0) for pair in rng.sample(pairs, 9)]
    )
    rows = [any_row(rng, world, type_) for _ in range(rng.randint(2, 12))]
    importers = {"leaving": Leaving("leaving"), "moving": Moving("moving"),
                 "emptying": Emptying("emptying"), "meeting": Meeting("meeting")}  # fmt: skip
    made = world.with_engine(**importers)
    whole = await made.run(type_, *rows, header=HEADERS[type_], is_dry_run=True)
    small = world.with_engine(chunk_rows=rng.choice([10, 20]), **importers)
    import_id = await small.upload(type_, *rows, header=HEADERS[type_], is_dry_run=is_dry_run)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)

    assert await world.results(import_id) == await world.results(whole)


async def test_a_chunk_has_fewer_rows(world: EngineFixture) -> None:
    """A row of such an importer counts as ten."""
    made = world.with_engine(chunk_rows=20, leaving=Leaving("leaving"))
    import_id = await made.split("leaving", *["jack-001", "jones-001", "jill-001"], header="person")
    chunks = await made.fetch(
        "SELECT is_chained FROM import_chunks WHERE import_id = $1", import_id
    )

    assert [row["is_chained"] for row in chunks] == [False, False]


async def insert(url: str, world: EngineFixture, case: str, user: str, **settings: str) -> None:
    """Assign a user, as another program would."""
    other = await asyncpg.connect(**credentials(url), server_settings=settings)
    try:
        await other.execute(
            "INSERT INTO assignments (app_id, case_id, user_id, role_id) VALUES ($1, $2, $3, $4)",
            world.app_id,
            world.cases[case],
            world.users[user],
            world.roles["staff"],
        )
    finally:
        await other.close()


@pytest.mark.parametrize(
    ("importer", "row"), [(Leaving("any"), "jones-001"), (Emptying("any"), "trv-003")]
)
async def test_an_assignment_between_reading_and_writing(
    world: EngineFixture,
    module_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    importer: Importer,
    row: str,
) -> None:
    """A new assignment of the user, or to the case, is seen before anything is written."""
    from importers.run.plan_rows import read_current as read_now

    async def meddle(*arguments: Any) -> Any:
        monkeypatch.setattr("importers.run.plan_rows.read_current", read_now)
        found = await read_now(*arguments)
        await insert(module_database_url, world, "trv-003", "jones-001")
        return found

    await world.put(("trv-001", "jones-001", "staff", 0), ("trv-003", "jill-001", "staff", 0))
    monkeypatch.setattr("importers.run.plan_rows.read_current", meddle)
    made = world.with_engine(any=importer)
    import_id = await made.run("any", row, header=next(iter(importer.columns)))

    assert await made.results(import_id) == {2: Result("REMOVED")}
    assert ("trv-003", "jones-001") not in await made.assignments()


@pytest.mark.parametrize(
    ("importer", "other"),
    [
        (Leaving("any"), ("trv-003", "jones-001")),
        (Emptying("any"), ("trv-001", "jack-001")),
    ],
)
async def test_none_is_added_before_the_end(
    world: EngineFixture,
    module_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    importer: Importer,
    other: tuple[str, str],
) -> None:
    """Once they are read again, no other transaction assigns the user, or to the case."""
    from importers.run.apply import read_again

    refused: list[str] = []

    async def meddle(*arguments: Any, **options: Any) -> Any:
        found = await read_again(*arguments, **options)
        try:
            await insert(module_database_url, world, *other, lock_timeout="50ms")
        except asyncpg.LockNotAvailableError as error:
            refused.append(str(error))
        await insert(module_database_url, world, "trv-004", "jill-001")
        return found

    await world.put(("trv-001", "jones-001", "staff", 0))
    monkeypatch.setattr("importers.run.apply.read_again", meddle)
    made = world.with_engine(any=importer)
    (column,) = importer.columns
    await made.run("any", {"person": "jones-001", "case_id": "trv-001"}[column], header=column)

    assert len(refused) == 1
    assert set(await made.assignments()) == {("trv-004", "jill-001")}


async def test_behind_an_assignment(world: EngineFixture, module_database_url: str) -> None:
    """A new assignment that is not committed yet is waited for, and then seen."""
    from tests.importers.run.test_races import behind

    await world.put(("trv-003", "jack-001", "staff", 0))
    made = world.with_engine(leaving=Leaving("leaving"))
    import_id = await made.split("leaving", "jack-001", header="person")
    statement = f"""
        INSERT INTO assignments (app_id, case_id, user_id, role_id)
        VALUES ({world.app_id}, $1, $2, {world.roles["clients"]})
        """
    await behind(module_database_url, made, statement, import_id)

    assert [row[1] for row in await made.history(import_id)] == ["trv-001", "trv-003"]
    assert await made.assignments() == {}


class Keeper(Importer):
    """Look at the same assignments in three ways."""

    label = "Keeper"
    case_id = CaseRef(required=True)
    person = UserRef(required=True)
    one = AssignmentOf("case_id", "person")
    people = AssignmentsOf(case="case_id")
    cases = AssignmentsOf(user="person")

    def change(self, row: Row) -> Any:
        """Say what is seen."""
        by_case = [each for each in row.people if each.user == row.person]
        by_user = [each for each in row.cases if each.case == row.case_id]
        assert by_case == by_user
        assert [row.one] == [each and type(row.one)(role=each.role) for each in by_case or [None]]
        return [Remove(case=each.case, user=each.user) for each in by_case]


@pytest.mark.parametrize("after", ["users_of", "cases_of"])
async def test_an_assignment_between_two_queries(
    world: EngineFixture, module_database_url: str, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """What several queries read is what there was at one moment."""
    from importers.rows.stored_directory import StoredDirectory

    look_up = getattr(StoredDirectory, after)

    async def meddle(self: StoredDirectory, *arguments: Any) -> Any:
        monkeypatch.setattr(StoredDirectory, after, look_up)
        found = await look_up(self, *arguments)
        await insert(module_database_url, world, "trv-001", "jack-001")
        return found

    monkeypatch.setattr(StoredDirectory, after, meddle)
    made = world.with_engine(keeper=Keeper("keeper"))
    import_id = await made.run("keeper", "trv-001,jack-001", header="case_id,person")

    assert await made.results(import_id) == {2: Result("REMOVED")}


async def test_too_many_assignments(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows beyond what can be read at once fail, and pass when they are tried again; one that is
    about too many by itself says so."""
    for module in ("rows.stored_directory", "run.current_assignments"):
        monkeypatch.setattr(f"importers.{module}.MOST_ASSIGNMENTS", 3)
    await world.put(
        *[(case, "jack-001", "staff", 0) for case in ("trv-001", "trv-003")],
        *[(case, "jones-001", "staff", 0) for case in ("trv-001", "trv-003")],
        *[(case, "jill-001", "staff", 0) for case in world.cases],
    )
    made = world.with_engine(leaving=Leaving("leaving"))
    import_id = await made.run(
        "leaving", "jack-001", "jones-001", "jill-001", "gone-001", "jack-001", header="person"
    )
    errors = await made.errors(import_id)
    await made.retry(import_id)

    assert [(number, *(each["message"] for each in found)) for number, found in errors.items()] == [
        (
            3,
            "Person: is left for another time: the rows before this one are about as many"
            " assignments as can be read at once, which are 3; try this row again.",
        ),
        (4, "Person: is on more than 3 cases; a row can be about 3 assignments at most."),
    ]
    assert await made.results(import_id) == {
        2: Result("REMOVED"),
        3: Result("REMOVED"),
        4: Result("FAILED", codes=("TOO_MANY_ASSIGNMENTS",)),
        5: Result("UNCHANGED", "is on no case"),
        6: Result("UNCHANGED", "repeats row 2"),
    }
