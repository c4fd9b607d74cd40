"""The pool of connections outlives whatever happens to them."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from tortoise.backends.asyncpg.client import TransactionWrapper

from models.db import database, persist, transaction


async def test_what_has_to_be_written_waits_for_the_database(database_url: str) -> None:
    """It is tried again for as long as is said; other errors are not waited out."""
    tries = 0

    async def write(db: asyncpg.Connection) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise asyncpg.CannotConnectNowError

    async def fail(db: asyncpg.Connection) -> None:
        await db.execute("SELECT 1 / 0")

    async with database(database_url):
        given_up = await persist(write)
        written = await persist(write, seconds=10)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await persist(fail, seconds=10)

    assert (given_up, written, tries) == (False, True, 3)


async def test_connections_that_die_before_they_begin(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many connections turn out to be dead when a transaction begins on them, the pool
    loses none of its places, and the task gets another one."""
    real = TransactionWrapper.begin
    failures = iter([True] * 5)

    async def begin(self: TransactionWrapper) -> Any:
        if next(failures, False):
            raise asyncpg.ConnectionDoesNotExistError("connection was closed")
        return await real(self)

    monkeypatch.setattr(TransactionWrapper, "begin", begin)
    both = asyncio.Barrier(2)

    async def pid() -> int:
        async with transaction() as db:
            await both.wait()
            return int(await db.fetchval("SELECT pg_backend_pid()"))

    async with database(database_url, connections=2):
        for _ in range(5):
            with pytest.raises(asyncpg.ConnectionDoesNotExistError):
                async with transaction():
                    pass
        async with asyncio.timeout(10):
            pids = await asyncio.gather(pid(), pid())

    assert len(set(pids)) == 2
