"""The directory of what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from importers import Case, Directory, User
from importers.rows.stored_directory import StoredDirectory
from importers.testing import Assigned, World
from importers.testkit.fixture_app import WorldDirectory
from models.db import transaction
from tests.importers.engine_fixture import EngineFixture, make_world


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


async def found_by(directory: Directory, cases: Mapping[str, int], users: Mapping[str, int]) -> Any:
    """Return what is found of all cases and users, by Tag IDs."""
    cases_of = await directory.cases_of([*users.values(), *users.values(), 0])
    users_of = await directory.users_of([*cases.values(), 0])
    keys = [{id_: tag for tag, id_ in each.items()} for each in (users, cases)]
    return [
        {
            names[key]: [(e.case.tag_id, e.user.tag_id, e.role.key, e.notify) for e in listed]
            for key, listed in found.items()
        }
        for names, found in zip(keys, (cases_of, users_of), strict=True)
    ]


async def test_all_assignments(world: EngineFixture) -> None:
    """All assignments of users, and to cases, are found in one order; the test world has the same.
    Another app has none of them."""
    await world.put(
        ("trv-002", "jack-001", "clients", 1),
        ("trv-001", "jack-001", "staff", 0),
        ("trv-001", "gone-001", "default", 0),
    )
    other = await make_world(slug="other")
    memory = World(
        cases=[Case(id=id_, tag_id=tag) for tag, id_ in world.cases.items()],
        users=[User(id=id_, tag_id=tag) for tag, id_ in world.users.items()],
        assignments=[
            Assigned(case="trv-002", user="jack-001", role="clients", notify=True),
            Assigned(case="trv-001", user="jack-001", role="staff"),
            Assigned(case="trv-001", user="gone-001", role="default"),
        ],
    )
    async with transaction() as db:
        found = await found_by(StoredDirectory(db, world.app_id), world.cases, world.users)
        others = await found_by(StoredDirectory(db, other.app_id), world.cases, world.users)
        (jack,) = (
            await StoredDirectory(db, world.app_id).cases_of([world.users["jack-001"]])
        ).values()

    first, second = (
        ("trv-001", "jack-001", "staff", False),
        ("trv-002", "jack-001", "clients", True),
    )
    gone = ("trv-001", "gone-001", "default", False)
    assert found == [
        {"jack-001": [first, second], "gone-001": [gone]},
        {"trv-001": [first, gone], "trv-002": [second]},
    ]
    assert found == await found_by(WorldDirectory(memory), world.cases, world.users)
    assert others == [{}, {}]
    assert [each.case.is_active for each in jack] == [True, False]
    assert jack[0].user is jack[1].user
    assert jack[0].user.email == "jack-001@example.org"


async def test_too_many_assignments(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that would find too many says so."""
    for module in ("importers.rows.stored_directory", "importers.testkit.fixture_app"):
        monkeypatch.setattr(f"{module}.MOST_ASSIGNMENTS", 1)
    await world.put(("trv-001", "jack-001", "staff", 0), ("trv-001", "gone-001", "staff", 0))
    memory = World(
        assignments=[
            Assigned(case="trv-001", user=user, role="staff") for user in ("jack-001", "jones-001")
        ]
    )
    fault = "the look-up finds more than 100,000 assignments: ask for fewer users or cases at once"
    async with transaction() as db:
        directory = StoredDirectory(db, world.app_id)
        with pytest.raises(ValueError, match=fault):
            await directory.users_of([world.cases["trv-001"]])
        assert len(await directory.cases_of([world.users["jack-001"]])) == 1
    with pytest.raises(ValueError, match=fault):
        await WorldDirectory(memory).users_of([1])
