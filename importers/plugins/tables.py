"""Plugins' own tables: whether they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.plugin_tables import find_unmigrated

if TYPE_CHECKING:
    from importers.plugins.registry import Registry


async def check_tables(registry: Registry, url: str) -> Registry:
    """Return the registry in which plugins whose migrations have not run are broken.

    Without their tables, their rows would fail one by one.

    Args:
        url: the database's; it is asked only if there are plugins with migrations.

    Raises:
        OSError, asyncpg.PostgresError: the database can't be reached.
    """
    missing = await find_unmigrated(url, registry.migrations)
    return registry.without_tables(missing) if missing else registry
