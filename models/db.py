"""The database: opening it, migrating it, and transactions on it."""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.context import get_current_context
from tortoise.migrations.api import migrate as run_migrations
from tortoise.transactions import in_transaction

from models.plugin_tables import FailedMigration, make_tables
from models.row_security import apply_row_security, is_row_security_active
from models.session import TIMEOUTS, first_session, pool_options
from models.statistics import analyze_changed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence

    from asyncpg import Connection

    from models.own_table import OwnTable
    from models.plugin_tables import FailedTable

    Progress = Callable[[str, str, str], object]

log = logging.getLogger(__name__)

T = TypeVar("T")

MODULES = (
    "models.app",
    "models.assignment",
    "models.audit",
    "models.case",
    "models.chunk",
    "models.download_link",
    "models.entity_history",
    "models.error_group",
    "models.file_part",
    "models.imports",
    "models.mail",
    "models.row",
    "models.user",
    "models.webhook",
)
_NOT_THE_OWNER = (
    "the user of DATABASE_URL does not own Caseroll's tables, and row-level security hides all rows"
    " from others: let it be the user of `caseroll migrate`."
)
# Other statements queue behind one that waits for a whole table, and wait 5 seconds at most.
_MIGRATION_SETTINGS = {"lock_timeout": "2s"}
_MIGRATION_PAUSE_SECONDS = 3.0
_MIGRATION_ATTEMPTS = 120
_IN_USE = "a table that is to be changed is in use by other transactions"
_WHOSE = "pg_stat_activity shows them, the oldest xact_start first."
# What another attempt may cure: lost and refused connections (55000: the database takes none),
# shutdown, deadlock, lock and statement time-outs, out of connections, memory or disk.
_PASSING = ("08", "40", "53", "55000", "55P03", "57", "25P03", "25P04")
# Of these, what no statement causes itself: all but time-outs and lost connections.
# 57014 is not among them: that is the limit for statements, so only 57P, a shutdown, is.
_INNOCENT = ("40", "53", "55000", "55P03", "57P")
# What asyncpg raises on a connection that is gone, or about to be: where PostgreSQL ends it while a
# statement is being sent, asyncpg finds it in a state that it did not expect.
_CLIENT_SIDE = asyncpg.InterfaceError | asyncpg.InternalClientError
# Well below the limit for idle transactions, also where the event loop is late.
_SIGN_SECONDS = 3.0
_PAUSE_SECONDS = 0.2


