"""The database: opening it, migrating it, and transactions on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.context import get_current_context
from tortoise.migrations.api import migrate as run_migrations
from tortoise.transactions import in_transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from asyncpg import Connection

MODULES = (
    "models.app",
    "models.assignment",
    "models.case",
    "models.chunk",
    "models.mail",
    "models.row",
    "models.upload",
    "models.user",
)
# PostgreSQL ends what hangs; cancelling from Python leaks connections.
TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
    "transaction_timeout": "60s",
}
_TRANSACTION_TIMEOUT_SINCE = 17
_CONNECT_SECONDS = 10
# What another attempt may cure: lost and refused connections, shutdown, deadlock, lock and
# statement time-outs, out of connections, memory or disk.
_PASSING = ("08", "40", "53", "55P03", "57", "25P03", "25P04")


def credentials(url: str) -> dict[str, Any]:
    """Translate `postgresql://user:password@host:port/name?host=/socket/folder` for asyncpg."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    found: dict[str, Any] = {
        "host": query.pop("host", None) or parts.hostname or "127.0.0.1",
        "port": int(query.pop("port", None) or parts.port or 5432),
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.lstrip("/")) or "postgres",
    }
    if "sslmode" in query:
        found["ssl"] = query["sslmode"]
    return found


async def _keep_session(_: Connection) -> None:
    """Return a connection to the pool as it is: whatever we set, we set for a transaction.

    It spares each borrower a round trip. A transaction left open is rolled back in any event.
    """


def tortoise_config(
    url: str, *, connections: int = 5, server_settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Build Tortoise's configuration.

    Args:
        connections: the most that the pool may hold.
        server_settings: PostgreSQL settings of each connection.
    """
    options = {
        **credentials(url),
        "minsize": 1,
        "maxsize": connections,
        "timeout": _CONNECT_SECONDS,
        "reset": _keep_session,
        "server_settings": {"application_name": "caseroll", **(server_settings or {})},
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": options}},
        "apps": {
            "models": {
                "models": list(MODULES),
                "default_connection": "default",
                "migrations": "models.migrations",
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


MIGRATIONS = tortoise_config("postgresql://localhost/none")
"""What `tortoise makemigrations` needs: it compares models, and connects to nothing."""


@asynccontextmanager
async def database(url: str, *, connections: int = 5) -> AsyncIterator[None]:
    """Open the database for this process and close it at the end.

    Only one event loop of a process may do so.

    Raises:
        OSError, asyncpg.PostgresError: the server can't be reached.
    """
    settings = dict(TIMEOUTS)
    if await _server_version(url) < _TRANSACTION_TIMEOUT_SINCE:
        del settings["transaction_timeout"]
    await Tortoise.init(
        config=tortoise_config(url, connections=connections, server_settings=settings),
        _enable_global_fallback=True,
    )
    try:
        async with connection():
            pass
        yield
    finally:
        await Tortoise.close_connections()


async def _server_version(url: str) -> int:
    db = await asyncpg.connect(**credentials(url), timeout=_CONNECT_SECONDS)
    try:
        return int(db.get_server_version().major)
    finally:
        await db.close()


async def migrate(url: str) -> None:
    """Bring the schema up to date; several processes may try at once, one of them works."""
    lock = await asyncpg.connect(**credentials(url), timeout=_CONNECT_SECONDS)
    try:
        await lock.execute("SELECT pg_advisory_lock(hashtext('caseroll migrate'))")
        await run_migrations(config=tortoise_config(url))
    finally:
        await Tortoise.close_connections()
        await lock.close()


@asynccontextmanager
async def transaction() -> AsyncIterator[Connection]:
    """Open a transaction; both the models and the connection it yields take part in it.

    Raises:
        asyncpg.PostgresError, OSError: untranslated, for `is_passing`.
    """
    async with in_transaction() as client:
        yield client._connection


@asynccontextmanager
async def connection() -> AsyncIterator[Connection]:
    """Borrow a connection on which every statement is a transaction of its own."""
    context = get_current_context()
    if context is None:
        raise RuntimeError("the database is not open: use models.db.database() first")
    async with context.db().acquire_connection() as db:
        yield db


async def allow_long(db: Connection, seconds: int) -> None:
    """Let this transaction, and each of its statements, take as long as this.

    PostgreSQL takes a new limit for a transaction only where there is none, so it goes first.
    """
    set_limits = "SELECT set_config(name, $2, true) FROM pg_settings WHERE name = ANY($1::text[])"
    await db.execute(set_limits, ["transaction_timeout"], "0")
    await db.execute(
        set_limits, [name for name in TIMEOUTS if name != "lock_timeout"], f"{seconds}s"
    )


class RaceError(Exception):
    """Somebody else changed what was read meanwhile: undo, read it again and decide anew."""


def is_passing(error: BaseException) -> bool:
    """Tell whether another attempt may cure the error."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_PASSING)
    return isinstance(error, OSError | asyncio.TimeoutError | asyncpg.InterfaceError)
