"""What validators see of an undo: changes like those of any other import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from importers import (
    Assign,
    Case,
    Change,
    Difference,
    Effect,
    Modify,
    ModifyCase,
    ModifyRecord,
    ModifyUser,
    Record,
    Remove,
    RemoveRecord,
    RowError,
    SetRecord,
    User,
    Validator,
    ValidatorDirectory,
)
from importers.undo.restore_entity import RestoreEntity
from importers.validation.shown_change import shown_change
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.run.sample_validators import limited, with_validators


class Kinds(Validator):
    """Records the kinds of changes that it prepares for and judges."""

    def __init__(self) -> None:
        super().__init__("kinds")
        self.prepared: list[type] = []
        self.judged: list[tuple[type, str, str]] = []

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> None:
        self.prepared += map(type, changes)

    def check(self, effect: Effect, prepared: Any) -> None:
        self.judged.append((type(effect.change), effect.outcome, effect.import_type))


async def test_assignments(world: EngineFixture) -> None:
    """What puts a user back looks like an assignment, what takes off like a removal."""
    kinds = Kinds()
    made = with_validators(world, kinds)
    await world.put(("trv-001", "jack-001", "staff", 0), ("trv-003", "jack-001", "staff", 0))
    imports = [
        await world.run("assign", "trv-004,jack-001,,staff,0"),
        await world.run("modify", "trv-001,jack-001,clients,0"),
        await world.run("remove", "jack-001,trv-003"),
    ]
    for each in imports:
        await made.undo(each)

    assert kinds.prepared == [Remove, Modify, Assign]
    assert kinds.judged == [
        (Remove, "REMOVED", "undo"), (Modify, "UPDATED", "undo"), (Assign, "CREATED", "undo"),
    ]  # fmt: skip


async def test_users_and_cases(world: EngineFixture) -> None:
    """What is disabled, closed or renamed again looks like a modification, and may be refused."""

    class StayOpen(Validator):
        def check(self, effect: Effect, prepared: Any) -> None:
            if isinstance(effect.change, ModifyCase) and effect.change.is_active is False:
                raise RowError("case", "STAYS_OPEN", "stays open.")

    kinds = Kinds()
    made = with_validators(world, kinds, StayOpen("open"))
    imports = [
        await world.run("add-users", "jo@example.org,Jo", header="username,given_name"),
        await world.run("modify-cases", "trv-001,,,New"),
        await world.run("modify-cases", "trv-002,1,,"),
    ]
    undone = [await made.undo(each) for each in imports]

    assert [each for each, *_ in kinds.judged] == [ModifyUser, ModifyCase, ModifyCase]
    assert [await made.results(each) for each in undone] == [
        {2: Result("UPDATED")},
        {2: Result("UPDATED")},
        {2: Result("FAILED", codes=("STAYS_OPEN",))},
    ]


async def test_a_limit_of_users(world: EngineFixture) -> None:
    """An undo fills a case no more than other imports may."""
    await world.put(("trv-001", "jack-001", "staff", 0))
    removed = await world.run("remove", "jack-001,trv-001")
    await world.run("assign", "trv-001,jones-001,,staff,0")
    undone = await with_validators(world, limited(1)).undo(removed)

    assert await world.results(undone) == {2: Result("FAILED", codes=("CASE_FULL",))}


def test_fields() -> None:
    """Fields that changes of this kind have are shown; a day is a day."""
    case = RestoreEntity(
        case=Case(id=1), user=None, fields={"date_opened": "2026-01-31", "tag_id": "x"}, present={}
    )
    user = RestoreEntity(case=None, user=User(id=2), fields=None, present={})

    assert shown_change(case) == ModifyCase(case=Case(id=1), date_opened=date(2026, 1, 31))
    assert shown_change(user) == ModifyUser(user=User(id=2), is_active=False)


class Rent(Record, table="kit_rents", key=("case", "room")):
    """A record with a case in its key, and perhaps a user beside it."""

    case: Case
    room: str
    cents: int
    payer: User | None = None


class Fee(Record, table="kit_fees", key="case"):
    """A record without any other case or user."""

    case: Case
    cents: int


CASE = Case(id=7, tag_id="trv-001")


@pytest.mark.parametrize(
    ("record", "before", "after", "expected"),
    [
        pytest.param(Fee, None, {"cents": 1}, RemoveRecord(Fee, case=CASE), id="taken away again"),
        pytest.param(
            Fee, {"cents": 1}, {"cents": 2}, ModifyRecord(Fee, case=CASE, cents=1), id="put back"
        ),
        pytest.param(Fee, {"cents": 1}, None, SetRecord(Fee(case=CASE, cents=1)), id="there again"),
        pytest.param(
            Rent,
            {"room": "1", "cents": 1, "payer_id": 9},
            None,
            ModifyRecord(Rent, case=CASE, room="1", cents=1),
            id="a user of whom only the key is known",
        ),
    ],
)
def test_records(record: type[Record], before: Any, after: Any, expected: Change) -> None:
    """What gives a record back looks like other changes of it, with the case that it is about."""
    difference = Difference(before=before, after=after, case_id=7)
    change = shown_change(record.inverse(difference, CASE, None))

    assert change == expected
    assert Effect(change=change, outcome="UPDATED").case == CASE
