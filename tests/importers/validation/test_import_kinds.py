"""Validators see every change, whatever kind of import makes it."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Effect, RowError, Validator
from tests.importers.engine_fixture import EngineFixture
from tests.importers.run.sample_validators import with_validators


class Closed(Validator):
    """Refuses everything, and writes down what."""

    def __init__(self, together: Any = None) -> None:
        super().__init__("closed")
        self.together = together  # type: ignore[misc]
        self.seen: list[tuple[str, str, str]] = []

    def check(self, effect: Effect, prepared: Any) -> None:
        self.seen.append((effect.noun, effect.outcome, effect.import_type))
        raise RowError(None, "CLOSED", "Nothing may change.")


FILES = {
    "assign": ("trv-003,jack-001,,staff,0", None, ("assignment", "CREATED")),
    "modify": ("trv-001,jack-001,clients,0", None, ("assignment", "UPDATED")),
    "remove": ("jack-001,trv-001", None, ("assignment", "REMOVED")),
    "add-users": ("jo@example.org,Jo", "username,given_name", ("user", "CREATED")),
    "modify-users": ("jack-001,Jack", "user_id,given_name", ("user", "UPDATED")),
    "add-cases": ("new-1,New", "tag_id,about", ("case", "CREATED")),
    "modify-cases": ("trv-001,New", "case_id,about", ("case", "UPDATED")),
    "sync": ("trv-001,jones-001,staff", "case_id,user_id,case_role_id", ("assignment", "CREATED")),
}


async def state(world: EngineFixture) -> list[Any]:
    tables = ("assignments", "users", "cases", "assignment_history", "entity_history")
    return [await world.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


@pytest.mark.parametrize("together", [None, "case", "user", "app"])
@pytest.mark.parametrize("options", [{}, {"is_dry_run": True}, {"is_atomic": True}], ids=repr)
@pytest.mark.parametrize("type_", FILES)
async def test_files(
    world: EngineFixture, type_: str, options: dict[str, Any], together: str | None
) -> None:
    """A file of each type is judged, in a dry run and all or nothing as well."""
    row, header, (noun, outcome) = FILES[type_]
    await world.put(("trv-001", "jack-001", "staff", 0))
    before = await state(world)
    closed = Closed(together)
    made = with_validators(world, closed)
    import_id = await made.run(type_, row, header=header, **options)

    assert (noun, outcome, type_) in closed.seen
    assert {each.codes for each in (await made.results(import_id)).values()} <= {
        ("CLOSED",), ("CLOSED", "CLOSED"), (),
    }  # fmt: skip
    assert (await made.counts(import_id)).passed == 0
    assert await state(world) == before


async def test_a_plan_that_is_applied(world: EngineFixture) -> None:
    """A validator that was switched on since the plan was made judges it."""
    dry = await world.run("assign", "trv-001,jack-001,,staff,0", is_dry_run=True)
    closed = Closed()
    applied = await with_validators(world, closed).apply_plan(dry, "applied")

    assert closed.seen == [("assignment", "CREATED", "assign")]
    assert (await world.counts(applied)).failed == 1


async def test_an_undo(world: EngineFixture) -> None:
    """So it does an undo."""
    done = await world.run("assign", "trv-001,jack-001,,staff,0")
    closed = Closed()
    undone = await with_validators(world, closed).undo(done)

    assert closed.seen == [("assignment", "REMOVED", "undo")]
    assert (await world.counts(undone)).failed == 1
    assert len(await world.assignments()) == 1
