"""A real PostgreSQL and a real Valkey for the tests, from the wheels that Caseroll brings."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
import redis

from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
from models.db import migrate

# Nothing here has to survive a power cut.
UNSAFE_BUT_QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for the session, on a Unix socket; tests want `database_url`."""
    with (
        tempfile.TemporaryDirectory(prefix="caseroll-") as folder,
        EmbeddedPostgres(Path(folder, "postgres"), options=UNSAFE_BUT_QUICK) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    """One Valkey for the session, on a Unix socket; tests want `redis_url`."""
    with (
        tempfile.TemporaryDirectory(prefix="caseroll-") as folder,
        EmbeddedValkey(Path(folder, "valkey")) as server,
    ):
        yield server


@pytest.fixture(scope="session")
async def migrated(postgres: EmbeddedPostgres) -> str:
    """The name of a database with the newest schema, to make others from."""
    await _execute(postgres, "CREATE DATABASE migrated")
    await migrate(postgres.database_url("migrated"))
    return "migrated"


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[str]:
    """A new database with the newest schema and no rows."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {migrated} STRATEGY FILE_COPY")
    yield postgres.database_url(name)
    await _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A new database without any table, for what migrates by itself."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres, f"CREATE DATABASE {name}")
    yield postgres.database_url(name)
    await _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> Iterator[str]:
    """A broker with nothing in it."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        yield valkey.url


async def _execute(postgres: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
