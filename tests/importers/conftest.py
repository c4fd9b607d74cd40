"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from api.processes.embedded_postgres import EmbeddedPostgres
from models.db import connection, database
from tests.importers.engine_fixture import EngineFixture, make_world


@pytest.fixture(scope="module")
async def module_database_url(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[str]:
    """A database with the newest schema for all tests of a module."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f"CREATE DATABASE engine TEMPLATE {migrated} STRATEGY FILE_COPY")
    yield postgres.database_url("engine")
    await admin.execute("DROP DATABASE engine WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="module")
async def opened(module_database_url: str) -> AsyncIterator[None]:
    """The module's database, open."""
    async with database(module_database_url, connections=8):
        yield


@pytest.fixture
async def emptied(opened: None) -> None:
    """An open database without any row."""
    async with connection() as db:
        tables = await db.fetchval(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'"
        )
        await db.execute(f"TRUNCATE {tables}")


@pytest.fixture
async def world(emptied: None) -> EngineFixture:
    """An app with four cases and four users, and an engine with chunks of 1,000 rows."""
    return await make_world()


@pytest.fixture
async def small(world: EngineFixture) -> EngineFixture:
    """The same world, with chunks of three rows."""
    return world.with_engine(chunk_rows=3)
