"""Plugins' own tables: made as declared; migrations that failed, and that have not run."""

from __future__ import annotations

import asyncio
import logging
import pkgutil
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from models.own_table import addition, creation, find_misfit, read_table
from models.session import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from asyncpg import Connection

    from models.own_table import OwnTable

log = logging.getLogger(__name__)

_LONGEST_STATEMENT = 300
_LOCK_SECONDS = 2
_HOW = "run `caseroll migrate`"
_BY_HAND = "change it by a migration of the plugin's own, or declare it as it is"


class FailedMigration(NamedTuple):
    """A migration of a plugin that has failed, and with it those after it.

    Args:
        package: the package of the plugin's migrations.
        file: the migration's file; the package's, if none of its migrations could begin.
        reason: the error.
        statement: what PostgreSQL refused, shortened; blank if it was something else.
    """

    package: str
    file: str
    reason: str
    statement: str

    @property
    def needed(self) -> str:
        """What plugins that need it have: the package."""
        return self.package

    @classmethod
    def of(cls, package: str, module: str | None, error: Exception) -> FailedMigration:
        """Describe the error of a migration, whose module is known if it had begun."""
        # Tortoise wraps some of PostgreSQL's errors.
        if isinstance(error.__cause__, Exception):
            error = error.__cause__
        spec = find_spec(f"{package}.{module}" if module else package)
        statement = " ".join((getattr(error, "query", None) or "").split())
        return cls(
            package,
            (spec.origin if spec else None) or package,
            f"{type(error).__name__}: {error}",
            f"{statement[:_LONGEST_STATEMENT]}…"
            if len(statement) > _LONGEST_STATEMENT
            else statement,
        )

    def __str__(self) -> str:
        statement = f", in: {self.statement}" if self.statement else ""
        return f"{self.file} failed: {self.reason}{statement}"


class FailedTable(NamedTuple):
    """A declared table that could not be made.

    Args:
        table: its name.
        reason: the error, or what is otherwise than it is declared.
    """

    table: str
    reason: str

    @property
    def needed(self) -> str:
        """What plugins that need it have: the table's name."""
        return self.table

    def __str__(self) -> str:
        return self.reason


async def make_tables(db: Connection, tables: Iterable[OwnTable]) -> list[FailedTable]:
    """Create the tables that plugins declare, and add columns that are new.

    Returns:
        those that could not be made; all others are as they are declared.
    """
    failed = []
    for table in tables:
        try:
            while not await _make_table(db, table):
                log.warning("waiting for what the table %s refers to: it is in use", table.name)
                await asyncio.sleep(_LOCK_SECONDS)
        except _MisfitError as error:
            failed.append(FailedTable(table.name, f"{error}; {_BY_HAND}"))
        except asyncpg.PostgresSyntaxOrAccessError as error:
            failed.append(FailedTable(table.name, f"its table '{table.name}': {error}"))
    return failed


class _MisfitError(Exception):
    """A table is stored otherwise than it is declared."""


async def _make_table(db: Connection, table: OwnTable) -> bool:
    """Create a table, or what it lacks; False if others use what it refers to."""
    try:
        async with db.transaction():
            # Every later statement on `cases` would queue behind one that waits for all of it.
            await db.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            stored = await read_table(db, table.name)
            if stored and (misfit := find_misfit(table, stored)):
                raise _MisfitError(misfit)
            for statement in addition(table, stored) if stored else creation(table):
                await db.execute(statement)
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def find_unfit(url: str, tables: Iterable[OwnTable]) -> dict[str, str]:
    """Find declared tables that are not there, or are otherwise: their names → what to do.

    Raises:
        OSError, asyncpg.PostgresError: the server can't be reached.
    """
    found = {}
    async with _connected(url) as db:
        for table in tables:
            stored = await read_table(db, table.name)
            if stored is None:
                found[table.name] = f"its table '{table.name}' is not there; {_HOW}"
            elif misfit := find_misfit(table, stored):
                found[table.name] = f"{misfit}; {_BY_HAND}"
            elif addition(table, stored):
                found[table.name] = f"its table '{table.name}' lacks a column; {_HOW}"
    return found


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    db = await connect(url, statement_cache_size=0)
    try:
        yield db
    finally:
        db.terminate()


async def find_unmigrated(url: str, plugins: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Find migrations of plugins that have not run, in their order.

    Args:
        plugins: the name of their migrations → the Python package.

    Returns:
        the same names, of those that lack some → the migrations' names.

    Raises:
        OSError, asyncpg.PostgresError: the server can't be reached.
    """
    if not plugins:
        return {}
    async with _connected(url) as db:
        has_any = await db.fetchval("SELECT to_regclass('tortoise_migrations') IS NOT NULL")
        query = "SELECT app, name FROM tortoise_migrations WHERE app = ANY($1::text[])"
        rows = await db.fetch(query, list(plugins)) if has_any else []
    done = {(row["app"], row["name"]) for row in rows}
    missing = {
        name: [each for each in _migration_names(package) if (name, each) not in done]
        for name, package in plugins.items()
    }
    return {name: names for name, names in missing.items() if names}


def _migration_names(package: str) -> list[str]:
    """List a package's migrations, as Tortoise does."""
    found = pkgutil.iter_modules(import_module(package).__path__)
    return sorted(name for _, name, is_package in found if not is_package and name[0] not in "_~")
