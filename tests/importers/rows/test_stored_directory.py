"""The directory of what is stored."""

from __future__ import annotations

import asyncpg
import pytest

from importers.rows.stored_directory import StoredDirectory
from models.db import transaction
from tests.importers.engine_fixture import EngineFixture


async def test_a_role_created_meanwhile(world: EngineFixture) -> None:
    """An assignment is shown with its role, though that is newer than the roles read first."""
    pair = (world.cases["trv-001"], world.users["jack-001"])
    await world.put(("trv-001", "jack-001", "staff", 1))
    async with transaction() as db:
        directory = StoredDirectory(db, world.app_id)
        before = await directory.roles()
        await world.execute(
            "INSERT INTO roles (app_id, key, label) VALUES ($1, 'new', 'New')", world.app_id
        )
        await world.execute(
            "UPDATE assignments SET role_id = (SELECT id FROM roles WHERE key = 'new')"
        )
        found = await directory.assignments([pair])

    assert "new" not in before
    assert found[pair].role.key == "new"


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE users SET given_name = 'x' RETURNING id",
        "SELECT id FROM users FOR UPDATE",
        "SELECT nextval('users_id_seq')",
    ],
)
async def test_fetch_only_reads(world: EngineFixture, query: str) -> None:
    """What would write is refused, and the transaction goes on, and may write."""
    async with transaction() as db:
        directory = StoredDirectory(db, world.app_id)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await directory.fetch(query)
        rows = await directory.fetch("SELECT count(*) AS n FROM users WHERE given_name = 'x'")
        status = await db.execute("UPDATE users SET given_name = 'y' WHERE tag_id = 'jack-001'")

    assert (rows[0]["n"], status) == (0, "UPDATE 1")
