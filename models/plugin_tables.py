"""Migrations of plugins' own tables: those that failed, and those that have not run."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from models.session import connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST_STATEMENT = 300


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
    db = await connect(url, statement_cache_size=0)
    try:
        has_any = await db.fetchval("SELECT to_regclass('tortoise_migrations') IS NOT NULL")
        query = "SELECT app, name FROM tortoise_migrations WHERE app = ANY($1::text[])"
        rows = await db.fetch(query, list(plugins)) if has_any else []
    finally:
        db.terminate()
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
