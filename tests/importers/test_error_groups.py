"""Groups are there when a large import has ended, and follow its rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from importers import error_groups
from importers.error_groups import group_after
from models.db import transaction
from models.error_group import group_errors
from models.retention import purge_step
from tests.importers.engine_fixture import EngineFixture

UNKNOWN = ("trv-001,jones-1,,staff,0", "trv-003,jones-1,,staff,0", "trv-009,jack-001,,staff,0")


async def groups(world: EngineFixture, import_id: int) -> list[tuple[str, int]]:
    rows = await world.fetch(
        "SELECT error ->> 'value', count FROM error_groups WHERE id >> 32 = $1 ORDER BY id",
        import_id,
    )
    return [(row[0], row[1]) for row in rows]


async def test_at_the_end(small: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a large import are made when it ends, those of a small one are not asked for yet."""
    world = replace(small, engine=replace(small.engine, on_end=[group_after]))
    few = await world.run("assign", *UNKNOWN)
    monkeypatch.setattr(error_groups, "_FEWEST_ROWS", 3)
    many = await world.run("assign", *UNKNOWN)

    assert await groups(world, few) == []
    assert await groups(world, many) == [("jones-1", 2), ("trv-009", 1)]


async def test_after_a_retry(small: EngineFixture) -> None:
    """Rows that pass leave their group; one that fails otherwise is in another."""
    import_id = await small.run("assign", *UNKNOWN)
    async with transaction() as db:
        await group_errors(db, small.app_id, import_id)
    before = await groups(small, import_id)
    await small.retry(import_id, {2: {"user_id": "jones-001"}, 3: {"user_id": "jones-2"}})
    async with transaction() as db:
        await group_errors(db, small.app_id, import_id)

    assert before == [("jones-1", 2), ("trv-009", 1)]
    assert await groups(small, import_id) == [("jones-2", 1), ("trv-009", 1)]


async def test_a_retry_while_they_are_made(small: EngineFixture) -> None:
    """Groups that were made while a retry began do not count as those of any end."""
    import_id = await small.run("assign", *UNKNOWN)
    await small.request_retry(import_id)
    async with transaction() as db:
        await group_errors(db, small.app_id, import_id)

    assert (await small.fetchrow("SELECT grouped_at FROM imports"))["grouped_at"] is None
    assert await groups(small, import_id) == []


async def test_they_go_with_the_rows(small: EngineFixture) -> None:
    """When the rows of an import are removed, so are its groups."""
    import_id = await small.run("assign", *UNKNOWN)
    async with transaction() as db:
        await group_errors(db, small.app_id, import_id)
        assert await purge_step(db, import_id, 0)

    assert await groups(small, import_id) == []
