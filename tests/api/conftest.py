"""The whole API, served by uvicorn on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from asyncpg import Connection

from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
from api.schema.definition import mend_introspection
from api.settings import Settings
from models.db import connection
from tests.api.api_fixture import Api, Server, make_world, serve
from tests.database import delete_all_rows, new_database


@pytest.fixture(scope="module")
async def module_settings(
    postgres: EmbeddedPostgres, migrated: str, valkey: EmbeddedValkey
) -> AsyncIterator[Settings]:
    """Settings with a database for all tests of a module."""
    async with new_database(postgres, "api", migrated) as url:
        yield Settings(database_url=url, redis_url=valkey.url)


@pytest.fixture(scope="session", autouse=True)
def _introspection() -> None:
    """Mend what the schemas of other test modules have set."""
    mend_introspection()


@pytest.fixture(scope="module")
async def server(module_settings: Settings) -> AsyncIterator[Server]:
    """The API, running for all tests of a module."""
    async with serve(module_settings) as server:
        yield server


@pytest.fixture
async def api(server: Server) -> AsyncIterator[Api]:
    """The API with a world of its own, and a client of it."""
    async with connection() as db:
        await delete_all_rows(db)
    async with aiohttp.ClientSession() as http:
        yield Api(server, http, await make_world())


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is sent to PostgreSQL while the test runs."""
    sent: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        monkeypatch.setattr(Connection, name, _recorded(getattr(Connection, name), sent))
    return sent


def _recorded(method: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    async def record(self: Connection, statement: str, *args: Any, **options: Any) -> Any:
        # Sent only when another app had the connection, or when it is new.
        if not statement.startswith("SET caseroll.app") and "SELECT set_config(" not in statement:
            sent.append(statement)
        return await method(self, statement, *args, **options)

    return record
