"""Members of Tortoise that are not public, and that `models/db.py` uses."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.backends.base.client import TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.context import get_current_context
from tortoise.migrations.api import migrate
from tortoise.transactions import in_transaction

from models.db import database


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[None]:
    """The database, open."""
    async with database(database_url):
        yield


async def test_transaction(opened: None) -> None:
    """A transaction's client has the connection, the pool that it is of, and a token."""
    context = in_transaction()
    async with context as client:
        assert isinstance(context, TransactionContextPooled)
        assert isinstance(client._connection, asyncpg.pool.PoolConnectionProxy)
        assert context.client is client
        assert isinstance(context.client._parent._pool, asyncpg.Pool)
        assert context.token is not None


async def test_token(opened: None) -> None:
    """The token is what `get_connections().reset` takes, as `_enter` does after a failure."""
    context = in_transaction()
    assert isinstance(context, TransactionContextPooled)
    await context.__aenter__()
    get_connections().reset(context.token)
    await context.client.rollback()
    await context.client._parent._pool.release(context.client._connection)

    assert context.client._parent._pool.get_idle_size() > 0


async def test_current_context(opened: None) -> None:
    """The open database lends connections of asyncpg."""
    context = get_current_context()
    assert context is not None
    async with context.db().acquire_connection() as db:
        assert await db.fetchval("SELECT 1") == 1


def test_functions() -> None:
    """Opening and migrating take what they took."""
    assert {"config", "_enable_global_fallback"} <= inspect.signature(
        Tortoise.init
    ).parameters.keys()
    assert "config" in inspect.signature(migrate).parameters
