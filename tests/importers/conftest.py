"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from api.processes.embedded_postgres import EmbeddedPostgres
from models.db import connection, database
from tests.database import delete_all_rows, new_database
from tests.importers.engine_fixture import EngineFixture, make_world


@pytest.fixture(scope="module")
async def module_database_url(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[str]:
    """A database with the newest schema for all tests of a module."""
    async with new_database(postgres, "engine", migrated) as url:
        yield url


@pytest.fixture(scope="module")
async def opened(module_database_url: str) -> AsyncIterator[None]:
    """The module's database, open."""
    async with database(module_database_url, connections=8):
        yield


@pytest.fixture
async def emptied(opened: None) -> None:
    """An open database without any row."""
    async with connection() as db:
        await delete_all_rows(db)


@pytest.fixture
async def world(emptied: None) -> EngineFixture:
    """An app with four cases and four users, and an engine with chunks of 1,000 rows."""
    return await make_world()


@pytest.fixture
async def small(world: EngineFixture) -> EngineFixture:
    """The same world, with chunks of three rows."""
    return world.with_engine(chunk_rows=3)
