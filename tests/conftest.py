"""A real PostgreSQL and a real Valkey for the tests, from the wheels that Caseroll brings."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings

from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
from models.db import migrate
from tests.database import data_folder, new_database

# The data need not survive a power cut, and lie in memory, where gigabytes of WAL would be a waste.
UNSAFE_BUT_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "256MB",
}
_numbers = count(1)

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests of root a temporary folder of their own.

    Root's PostgreSQL runs as another user, who has to pass through the folders above its data, and
    each pytest that starts on the machine closes the common one to other users.
    """
    if (
        os.geteuid() == 0 and config.option.basetemp is None
    ):  # the main process gives workers theirs
        config.option.basetemp = folder = tempfile.mkdtemp(prefix="caseroll-tests-")
        config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over modules and tests, which live to the end anyhow."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for the session, on a Unix socket; tests want `database_url`."""
    with (
        tempfile.TemporaryDirectory(prefix="caseroll-", dir=data_folder()) as folder,
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
async def migrated(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The name of a database with the newest schema, to make others from."""
    async with new_database(postgres, "migrated") as url:
        await migrate(url)
        yield "migrated"


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[str]:
    """A new database with the newest schema and no rows."""
    async with new_database(postgres, f"test_{next(_numbers)}", migrated) as url:
        yield url


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A new database without any table, for what migrates by itself."""
    async with new_database(postgres, f"test_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> Iterator[str]:
    """A broker with nothing in it."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        yield valkey.url


@pytest.fixture
def full_redis_url(redis_url: str) -> Iterator[str]:
    """A broker that answers and takes nothing."""
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory", 1)
        yield redis_url
        client.config_set("maxmemory", 0)
