"""The database as one app sees it: resolvers have no other way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from models.db import undisturbed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from asyncpg import Connection

    from models.app_pool import AppPool

P = ParamSpec("P")
T = TypeVar("T")


class Scope:
    """Calls functions of `models` with a connection and the app of the token.

    Every function takes both as its first arguments, so that none can be called without an app.
    And the connection shows nothing of others: a function that forgot the app would still be right.

    Args:
        places: taken as long as a connection is, so that no token has all of them.
    """

    def __init__(self, pool: AppPool, app_id: int, places: asyncio.Semaphore) -> None:
        self._pool = pool
        self._app_id = app_id
        self._places = places

    async def read(
        self,
        function: Callable[Concatenate[Connection, int, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function on a connection on which every statement stands alone."""

        async def call() -> T:
            async with self._places, self._pool.connection(self._app_id) as db:
                return await function(db, self._app_id, *args, **kwargs)

        return await undisturbed(call())

    async def write(
        self,
        function: Callable[Concatenate[Connection, int, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function in a transaction, which an exception rolls back."""

        async def call() -> T:
            async with self._places, self._pool.transaction(self._app_id) as db:
                return await function(db, self._app_id, *args, **kwargs)

        return await undisturbed(call())
