"""Changes counted by what was changed and how, of an app and of an import."""

from __future__ import annotations

from datetime import timedelta

from models.change_count import (
    NamedImport,
    count_changes_of_import,
    count_recent_changes,
    read_named_import,
)
from models.db import connection
from tests.importers.engine_fixture import EngineFixture, make_world

USERS = "username,given_name"


async def test_counts(world: EngineFixture) -> None:
    """Both sides of a change say what it was; without either, nobody knows."""
    assigned = await world.run("assign", "trv-001,jack-001,,staff,0", "trv-003,jack-001,,staff,0")
    modified = await world.run("modify", "trv-001,jack-001,clients,0")
    await world.run("remove", "jack-001,trv-003")
    await world.run("add-users", "jo@example.org,Jo", header=USERS)
    await world.run("modify-cases", "trv-001,,,New", "trv-003,,,New")
    await world.execute(
        "INSERT INTO entity_history (app_id, case_id, before, after) VALUES"
        " ($1, NULL, '{}', NULL), ($1, 7, NULL, NULL)",
        world.app_id,
    )
    async with connection() as db:
        recent = await count_recent_changes(db, world.app_id, timedelta(hours=1))
        none = await count_recent_changes(db, world.app_id, timedelta(seconds=-1))
        by_import = [
            await count_changes_of_import(db, world.app_id, each) for each in (assigned, modified)
        ]

    assert recent == {
        ("assignment", "CREATED"): 2,
        ("assignment", "UPDATED"): 1,
        ("assignment", "REMOVED"): 1,
        ("user", "CREATED"): 1,
        ("case", "UPDATED"): 2,
        ("other", "REMOVED"): 1,
    }
    assert none == {}
    assert by_import == [{("assignment", "CREATED"): 2}, {("assignment", "UPDATED"): 1}]


async def test_other_apps(world: EngineFixture) -> None:
    """What other apps change is not counted."""
    other = await make_world(slug="other")
    await other.run("assign", "trv-001,jack-001,,staff,0")
    async with connection() as db:
        found = await count_recent_changes(db, world.app_id, timedelta(hours=1))

    assert found == {}


async def test_an_import(world: EngineFixture) -> None:
    """An import has its name, its type and its number of rows."""
    import_id = await world.run("assign", "trv-001,jack-001,,staff,0", name="May")
    async with connection() as db:
        found = await read_named_import(db, import_id)

    assert found == NamedImport(id=import_id, name="May", type="assign", rows=1)
