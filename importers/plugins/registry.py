"""The registry: which plugins are on, off or broken, as `plugins.toml` says."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from importers.language.translator import Translator, own_translators, translators
from importers.plugins.captured_output import log_line
from importers.plugins.loader import load_plugins, migrations_name
from importers.plugins.plugin_reader import PluginReader
from importers.plugins.plugins_file import default_path, read_tables
from importers.sdk.errors import ConfigError
from importers.validation.missing_validator import MissingValidator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from importers.plugins.plugin_status import PluginStatus
    from importers.sdk.importer import Importer
    from importers.sdk.plugin import Plugin
    from importers.sdk.records.record import Record
    from importers.sdk.validator import Validator
    from models.own_table import OwnTable

logger = logging.getLogger(__name__)

_SLOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The plugins that are on, and the state of every plugin.

    Args:
        importers: by key, sorted by label.
        readers: in the order of plugins.toml, in which they are asked whether they take a file.
        validators: in the order of plugins.toml. One that is switched on and does not load has a
            stand-in that refuses every row.
        plugins: importers first, each kind sorted by name.
        path: the file that says which plugins are on.
        translators: what says their texts in each language.
    """

    importers: Mapping[str, Importer]
    validators: Sequence[Validator]
    plugins: Sequence[PluginStatus]
    path: Path
    translators: Mapping[str, Translator] = field(default_factory=own_translators)
    readers: Sequence[PluginReader] = ()

    @classmethod
    def of(
        cls,
        plugins: Sequence[PluginStatus],
        validators: Sequence[str],
        path: Path,
        readers: Sequence[str] = (),
    ) -> Registry:
        """Make it of the states of all plugins.

        Args:
            plugins: importers first, each kind sorted by name.
            validators: the names of those that are switched on, in their order.
            readers: likewise.
        """
        on = {(each.kind, each.name): each.instance for each in plugins if each.state == "on"}
        found = [each for (kind, _), each in on.items() if kind == "importer"]
        importers = sorted(found, key=lambda each: (each.label, each.key))
        return cls(
            importers={each.key: each for each in importers},
            readers=[
                PluginReader(on["reader", name]) for name in readers if ("reader", name) in on
            ],
            validators=[
                on.get(("validator", name)) or MissingValidator(name) for name in validators
            ],
            plugins=plugins,
            path=path,
            translators=translators(type(each) for each in on.values()),
        )

    def without_tables(
        self, missing: Mapping[str, Sequence[str]], unfit: Mapping[str, str]
    ) -> Registry:
        """Return the registry in which plugins that lack their tables are broken.

        Args:
            missing: the names of plugins' migrations → those that have not run.
            unfit: the names of tables that are not as they are declared → what to do.
        """
        plugins = [_without_tables(plugin, missing, unfit) for plugin in self.plugins]
        readers = [each.key for each in self.readers]
        validators = [each.key for each in self.validators]
        return Registry.of(plugins, validators, self.path, readers)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the plugins that are broken, a sentence each."""
        return [
            f"{plugin.kind} '{plugin.name}' is broken: {problem.rstrip('.')}."
            for plugin in self.plugins
            if plugin.state == "broken"
            for problem in plugin.problems
        ]

    @property
    def migrations(self) -> dict[str, str]:
        """The migrations of the plugins' own tables: their name → the Python package."""
        return {
            migrations_name(plugin.migrations): plugin.migrations
            for plugin in self._instances
            if plugin.migrations
        }

    @property
    def own_tables(self) -> list[OwnTable]:
        """The tables that the plugins declare."""
        declared = {record for plugin in self._instances for record in plugin.tables}
        tables = [record._declaration.own_table for record in declared]
        return sorted(tables, key=lambda table: table.name)

    @property
    def _instances(self) -> list[Plugin]:
        return [*self.importers.values(), *self.validators]


def _without_tables(
    plugin: PluginStatus, missing: Mapping[str, Sequence[str]], unfit: Mapping[str, str]
) -> PluginStatus:
    if plugin.instance is None:
        return plugin
    package = plugin.instance.migrations
    names = missing.get(migrations_name(package), ()) if package else ()
    problems = [f"its migration '{name}' has not run; run `caseroll migrate`" for name in names[:1]]
    tables = [record._declaration.name for record in _records_of(plugin)]
    problems += [unfit[table] for table in tables if table in unfit]
    return _broken(plugin, problems) if problems else plugin


def _without_doubles(plugins: Sequence[PluginStatus]) -> list[PluginStatus]:
    """Return the plugins, of which those are broken that declare one table in two ways."""
    declared: dict[str, set[type[Record]]] = defaultdict(set)
    for plugin in plugins:
        for record in _records_of(plugin):
            declared[record._declaration.name].add(record)
    doubled = {name for name, records in declared.items() if len(records) > 1}
    found = []
    for plugin in plugins:
        names = [record._declaration.name for record in _records_of(plugin)]
        problems = [f"two classes declare the table '{each}'" for each in names if each in doubled]
        found.append(_broken(plugin, problems) if problems else plugin)
    return found


def _records_of(plugin: PluginStatus) -> Sequence[type[Record]]:
    return plugin.instance.tables if plugin.instance else ()


def _broken(plugin: PluginStatus, problems: Sequence[str]) -> PluginStatus:
    return replace(plugin, state="broken", problems=tuple(problems), instance=None)


def load(path: Path | None = None, *, found: Iterable[EntryPoint] | None = None) -> Registry:
    """Load the plugins that the file switches on; `report` logs how that went.

    A third party's importer or reader that does not load is left out; its validator refuses every
    row.

    Args:
        path: the file; None for `plugins.toml` in the working folder, else the one that comes
            with Caseroll.
        found: the entry points to choose from; None for those of all installed packages.

    Raises:
        ConfigError: the file is wrong, or a plugin of Caseroll's own does not load.
    """
    path = path or default_path()
    tables = read_tables(path)
    importers = load_plugins("importer", tables["importers"], found)
    readers = load_plugins("reader", tables["readers"], found)
    validators = load_plugins("validator", tables["validators"], found)
    plugins = _without_doubles([*importers, *readers, *validators])
    registry = Registry.of(plugins, list(tables["validators"]), path, list(tables["readers"]))
    # These come with the release: if one does not load, the installation is broken as a whole.
    own = [plugin for plugin in registry.plugins if plugin.state == "broken" and plugin.is_own]
    if own:
        cause = next((plugin.error for plugin in own if plugin.error), None)
        raise ConfigError([f"{registry.path}: {line}" for line in registry.problems]) from cause
    return registry


def report(registry: Registry) -> None:
    """Log what plugins printed while they were loaded, which were slow, and which are broken."""
    for plugin in registry.plugins:
        for line in plugin.printed:
            log_line(line)
        if plugin.error:
            logger.error("%s %r does not load", plugin.kind, plugin.name, exc_info=plugin.error)
        if plugin.state == "on" and plugin.problems:
            logger.warning("%s %r: %s", plugin.kind, plugin.name, plugin.reason)
        if plugin.seconds > _SLOW_SECONDS:
            logger.warning("%s %r took %.1f s to load", plugin.kind, plugin.name, plugin.seconds)
    report_problems(registry)


def report_problems(registry: Registry, known: Sequence[str] = ()) -> None:
    """Log which plugins are broken, and why.

    Args:
        known: the problems that were logged before.
    """
    problems = [problem for problem in registry.problems if problem not in known]
    if problems:
        logger.error(
            "%s: importers and readers that are broken are left out; validators that are broken"
            " refuse every row.\n  %s",
            registry.path,
            "\n  ".join(problems),
        )
