"""The database as one app sees it: resolvers have no other way to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from api.access.quota import Turn
from models.db import undisturbed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Awaitable, Callable

    from asyncpg import Connection

    from api.access.quota import FairLock
    from models.app_pool import AppPool

P = ParamSpec("P")
T = TypeVar("T")


class Scope:
    """Calls functions of `models` with a connection and the app of the token.

    Every function takes both as its first arguments, so that none can be called without an app.
    The connection hides the rows of other apps: a function that forgot the app would leak nothing.

    Args:
        places: limits the token's connections, so that it can't take all of the pool.
    """

    def __init__(self, pool: AppPool, app_id: int, places: asyncio.Semaphore) -> None:
        self.app_id = app_id
        self._pool = pool
        self._places = places
        self._turn: Turn | None = None

    @asynccontextmanager
    async def in_turn(self, lock: FairLock) -> AsyncIterator[None]:
        """Hold a lock for the length of a block, except while the database reads."""
        self._turn = Turn(lock)
        async with self._turn:
            yield

    async def read(
        self,
        function: Callable[Concatenate[Connection, int, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function on a connection on which every statement is a transaction of its own."""

        async def call() -> T:
            # The place first: a token that has used up its places waits without holding a
            # connection.
            async with self._places, self._pool.connection(self.app_id) as db:
                return await function(db, self.app_id, *args, **kwargs)

        read = undisturbed(call())
        return await (self._turn.wait_for(read) if self._turn else read)

    async def write(
        self,
        function: Callable[Concatenate[Connection, int, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function in a transaction, which an exception rolls back."""

        async def call() -> T:
            async with self._places, self._pool.transaction(self.app_id) as db:
                return await function(db, self.app_id, *args, **kwargs)

        return await undisturbed(call())
