"""What validators see of an undo: changes like those of any other import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from importers import (
    Assign,
    Case,
    Change,
    Effect,
    Modify,
    ModifyCase,
    ModifyUser,
    Remove,
    RowError,
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
