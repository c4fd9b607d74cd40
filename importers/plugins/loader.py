"""Loading plugins: from entry points to instances, each under a guard."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import Guard
from importers.isolation.process_limits import exits_refused
from importers.language.plugin_catalogue import catalogues_of
from importers.plugins.captured_output import CapturedOutput, log_line, logging_kept
from importers.plugins.change_methods import change_problems
from importers.plugins.column_names import name_problems
from importers.plugins.plugin_settings import fill_settings
from importers.plugins.plugin_status import OWN_DISTRIBUTION, PluginStatus
from importers.plugins.reader_checks import copy_problem, reader_problems
from importers.plugins.validator_methods import validator_problems
from importers.sdk.errors import ConfigError
from importers.sdk.importer import Importer
from importers.sdk.plugin import version_problem
from importers.sdk.reader import Reader
from importers.sdk.records.record import Record
from importers.sdk.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from importlib.metadata import EntryPoint

    from importers.plugins.plugin_status import Kind
    from importers.sdk.plugin import Plugin

_LOAD_SECONDS = 30.0
_BASES: dict[Kind, tuple[type[Plugin], str]] = {
    "importer": (Importer, "an Importer"),
    "reader": (Reader, "a Reader"),
    "validator": (Validator, "a Validator"),
}


def load_plugins(
    kind: Kind, tables: Mapping[str, Mapping[str, Any]], found: Iterable[EntryPoint] | None
) -> list[PluginStatus]:
    """Load the plugins that are switched on, and list the installed ones that are not, by name.

    Args:
        tables: name → settings of those that are switched on.
        found: entry points of any kind; None for those of all installed packages.
    """
    group = f"caseroll.{kind}s"
    installed = entry_points(group=group) if found is None else found
    points = [point for point in installed if point.group == group]
    names = {point.name for point in points} | tables.keys()
    return [
        _load(kind, name, [each for each in points if each.name == name], tables.get(name))
        for name in sorted(names)
    ]


def _load(
    kind: Kind, name: str, points: Sequence[EntryPoint], table: Mapping[str, Any] | None
) -> PluginStatus:
    # A package that is merely installed must neither replace one of our own nor stop the start.
    own = [point for point in points if _is_own(point)]
    passed_over = [] if table is None or not own else [each for each in points if each not in own]
    points = own or points
    distribution = _distribution(points[0]) if points else None
    status = partial(PluginStatus, kind=kind, name=name, distribution=distribution)
    if table is None:
        return status(state="off", problems=(f"plugins.toml has no table [{kind}s.{name}]",))
    instance: Plugin | None = None
    problems = tuple(
        f"{_distribution(each)} offers this {kind} as well; Caseroll's own is taken"
        for each in passed_over
    )
    failure: Exception | None = None
    guard = Guard(f"{kind} {name!r}", call_seconds=_LOAD_SECONDS)
    printed: list[str] = []
    kept = f"{guard.plugin} changes how this process logs; that was taken back"
    output = CapturedOutput(sys.stdout, printed.append)
    try:
        # What plugins print must not get between the lines of `caseroll importers --json`.
        with (
            redirect_stdout(output),
            exits_refused(),
            logging_kept(lambda: printed.append(kept)),
        ):
            instance = guard.call(_instantiate, kind, name, points, table)
    except ConfigError as error:
        problems += error.problems
    except Exception as error:
        problems, failure = (*problems, str(error) or type(error).__name__), error
    output.flush()
    output.pass_on = log_line  # the plugin may have kept it, as handlers of logs do
    return status(
        state="broken" if instance is None else "on",
        problems=problems,
        label=getattr(instance, "label", None),
        error=failure,
        seconds=guard.spent,
        printed=tuple(printed),
        instance=instance,
    )


def _instantiate(
    kind: Kind, name: str, points: Sequence[EntryPoint], table: Mapping[str, Any]
) -> Plugin:
    if not points:
        raise ConfigError([f"no installed package offers this {kind}"])
    if len(points) > 1:
        packages = " and ".join(str(_distribution(point)) for point in points)
        raise ConfigError([f"two packages offer it: {packages}"])
    found = points[0].load()
    base, article = _BASES[kind]
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigError([f"{points[0].value} is not {article} class"])
    if issubclass(found, Importer):
        problems = class_problems(found)
    else:
        problems = [problem] if (problem := version_problem(found.sdk)) else []
    if issubclass(found, Reader):
        problems += reader_problems(found)
    else:
        problems += _migrations_problems(found.migrations)
        problems += _tables_problems(found.tables)
    if issubclass(found, Validator):
        problems += validator_problems(found)
    if problems:
        raise ConfigError(problems)
    catalogues_of(found)  # a wrong one is told now, not when a client asks for its language
    made = found(name, fill_settings(found.Settings, table))
    if isinstance(made, Reader) and (problem := copy_problem(made)):
        raise ConfigError([problem])
    return made


def class_problems(importer_class: type[Importer]) -> list[str]:
    """List what is wrong with a class, whatever files and settings it gets."""
    problems = [problem] if (problem := version_problem(importer_class.sdk)) else []
    if not isinstance(importer_class.label, str):
        problems.append(f"its label must be a text, not {importer_class.label!r:.80}")
    elif not importer_class.label:
        problems.append("the class has no label")
    if not importer_class.columns:
        problems.append("the class has no columns")
    return [*problems, *name_problems(importer_class), *change_problems(importer_class)]


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


def _tables_problems(tables: Any) -> list[str]:
    is_list = isinstance(tables, list | tuple)
    if is_list and all(isinstance(each, type) and issubclass(each, Record) for each in tables):
        return []
    return [f"its tables have to be a list of classes of Record, not {tables!r:.80}"]


def _distribution(point: EntryPoint) -> str | None:
    return f"{point.dist.name} {point.dist.version}" if point.dist else None


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == OWN_DISTRIBUTION
