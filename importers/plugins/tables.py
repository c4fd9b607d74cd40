"""Plugins' own tables: whether they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.plugin_tables import find_unfit, find_unmigrated

if TYPE_CHECKING:
    from importers.plugins.registry import Registry
    from importers.sdk.plugin import Plugin
    from models.plugin_tables import FailedMigration, FailedTable


async def check_tables(registry: Registry, url: str) -> Registry:
    """Return the registry in which plugins that lack their tables are broken.

    Without their tables, their rows would fail one by one.

    Args:
        url: the database's; it is asked only if there are plugins with tables.

    Raises:
        OSError, asyncpg.PostgresError: the database can't be reached.
    """
    missing = await find_unmigrated(url, registry.migrations)
    tables = registry.own_tables
    unfit = await find_unfit(url, tables) if tables else {}
    return registry.without_tables(missing, unfit) if missing or unfit else registry


def owners(registry: Registry, failed: FailedMigration | FailedTable) -> list[str]:
    """Name the plugins that need what has failed."""
    return [
        f"{plugin.kind} '{plugin.name}'"
        for plugin in registry.plugins
        if plugin.instance and failed.needed in _needs(plugin.instance)
    ]


def _needs(plugin: Plugin) -> set[str | None]:
    return {plugin.migrations, *(record._declaration.name for record in plugin.tables)}
