"""The registry: which plugins are on, off or broken, as `plugins.toml` says."""

from __future__ import annotations

import logging
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from importers.isolation.guard import Guard
from importers.plugins.captured_output import PrintLog, log_line
from importers.plugins.class_checks import faults_of
from importers.plugins.missing_validator import MissingValidator
from importers.plugins.plugin_settings import fill_settings
from importers.plugins.plugins_file import default_path, read_tables
from importers.sdk.errors import ConfigError
from importers.sdk.importer import Importer
from importers.sdk.validator import Validator
from importers.sdk.version import unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from importers.sdk.plugin import Plugin

logger = logging.getLogger(__name__)

_OWN_DISTRIBUTION = "caseroll"
_LOAD_SECONDS = 30.0
_SLOW_SECONDS = 2.0

Kind: TypeAlias = Literal["importer", "validator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """What has become of one plugin.

    Args:
        kind: what it is.
        name: the entry point's name, which is the plugin's key.
        problems: why it is not on.
        label: what menus call it, when it could be loaded.
        distribution: the package that brings it, with its version.
        error: the exception that loading it has ended with, unless that only names the problems.
        seconds: how long loading it took.
        printed: what it printed meanwhile, a line each.
    """

    kind: Kind
    name: str
    state: Literal["on", "off", "broken"]
    problems: tuple[str, ...] = ()
    label: str | None = None
    distribution: str | None = None
    error: Exception | None = None
    seconds: float = 0.0
    printed: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """Why it is not on, in one line."""
        return "; ".join(self.problems) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The plugins that are on, and the state of every plugin.

    Args:
        importers: by key, sorted by label.
        validators: in the order of plugins.toml. One that is switched on and does not load has a
            stand-in that lets nothing through.
        plugins: importers first, each kind sorted by name.
        path: the file that says which plugins are on.
    """

    importers: Mapping[str, Importer]
    validators: Sequence[Validator]
    plugins: Sequence[PluginStatus]
    path: Path

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
        plugins: list[Plugin] = [*self.importers.values(), *self.validators]
        return {
            _migrations_name(plugin.migrations): plugin.migrations
            for plugin in plugins
            if plugin.migrations
        }


def load(path: Path | None = None, *, found: Iterable[EntryPoint] | None = None) -> Registry:
    """Load the plugins that the file switches on, without a word in the log: see `report`.

    A third party's importer that does not load is left out; its validator refuses every row.

    Args:
        path: the file; None for `plugins.toml` in the working folder, else the one that comes
            with Caseroll.
        found: the entry points to choose from; None for those of all installed packages.

    Raises:
        ConfigError: the file is wrong, or a plugin of Caseroll's own does not load.
    """
    path = path or default_path()
    tables = read_tables(path)
    importers = _Shelf("importer", Importer, tables["importers"], _points("importers", found))
    validators = _Shelf("validator", Validator, tables["validators"], _points("validators", found))
    on: list[Any] = sorted(importers.on.values(), key=lambda each: (each.label, each.key))
    registry = Registry(
        importers={importer.key: importer for importer in on},
        validators=[
            validators.on.get(name) or MissingValidator(name) for name in tables["validators"]
        ],
        plugins=(*importers.plugins, *validators.plugins),
        path=path,
    )
    _refuse_broken_own(registry)
    return registry


def report(registry: Registry) -> None:
    """Log how loading the plugins went: what they printed, which were slow, and what is broken."""
    for plugin in registry.plugins:
        for line in plugin.printed:
            log_line(line)
        if plugin.error:
            logger.error("%s %r does not load", plugin.kind, plugin.name, exc_info=plugin.error)
        if plugin.seconds > _SLOW_SECONDS:
            logger.warning("%s %r took %.1f s to load", plugin.kind, plugin.name, plugin.seconds)
    if registry.problems:
        logger.error(
            "%s: importers that are broken are left out; validators that are broken refuse every"
            " row.\n  %s",
            registry.path,
            "\n  ".join(registry.problems),
        )


def _refuse_broken_own(registry: Registry) -> None:
    """Stop when a plugin of Caseroll's own is broken, and say all that is."""
    own = [
        plugin
        for plugin in registry.plugins
        if plugin.state == "broken"
        and (plugin.distribution or "").startswith(f"{_OWN_DISTRIBUTION} ")
    ]
    if own:
        cause = next((plugin.error for plugin in own if plugin.error), None)
        raise ConfigError([f"{registry.path}: {line}" for line in registry.problems]) from cause


def _points(kind: str, found: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    group = f"caseroll.{kind}"
    if found is None:
        return list(entry_points(group=group))
    return [point for point in found if point.group == group]


class _Shelf:
    """All plugins of one kind.

    Args:
        tables: name → settings of those that are switched on.
        points: those that are installed.
    """

    def __init__(
        self,
        kind: Kind,
        base: type[Plugin],
        tables: Mapping[str, Mapping[str, Any]],
        points: Sequence[EntryPoint],
    ) -> None:
        self.kind = kind
        self.base = base
        self.on: dict[str, Any] = {}
        self.plugins: list[PluginStatus] = []
        for name in sorted({point.name for point in points} | tables.keys()):
            named = [point for point in points if point.name == name]
            self.plugins.append(self._load(name, named, tables.get(name)))

    def _load(
        self, name: str, points: Sequence[EntryPoint], table: Mapping[str, Any] | None
    ) -> PluginStatus:
        distribution = _distribution(max(points, key=_is_own)) if points else None
        state: Literal["on", "off", "broken"] = "on"
        problems: tuple[str, ...] = ()
        failure: Exception | None = None
        guard = Guard(f"{self.kind} {name!r}", call_seconds=_LOAD_SECONDS)
        printed: list[str] = []
        if table is None:
            state, problems = "off", (f"plugins.toml has no table [{self.kind}s.{name}]",)
        else:
            output = PrintLog(sys.stdout, printed.append)
            try:
                with redirect_stdout(output):
                    self.on[name] = guard.call(self._instantiate, name, points, table)
            except ConfigError as error:
                state, problems = "broken", error.problems
            except Exception as error:
                failure = error
                state, problems = "broken", (str(error) or type(error).__name__,)
            output.pass_on = log_line  # the plugin may have kept it, as handlers of logs do
        return PluginStatus(
            kind=self.kind,
            name=name,
            state=state,
            problems=problems,
            label=getattr(self.on.get(name), "label", None),
            distribution=distribution,
            error=failure,
            seconds=guard.spent,
            printed=tuple(printed),
        )

    def _instantiate(
        self, name: str, points: Sequence[EntryPoint], table: Mapping[str, Any]
    ) -> Plugin:
        if not points:
            raise ConfigError([f"no installed package offers this {self.kind}"])
        if len(points) > 1:
            packages = " and ".join(str(_distribution(point)) for point in points)
            raise ConfigError([f"two packages offer it: {packages}"])
        found = points[0].load()
        if not (isinstance(found, type) and issubclass(found, self.base)):
            article = "an Importer" if self.base is Importer else "a Validator"
            raise ConfigError([f"{points[0].value} is not {article} class"])
        if issubclass(found, Importer):
            problems = faults_of(found)
        else:
            problems = [problem] if (problem := unfit(found.sdk)) else []
        problems += _wrong_migrations(found.migrations)
        if problems:
            raise ConfigError(problems)
        return found(name, fill_settings(found.Settings, table))


def _migrations_name(module: str) -> str:
    """Name the migrations of `acme.rates.migrations` after the package, `acme_rates`."""
    return module.rpartition(".")[0].replace(".", "_")


def _wrong_migrations(module: str | None) -> list[str]:
    if module is None:
        return []
    if _migrations_name(module) in ("", "models"):
        return [f"its migrations must be a package inside one of its own, not '{module}'"]
    if find_spec(module) is None:
        return [f"its migrations '{module}' are not there"]
    return []


def _distribution(point: EntryPoint) -> str | None:
    return f"{point.dist.name} {point.dist.version}" if point.dist else None


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == _OWN_DISTRIBUTION
