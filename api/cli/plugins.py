"""`caseroll importers`: which plugins are on, off or broken."""

from __future__ import annotations

import logging
from dataclasses import asdict

import click

from api.cli.output import json_option, print_json, print_table
from api.settings import plugins_file, process_environment
from importers.registry import Registry, load


@click.command()
@json_option
def importers(*, as_json: bool) -> None:
    """List the importer plugins on this machine: on, off, or broken and why."""
    plugins = [asdict(plugin) for plugin in load_quietly(process_environment()).plugins]
    if as_json:
        print_json(plugins)
        return
    columns = ["name", "state", "label", "distribution", "reason"]
    print_table(columns, [[plugin[column] for column in columns] for plugin in plugins])


def load_quietly(environ: dict[str, str]) -> Registry:
    """Load the plugins without a log line for each broken one: API and workers write that.

    Raises:
        ConfigError: plugins.toml is wrong, or a plugin of Caseroll's own is broken.
    """
    log = logging.getLogger("importers")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        return load(plugins_file(environ))
    finally:
        log.setLevel(level)
