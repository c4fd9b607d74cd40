"""Two at the same assignments: imports, or an import and somebody else."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import asyncpg
import pytest

from models.database_url import credentials
from tests.importers.engine_fixture import EngineFixture, Result


@pytest.mark.parametrize("type_", ["assign", "modify", "remove"])
async def test_two_imports_over_the_same_pairs(world: EngineFixture, type_: str) -> None:
    """Two imports that touch the same assignments in opposite orders both end, and the outcome
    is that of one after the other."""
    pairs = [
        (case, user)
        for case in ("trv-001", "trv-003", "trv-004")
        for user in ("jack-001", "jones-001", "jill-001")
    ]
    if type_ != "assign":
        await world.put(*[(*pair, "default", 0) for pair in pairs])
    small = world.with_engine(chunk_rows=2)
    cells = {"assign": "{0},{1},,{2},0", "modify": "{0},{1},{2},", "remove": "{1},{0}"}[type_]
    imports = [
        await small.split(type_, *[cells.format(*pair, role) for pair in order])
        for role, order in (("staff", pairs), ("clients", pairs[::-1]))
    ]
    await asyncio.gather(*[small.persevere(import_id) for import_id in imports * 2])
    counts = [await small.counts(import_id) for import_id in imports]
    states = await small.assignments()

    assert {count.status for count in counts} <= {"PROCESSED", "FAILED"}
    assert sum(count.passed + count.failed for count in counts) == 18
    if type_ == "assign":
        assert sum(count.created for count in counts) == sum(count.failed for count in counts) == 9
    elif type_ == "modify":
        assert sum(count.updated for count in counts) == 18
        assert {role for role, _ in states.values()} <= {"staff", "clients"}
    else:
        assert sum(count.removed for count in counts) == 9
        assert states == {}
    for pair in pairs:
        assert await follows(small, pair)


async def follows(world: EngineFixture, pair: tuple[str, str]) -> bool:
    """Tell whether each change of an assignment begins where the one before has ended."""
    rows = await world.fetch(
        "SELECT before_role_id, after_role_id FROM assignment_history"
        " WHERE case_id = $1 AND user_id = $2 ORDER BY id",
        world.cases[pair[0]],
        world.users[pair[1]],
    )
    return all(one[1] == two[0] for one, two in pairwise(rows))


async def behind(url: str, world: EngineFixture, statement: str, import_id: int) -> None:
    """Run the import's chunk while somebody else has run a statement and not yet committed it."""
    other = await asyncpg.connect(**credentials(url))
    change = other.transaction()
    await change.start()
    await other.execute(statement, world.cases["trv-001"], world.users["jack-001"])
    task = asyncio.create_task(world.engine.run(import_id))
    for _ in range(300):
        if await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            break
        await asyncio.sleep(0.01)
    await change.commit()
    await task
    await other.close()


async def test_assigned_meanwhile(world: EngineFixture, module_database_url: str) -> None:
    """A pair that somebody else assigns while a chunk is run is read again and decided anew."""
    rows = ["trv-001,jack-001,,staff,0", "trv-003,jack-001,,staff,0"]
    import_id = await world.split("assign", *rows)
    insert = f"""
        INSERT INTO assignments (app_id, case_id, user_id, role_id)
        VALUES ({world.app_id}, $1, $2, {world.roles["clients"]})
        """
    await behind(module_database_url, world, insert, import_id)

    assert await world.results(import_id) == {
        2: Result("FAILED", codes=("ALREADY_ASSIGNED",)),
        3: Result("CREATED"),
    }


async def test_removed_meanwhile(world: EngineFixture, module_database_url: str) -> None:
    """A pair that somebody else removes while a chunk waits for it is not there any more."""
    await world.put(("trv-001", "jack-001", "staff", 0))
    import_id = await world.split("modify", "trv-001,jack-001,clients,")
    delete = "DELETE FROM assignments WHERE case_id = $1 AND user_id = $2"
    await behind(module_database_url, world, delete, import_id)

    assert await world.results(import_id) == {2: Result("FAILED", codes=("NOT_ASSIGNED",))}


async def test_changed_meanwhile(world: EngineFixture, module_database_url: str) -> None:
    """A pair that somebody else changes while a chunk waits for it is changed from there."""
    await world.put(("trv-001", "jack-001", "staff", 0))
    import_id = await world.split("modify", "trv-001,jack-001,clients,")
    update = "UPDATE assignments SET notify = true WHERE case_id = $1 AND user_id = $2"
    await behind(module_database_url, world, update, import_id)

    assert await world.history(import_id) == [(2, "trv-001", "jack-001", "staff", 1, "clients", 1)]
