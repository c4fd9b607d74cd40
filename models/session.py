"""Sessions on PostgreSQL: how each is opened, and that a connection has one of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg

from models.database_url import credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from asyncpg import Connection

# PostgreSQL ends what hangs; cancelling from Python leaks connections.
# The lease of a chunk is a row lock: the limit for idle transactions frees it when a worker hangs.
TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
    "transaction_timeout": "60s",
}
_CONNECT_SECONDS = 10
# Two connections to a pooler that shares sessions may happen to get different ones for a while.
_LOOKS = 10
_SHARED = (
    "PostgreSQL is behind a pooler that shares sessions, such as PgBouncer in transaction mode, and"
    " Caseroll needs sessions of its own: let DATABASE_URL name PostgreSQL itself, or a pooler in"
    " session mode."
)
_ENCODING = (
    "the database has the encoding %s, which can't store every name: create it with"
    " ENCODING 'UTF8' TEMPLATE template0."
)
# What a statement meets whose two messages went to different sessions.
_TORN = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)


class PoolerError(PermissionError):
    """A pooler shares the sessions of PostgreSQL among connections."""


async def connect(url: str, **options: Any) -> Connection:
    """Open a connection whose session has PostgreSQL's default settings.

    Args:
        options: of `asyncpg.connect`.

    Raises:
        DatabaseUrlError: the URL is refused.
        OSError, asyncpg.PostgresError: the server can't be reached, or refuses.
    """
    place, name = credentials(url), {"application_name": "caseroll"}
    try:
        return await asyncpg.connect(
            **place, timeout=_CONNECT_SECONDS, server_settings=name, **options
        )
    except TimeoutError as error:
        silence = f"PostgreSQL did not answer within {_CONNECT_SECONDS} seconds."
        raise TimeoutError(silence) from error
    except OSError as error:
        # The system's words name no host, and do not say that PostgreSQL is meant.
        message = f"PostgreSQL at {_name_hosts(place['host'])} can't be reached: {error}"
        raise ConnectionError(message) from error


def _name_hosts(hosts: str | list[str]) -> str:
    return hosts if isinstance(hosts, str) else ", ".join(hosts)


async def open_session(
    url: str,
    settings: Mapping[str, str],
    *_: object,
    connection_class: type[Connection] = asyncpg.Connection,
    **_of_pool: object,
) -> Connection:
    """Open a connection whose session has these settings, but for those that the server lacks.

    A connection does not begin with them: poolers refuse or ignore such parameters, and without
    limits of time no worker would recover. Other arguments are what a pool would connect with.
    """
    sql = """
        SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s(name, value)
        WHERE current_setting(name, true) IS NOT NULL
    """
    db = await connect(url, connection_class=connection_class)
    try:
        await db.fetch(sql, list(settings), list(settings.values()), timeout=_CONNECT_SECONDS)
    except BaseException:
        db.terminate()
        raise
    return db


def pool_options(url: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """Return options of `asyncpg.create_pool`: how it opens a session, and leaves it as it is."""
    return {"connect": partial(open_session, url, settings), "reset": _keep_session}


async def _keep_session(_: Connection) -> None:
    """Return a connection to the pool as it is: our settings end with their transaction.

    That spares each borrower a round trip. A transaction left open is rolled back in any event.
    """


@asynccontextmanager
async def first_session(url: str) -> AsyncIterator[Connection]:
    """Open the first connection of a process, for which it makes sure that sessions are its own.

    Raises:
        PermissionError: the database is not in UTF-8.
        PoolerError: sessions are shared, and so settings, locks and roles are those of others.
    """
    # Without named statements, which other connections that share the session may have as well.
    db = await connect(url, statement_cache_size=0)
    try:
        if await _is_shared(url, db):
            raise PoolerError(_SHARED)
        if (encoding := db.get_settings().server_encoding) != "UTF8":
            raise PermissionError(_ENCODING % encoding)
        yield db
    finally:
        # Closing would wait for a server that hangs.
        db.terminate()


async def _is_shared(url: str, db: Connection) -> bool:
    """Tell whether the connection gets several sessions, or one that others get as well."""
    try:
        # PostgreSQL tells each connection its process, which a cancel request names; poolers make
        # one up.
        if await _process(db) == db.get_server_pid():
            return False
        other = await connect(url, statement_cache_size=0)
        try:
            looks = {(await _process(db), await _process(other)) for _ in range(_LOOKS)}
        finally:
            other.terminate()
    except _TORN:
        return True
    return len(looks) > 1 or any(mine == theirs for mine, theirs in looks)


async def _process(db: Connection) -> int:
    number: int = await db.fetchval("SELECT pg_backend_pid()", timeout=_CONNECT_SECONDS)
    return number