def tortoise_config(
    url: str,
    *,
    connections: int = 5,
    settings: Mapping[str, str] = TIMEOUTS,
    migrations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Build Tortoise's configuration.

    Args:
        connections: the most that the pool may hold.
        settings: those of PostgreSQL for each session.
        migrations: those of plugins' own tables: a name → the Python package.
    """
    options = {**pool_options(url, settings), "minsize": 1, "maxsize": connections}
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": options}},
        "apps": {
            name: {"models": models, "default_connection": "default", "migrations": package}
            for name, models, package in [
                ("models", list(MODULES), "models.migrations"),
                # Tortoise wants a module of models; `migrate` silences its warning that there are
                # none in this one.
                *((name, [package], package) for name, package in (migrations or {}).items()),
            ]
        },
        "use_tz": True,
        "timezone": "UTC",
    }


MIGRATIONS = tortoise_config("postgresql://localhost/none")
"""What `tortoise makemigrations` needs: it compares models, and connects to nothing."""


async def check_server(url: str) -> None:
    """Make sure that this process can work with the database.

    Raises:
        PermissionError: the user does not own the tables, which would look empty, or a pooler
            shares sessions.
        OSError, asyncpg.PostgresError: the server can't be reached.
    """
    async with first_session(url) as db:
        if await is_row_security_active(db):
            raise PermissionError(_NOT_THE_OWNER)


@asynccontextmanager
async def database(url: str, *, connections: int = 5) -> AsyncIterator[None]:
    """Open the database for this process and close it at the end.

    Only one event loop of a process may do so.

    Raises:
        PermissionError, OSError, asyncpg.PostgresError: as `check_server`.
    """
    await check_server(url)
    await Tortoise.init(
        config=tortoise_config(url, connections=connections),
        # The server runs its start-up in a task of its own: without the fallback, the tasks of
        # requests would not find the database.
        _enable_global_fallback=True,
    )
    try:
        yield
    finally:
        await Tortoise.close_connections()


async def migrate(
    url: str, plugins: Mapping[str, str] | None = None, tables: Sequence[OwnTable] = ()
) -> list[FailedMigration | FailedTable]:
    """Bring the schema up to date; several processes may try at once, one of them works.

    Args:
        plugins: the migrations of plugins' own tables: a name → the Python package.
        tables: those that plugins declare.

    Returns:
        the migrations of plugins that failed, and tables that could not be made; all others are up
        to date.

    Raises:
        PoolerError: a pooler shares sessions.
        TimeoutError: tables were in use for minutes.
        OSError, asyncpg.PostgresError: the server can't be reached.
    """
    # Tortoise connects by itself, so the lock needs a connection beside it; closing that frees it.
    async with first_session(url) as lock:
        await lock.execute("SELECT pg_advisory_lock(hashtext('caseroll migrate'))")
        await _migrate_in_time(url, {})
        migrations = await _migrate_plugins(url, plugins or {})
        # After migrations, which may change what is otherwise than it is declared.
        unfit = await make_tables(lock, tables)
        # One that is otherwise than it is declared may not be the plugin's at all.
        made = {table.name for table in tables} - {each.table for each in unfit}
        # A dump that was restored has none.
        await analyze_changed(lock)
        # Only now are all tables there, those of plugins as well. After statistics, which alone do
        # not make sessions plan again, and rights do.
        await apply_row_security(lock, made)
        return [*migrations, *unfit]


async def _migrate_plugins(url: str, plugins: Mapping[str, str]) -> list[FailedMigration]:
    """Run the migrations of all plugins together, as they may depend on one another.

    Where that fails, each plugin's are run by themselves, so that one can't hold up the others.
    """
    if plugins and await _migrate_plugin(url, plugins):
        tries = [await _migrate_plugin(url, {name: each}) for name, each in plugins.items()]
        return [failed for failed in tries if failed]
    return []


async def _migrate_plugin(url: str, plugins: Mapping[str, str]) -> FailedMigration | None:
    begun: list[tuple[str, str]] = []
    try:
        await _migrate_in_time(url, plugins, lambda _event, app, name: begun.append((app, name)))
    except Exception as error:
        if is_passing(error):
            raise
        name, module = begun[-1] if begun else (next(iter(plugins)), None)
        return FailedMigration.of(plugins[name], module, error)
    return None


async def _migrate_in_time(
    url: str, plugins: Mapping[str, str], progress: Progress | None = None
) -> None:
    attempts = 1
    while not await _migrate_tables(url, plugins, progress):
        if attempts == _MIGRATION_ATTEMPTS:
            raise TimeoutError(f"{_IN_USE}, also at attempt {attempts}; {_WHOSE}")
        log.warning("%s; trying again in %.0f s", _IN_USE, _MIGRATION_PAUSE_SECONDS)
        await asyncio.sleep(_MIGRATION_PAUSE_SECONDS)
        attempts += 1


async def _migrate_tables(url: str, plugins: Mapping[str, str], progress: Progress | None) -> bool:
    """Run all migrations that are due; False if one gave up, as a table is in use.

    Each is a transaction of its own, so the next attempt goes on with the one that gave up.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*has no models", category=RuntimeWarning)
            await run_migrations(
                config=tortoise_config(url, settings=_MIGRATION_SETTINGS, migrations=plugins),
                progress=progress,
            )
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return False
    finally:
        await Tortoise.close_connections()
    return True


@asynccontextmanager
async def transaction() -> AsyncIterator[Connection]:
    """Open a transaction; both the models and the connection it yields take part in it.

    Raises:
        asyncpg.PostgresError, OSError: untranslated, for `is_passing`.
    """
    async with AsyncExitStack() as stack:
        # Tortoise's transaction for the models, and its asyncpg connection for COPY and set-based
        # SQL.
        client = await _enter(in_transaction(), stack)
        yield client._connection


async def _enter(context: TransactionContext, stack: AsyncExitStack) -> Any:
    """Begin a transaction; where that fails on a dead connection, give the connection back.

    Tortoise would keep it: the pool would have one place less, and after some such failures every
    borrower would wait for ever; and the task would go on using the dead connection.
    """
    try:
        return await stack.enter_async_context(context)
    except BaseException:
        if isinstance(context, TransactionContextPooled) and hasattr(context, "token"):
            get_connections().reset(context.token)
            await context.client._parent._pool.release(context.client._connection)
        raise


@asynccontextmanager
async def connection() -> AsyncIterator[Connection]:
    """Borrow a connection on which every statement is a transaction of its own."""
    context = get_current_context()
    if context is None:
        raise RuntimeError("the database is not open: use models.db.database() first")
    async with context.db().acquire_connection() as db:
        yield db


async def allow_long(db: Connection, seconds: int, *, statements: bool = True) -> None:
    """Let this transaction and, unless told otherwise, each of its statements take these seconds.

    It may still not be idle for long (`keep_alive`): a worker that hangs must not hold it.
    PostgreSQL starts a new limit of a transaction only where there is none, so the old one is
    removed first.
    """
    set_limits = "SELECT set_config(name, $2, true) FROM pg_settings WHERE name = ANY($1::text[])"
    await db.execute(set_limits, ["transaction_timeout"], "0")
    limits = ["statement_timeout", "transaction_timeout"] if statements else ["transaction_timeout"]
    await db.execute(set_limits, limits, f"{seconds}s")


async def keep_alive(db: Connection, work: Awaitable[T]) -> T:
    """Wait for work that does not use the transaction, and keep that from being idle meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=_SIGN_SECONDS))[0]:
            await db.execute("SELECT 1")
    finally:
        await asyncio.wait([task])
    return task.result()


async def persist(write: Callable[[Connection], Awaitable[None]], *, seconds: float = 0) -> bool:
    """Write something, and try again for some seconds while the database can't be reached.

    Returns:
        False when it could not be reached.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            async with connection() as db:
                await write(db)
        except Exception as error:
            if not is_passing(error):
                raise
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return True


class RaceError(Exception):
    """Another transaction changed what was read: undo, read it again and decide again."""


def is_passing(error: BaseException) -> bool:
    """Tell whether another attempt may cure the error."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_PASSING)
    return isinstance(error, OSError | asyncio.TimeoutError | _CLIENT_SIDE)


def is_innocent(error: BaseException) -> bool:
    """Tell whether no statement of ours can have caused the error, however often it recurs."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_INNOCENT)
    return False


def is_misuse(error: BaseException, db: Connection) -> bool:
    """Tell a call that asyncpg can't carry out from a connection that was lost.

    A wrong number of arguments is one, or two statements at the same time.
    """
    return isinstance(error, _CLIENT_SIDE) and not db.is_closed()


async def undisturbed(work: Coroutine[object, object, T]) -> T:
    """Let work that must not be cancelled half-way end, even when the task that waits is cancelled.

    A cancel at the wrong moment would lose a connection of the pool for ever. Each piece of work is
    a task, because Tortoise ties a connection that died to its task.
    """
    return await asyncio.shield(asyncio.ensure_future(work))
