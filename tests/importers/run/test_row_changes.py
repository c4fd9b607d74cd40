"""What each row has changed is stored with its result, in a dry run as in a real one."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from importers import Assign, CaseRef, Importer, RoleRef, Row, UserRef
from models.assignment import Edit, Present
from models.entity_history import EntityEdit
from models.row import changes_of, row_key
from tests.importers.engine_fixture import EngineFixture


async def changes(world: EngineFixture, import_id: int) -> dict[int, Any]:
    rows = await world.fetch(
        "SELECT * FROM import_rows WHERE id > $1 AND id < $2 ORDER BY id",
        row_key(import_id, 0),
        row_key(import_id + 1, 0),
    )
    return {row["id"] - row_key(import_id, 0): changes_of(row) for row in rows}


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_assignments(world: EngineFixture, is_dry_run: bool) -> None:
    """A row says what there was and what there is; one that does nothing says nothing."""
    case, jack, jill = world.cases["trv-001"], world.users["jack-001"], world.users["jill-001"]
    staff, clients = (Present(world.roles[key], True) for key in ("staff", "clients"))
    await world.run("assign", "trv-001,jack-001,,staff,1", "trv-003,jack-001,,staff,0")

    assign = await world.run(
        "assign", "trv-001,jill-001,,staff,1", "trv-001,jack-001,,staff,1", is_dry_run=is_dry_run
    )
    modify = await world.run("modify", "trv-001,jack-001,clients,", is_dry_run=is_dry_run)
    remove = await world.run(
        "remove", "jack-001,trv-003", "jill-001,trv-004", is_dry_run=is_dry_run
    )

    nothing: Any = ((), ())
    third = world.cases["trv-003"]
    assert await changes(world, assign) == {
        2: ([Edit(case, jill, 2, None, staff)], ()),
        3: nothing,
    }
    assert await changes(world, modify) == {2: ([Edit(case, jack, 2, staff, clients)], ())}
    assert await changes(world, remove) == {
        2: ([Edit(third, jack, 2, Present(world.roles["staff"], False), None)], ()),
        3: nothing,
    }


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_users_and_cases(world: EngineFixture, is_dry_run: bool) -> None:
    """Fields that were changed are told on both sides; what a dry run creates has no key."""
    add = await world.run("add-users", "jo@example.org,Jo,,es,,", is_dry_run=is_dry_run)
    modify = await world.run(
        "modify-users", "jack-001,Jack,,,,,0", "jill-001,,,,,,", is_dry_run=is_dry_run
    )
    close = await world.run("modify-cases", "trv-001,0,01/31/2026,", is_dry_run=is_dry_run)

    query = "SELECT max(id) FROM users WHERE email = 'jo@example.org'"
    key = (await world.fetchrow(query))["max"]
    new = {"email": "jo@example.org", "given_name": "Jo", "locale": "es"}
    assert await changes(world, add) == {2: ([], [EntityEdit(2, None, key, None, new)])}
    before, after = (
        {"given_name": "", "is_active": True},
        {"given_name": "Jack", "is_active": False},
    )
    assert await changes(world, modify) == {
        2: ([], [EntityEdit(2, None, world.users["jack-001"], before, after)]),
        3: ((), ()),
    }
    opened = {"is_active": True, "date_opened": None}
    closed = {"is_active": False, "date_opened": "2026-01-31"}
    assert await changes(world, close) == {
        2: ([], [EntityEdit(2, world.cases["trv-001"], None, opened, closed)])
    }


async def test_entity_history(world: EngineFixture) -> None:
    """Only what was done is history."""
    row = "jack-001,Jack,,,,,0"
    await world.run("modify-users", row, is_dry_run=True)
    import_id = await world.run("modify-users", "jill-001,,,,,,", row)

    [entry] = await world.fetch("SELECT * FROM entity_history")
    assert (entry["import_id"], entry["row"], entry["user_id"], entry["case_id"]) == (
        import_id,
        3,
        world.users["jack-001"],
        None,
    )
    assert json.loads(entry["before"]) == {"given_name": "", "is_active": True}
    assert json.loads(entry["after"]) == {"given_name": "Jack", "is_active": False}


async def test_several_changes(world: EngineFixture) -> None:
    """A row that has changed several things lists them all."""

    class Twins(Importer):
        label = "Twins"
        description = "Puts a user on two cases."
        columns: ClassVar = {
            "one": CaseRef(),
            "other": CaseRef(),
            "who": UserRef(),
            "role": RoleRef(),
        }

        def change(self, row: Row) -> Any:
            return [Assign(case=case, user=row.who, role=row.role) for case in (row.one, row.other)]

    twins = world.with_engine(twins=Twins("twins"))
    import_id = await twins.run(
        "twins", "trv-001,trv-003,jack-001,staff", header="one,other,who,role"
    )

    jack, state = world.users["jack-001"], Present(world.roles["staff"], False)
    found, others = (await changes(world, import_id))[2]
    assert not others
    assert found == [
        Edit(world.cases["trv-001"], jack, 2, None, state),
        Edit(world.cases["trv-003"], jack, 2, None, state),
    ]
