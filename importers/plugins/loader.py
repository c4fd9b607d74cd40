"""Loading plugins: from entry points to instances, each under a guard."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import Guard
from importers.plugins.captured_output import CapturedOutput, log_line
from importers.plugins.class_checks import class_problems
from importers.plugins.plugin_settings import fill_settings
from importers.plugins.plugin_status import OWN_DISTRIBUTION, PluginStatus
from importers.sdk.errors import ConfigError
from importers.sdk.importer import Importer
from importers.sdk.validator import Validator
from importers.sdk.version import version_problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.metadata import EntryPoint

    from importers.plugins.plugin_status import Kind
    from importers.sdk.plugin import Plugin

_LOAD_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlugin:
    """A plugin's status, and its instance if it is on."""

    status: PluginStatus
    instance: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginLoader:
    """Loads the plugins of one kind.

    Args:
        points: the entry points of that kind, of all installed packages.
    """

    kind: Kind
    points: Sequence[EntryPoint]

    def load(self, tables: Mapping[str, Mapping[str, Any]]) -> list[LoadedPlugin]:
        """Load the plugins that are switched on, and list the installed ones that are not.

        Args:
            tables: name → settings of those that are switched on.

        Returns:
            the plugins sorted by name.
        """
        names = {point.name for point in self.points} | tables.keys()
        return [self._load(name, tables.get(name)) for name in sorted(names)]

    def _load(self, name: str, table: Mapping[str, Any] | None) -> LoadedPlugin:
        points = [point for point in self.points if point.name == name]
        distribution = _distribution(max(points, key=_is_own)) if points else None
        status = partial(PluginStatus, kind=self.kind, name=name, distribution=distribution)
        if table is None:
            problem = f"plugins.toml has no table [{self.kind}s.{name}]"
            return LoadedPlugin(status=status(state="off", problems=(problem,)))
        instance: Plugin | None = None
        problems: tuple[str, ...] = ()
        failure: Exception | None = None
        guard = Guard(f"{self.kind} {name!r}", call_seconds=_LOAD_SECONDS)
        printed: list[str] = []
        output = CapturedOutput(sys.stdout, printed.append)
        try:
            with redirect_stdout(output):
                instance = guard.call(self._instantiate, name, points, table)
        except ConfigError as error:
            problems = error.problems
        except Exception as error:
            problems, failure = (str(error) or type(error).__name__,), error
        output.pass_on = log_line  # the plugin may have kept it, as handlers of logs do
        return LoadedPlugin(
            instance=instance,
            status=status(
                state="broken" if instance is None else "on",
                problems=problems,
                label=getattr(instance, "label", None),
                error=failure,
                seconds=guard.spent,
                printed=tuple(printed),
            ),
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
        base: type[Plugin] = Importer if self.kind == "importer" else Validator
        if not (isinstance(found, type) and issubclass(found, base)):
            article = "an Importer" if base is Importer else "a Validator"
            raise ConfigError([f"{points[0].value} is not {article} class"])
        if issubclass(found, Importer):
            problems = class_problems(found)
        else:
            problems = [problem] if (problem := version_problem(found.sdk)) else []
        problems += _migrations_problems(found.migrations)
        if problems:
            raise ConfigError(problems)
        return found(name, fill_settings(found.Settings, table))


def migrations_name(module: str) -> str:
    """Name the migrations of `acme.rates.migrations` after the package, `acme_rates`."""
    return module.rpartition(".")[0].replace(".", "_")


def _migrations_problems(module: str | None) -> list[str]:
    if module is None:
        return []
    if migrations_name(module) in ("", "models"):
        return [f"its migrations must be a package inside one of its own, not '{module}'"]
    if find_spec(module) is None:
        return [f"its migrations '{module}' are not there"]
    return []


def _distribution(point: EntryPoint) -> str | None:
    return f"{point.dist.name} {point.dist.version}" if point.dist else None


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == OWN_DISTRIBUTION
