"""`caseroll importers`: which plugins are on, off or broken."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import click

from api.cli.folder import DataFolder, folder_option
from api.cli.output import is_for_people, json_option, print_json, print_table
from api.processes.exit_code import EXIT_SOME_FAILED
from api.schema.importing.plugin_descriptions import plain
from api.settings import plugins_file, process_environment
from importers.plugins.registry import Registry, load
from importers.plugins.tables import check_tables
from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.plugins.plugin_status import PluginStatus

_FIELDS = ["kind", "name", "state", "problems", "label", "distribution"]
_COLUMNS = ["kind", "name", "state", "label", "distribution"]


@click.command()
@click.option("--check", is_flag=True, help="List only what is wrong; exit code 2 if anything is.")
@json_option
@folder_option
def importers(*, check: bool, as_json: bool, folder: DataFolder) -> int:
    """List the plugins here, importers, readers and validators: on, off, or broken.

    The exit code is 1 when a plugin that is switched on is broken. Whether plugins have their
    tables is looked up in the database of DATABASE_URL, or of the local `caseroll up`.
    """
    url = process_environment().get("DATABASE_URL", "").strip() or folder.read("database.url")
    if check:
        load_whole(process_environment(), url)
        return 0
    registry = load(plugins_file(process_environment()))
    with suppress(OSError, asyncpg.PostgresError):  # the list is of use without the database, too
        registry = asyncio.run(check_tables(registry, url)) if url else registry
    plugins = [
        # Control characters of a plugin's texts could change the terminal.
        replace(
            plugin,
            label=None if plugin.label is None else plain(plugin.label),
            problems=tuple(map(plain, plugin.problems)),
        )
        for plugin in registry.plugins
    ]
    if as_json:
        print_json([{name: getattr(plugin, name) for name in _FIELDS} for plugin in plugins])
    else:
        _print_plugins(plugins)
    is_broken = any(plugin.state == "broken" for plugin in plugins)
    return EXIT_SOME_FAILED if is_broken else 0


def load_whole(environ: dict[str, str], url: str | None) -> Registry:
    """Load the plugins that are switched on, all or none; not to be called in an event loop.

    Args:
        url: the database, which knows whether plugins have their tables; None asks none.

    Raises:
        ConfigError: plugins.toml is wrong, or plugins are broken; it names every problem.
        OSError, asyncpg.PostgresError: the database can't be reached.
    """
    registry = load(plugins_file(environ))
    if url:
        registry = asyncio.run(check_tables(registry, url))
    if registry.problems:
        raise ConfigError(registry.problems)
    return registry


def _print_plugins(plugins: Sequence[PluginStatus]) -> None:
    """Print a table; in a terminal, problems follow it on lines of their own, at full length."""
    columns = _COLUMNS if is_for_people() else [*_COLUMNS, "reason"]
    print_table(columns, [[getattr(plugin, column) for column in columns] for plugin in plugins])
    for plugin in plugins:
        if plugin.state != "off" and plugin.problems and is_for_people():
            click.echo()
            click.secho(f"The {plugin.kind} {plugin.name} is {plugin.state}:", bold=True)
            for problem in plugin.problems:
                click.echo(f"  {problem}")
