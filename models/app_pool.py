"""Connections that show one app at a time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from models.db import connection
from models.row_security import SETTING, find_role, is_row_security_active
from models.session import TIMEOUTS, pool_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Connection, Pool

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 10
# Each list and search of an API has an index, and is to use it:
# - A sort of all rows of an app seems cheap while a table has no statistics.
# - A scan of a table seems cheap where many rows have a word, as PostgreSQL takes the making of
#   their words to cost a tenth of what it does.
# - To compile a statement takes longer than to run it.
_PLANNING = {"enable_seqscan": "off", "enable_sort": "off", "jit": "off"}
_NO_ROW_SECURITY = "row-level security is off; `caseroll migrate` says why, or switches it on"
_ROLE_LOST = (
    "sessions lose the role that they are given: something between Caseroll and PostgreSQL, a"
    " pooler, resets them. Let DATABASE_URL name PostgreSQL itself."
)


class _AppConnection(asyncpg.Connection):  # type: ignore[misc]
    app_id: int | None = None

    async def show(self, app_id: int) -> None:
        """Show the rows of an app; sends nothing when the last loan was for the same app."""
        if self.app_id != app_id:
            # If the statement fails or is cancelled, it is unknown which app the session shows.
            self.app_id = None
            # SET takes no parameters; the format lets nothing but a number into the text.
            await self.execute(f"SET {SETTING} = {app_id:d}")
            self.app_id = app_id


class AppPool:
    """Lends connections for one app each: PostgreSQL hides the rows of all others.

    The app is set for the session, not for a transaction, which would cost each read two more
    round trips. Every loan names its app, so no loan sees the app of the one before.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self, app_id: int) -> AsyncIterator[Connection]:
        """Borrow a connection on which every statement is a transaction of its own."""
        async with self._pool.acquire() as db:
            await db.show(app_id)
            yield db

    @asynccontextmanager
    async def transaction(self, app_id: int) -> AsyncIterator[Connection]:
        """Borrow a connection for a transaction, which an exception rolls back."""
        async with self.connection(app_id) as db, db.transaction():
            yield db


@asynccontextmanager
async def open_app_pool(url: str, *, connections: int) -> AsyncIterator[AppPool]:
    """Open the pool; the database must be open.

    Where the role could not be created, the pool works without row-level security, and the log
    says so.

    Raises:
        OSError, asyncpg.PostgresError: the server can't be reached.
    """
    async with connection() as db:
        role = await find_role(db)
    pool = await asyncpg.create_pool(
        **pool_options(url, TIMEOUTS | _PLANNING | ({"role": role} if role else {})),
        min_size=1,
        max_size=connections,
        connection_class=_AppConnection,
    )
    try:
        async with pool.acquire() as db:
            # A pooler may reset sessions between two statements.
            if role is not None and not await is_row_security_active(db):
                raise PermissionError(_ROLE_LOST)
            if role is None:
                log.warning(_NO_ROW_SECURITY)
        yield AppPool(pool)
    finally:
        # `close` waits for every loan; a query that hangs must not keep the process from ending.
        try:
            await asyncio.wait_for(pool.close(), _CLOSE_SECONDS)
        except TimeoutError:
            pool.terminate()
