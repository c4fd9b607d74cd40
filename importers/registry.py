"""The registry: which importers are on, off or broken, as `plugins.toml` says."""

from __future__ import annotations

import dataclasses
import logging
import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from importers.base import Importer
from importers.errors import ConfigError
from importers.header import IGNORED, column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

logger = logging.getLogger(__name__)

GROUP = "caseroll.importers"
_OWN_DISTRIBUTION = "caseroll"
_FILE = "plugins.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """What has become of one plugin.

    Args:
        name: the entry point's name, which is the importer's key.
        reason: why it is not on.
        label: what menus call it, when it could be loaded.
        distribution: the package that brings it, with its version.
    """

    name: str
    state: Literal["on", "off", "broken"]
    reason: str | None = None
    label: str | None = None
    distribution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The importers that are on, sorted by label, and the state of every plugin."""

    importers: Mapping[str, Importer]
    plugins: Sequence[PluginStatus]


def load(path: Path | None = None, *, found: Iterable[EntryPoint] | None = None) -> Registry:
    """Load the plugins that the file switches on.

    A third-party plugin that does not load is reported and left out.

    Args:
        path: the file; None for `plugins.toml` in the working folder, else the one that comes
            with Caseroll.
        found: the entry points to choose from; None for those of all installed packages.

    Raises:
        ConfigError: the file is wrong, or a plugin of Caseroll's own does not load.
    """
    path = path or default_path()
    tables = _read(path)
    points = list(entry_points(group=GROUP) if found is None else found)
    plugins, importers = [], []
    for name in sorted({point.name for point in points} | tables.keys()):
        named = [point for point in points if point.name == name]
        status, importer = _load_plugin(name, named, tables.get(name))
        plugins.append(status)
        if importer:
            importers.append(importer)
    _report(plugins, path)
    importers.sort(key=lambda importer: (importer.label, importer.key))
    return Registry(
        importers={importer.key: importer for importer in importers}, plugins=tuple(plugins)
    )


def default_path() -> Path:
    """Return `plugins.toml` of the working folder, else the one that comes with Caseroll."""
    package = Path(__file__).parent
    places = (Path.cwd() / _FILE, package.parent / _FILE, package / _FILE)
    return next((place for place in places if place.is_file()), places[0])


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror}."]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}."]) from error
    problems = [
        f"{path}: '{name}' is unknown; tables are [importers.NAME]."
        for name in content
        if name != "importers"
    ]
    tables = content.get("importers", {})
    if not isinstance(tables, dict):
        problems.append(f"{path}: 'importers' must be tables, [importers.NAME].")
        tables = {}
    problems += [
        f"{path}: 'importers.{name}' must be a table, [importers.{name}]."
        for name, table in tables.items()
        if not isinstance(table, dict)
    ]
    if problems:
        raise ConfigError(problems)
    return dict(tables)


def _load_plugin(
    name: str, points: Sequence[EntryPoint], table: Mapping[str, Any] | None
) -> tuple[PluginStatus, Importer | None]:
    distribution = _distribution(max(points, key=_is_own)) if points else None
    if table is None:
        reason = f"plugins.toml has no table [importers.{name}]"
        return PluginStatus(name=name, state="off", reason=reason, distribution=distribution), None
    try:
        importer = _instantiate(name, points, table)
    except Exception as error:
        if not isinstance(error, ConfigError):
            logger.exception("plugin %r does not load; it is left out", name)
        reason = str(error) or type(error).__name__
        return (
            PluginStatus(name=name, state="broken", reason=reason, distribution=distribution),
            None,
        )
    status = PluginStatus(name=name, state="on", label=importer.label, distribution=distribution)
    return status, importer


def _instantiate(name: str, points: Sequence[EntryPoint], table: Mapping[str, Any]) -> Importer:
    if not points:
        raise ConfigError(["no installed package offers this importer"])
    if len(points) > 1:
        packages = " and ".join(str(_distribution(point)) for point in points)
        raise ConfigError([f"two packages offer it: {packages}"])
    importer_class = points[0].load()
    if not (isinstance(importer_class, type) and issubclass(importer_class, Importer)):
        raise ConfigError([f"{points[0].value} is not an Importer class"])
    problems = [] if importer_class.label else ["the class has no label"]
    problems += [] if importer_class.columns else ["the class has no columns"]
    problems += _wrong_names(importer_class.columns)
    if problems:
        raise ConfigError(problems)
    return importer_class(name, _settings(importer_class, table))


def _wrong_names(columns: Iterable[str]) -> list[str]:
    """Find columns that a file or a row can't have."""
    problems = [
        f"a column can't be called '{name}'"
        for name in columns
        if name == "number" or name in IGNORED
    ]
    return problems + [
        f"a column can't be called '{name}': use small letters"
        for name in columns
        if name != column_name(name)
    ]


def _settings(importer_class: type[Importer], table: Mapping[str, Any]) -> Any:
    """Fill the importer's settings class from its table."""
    settings_class = importer_class.Settings
    if settings_class is None:
        if table:
            raise ConfigError([f"it has no settings, but the table sets {', '.join(table)}"])
        return None
    fields = {field.name: field for field in dataclasses.fields(settings_class)}
    types = get_type_hints(settings_class)
    problems = [f"there is no setting '{key}'" for key in table if key not in fields]
    problems += [
        f"the setting '{key}' must be {types[key].__name__}, not {type(value).__name__}"
        for key, value in table.items()
        if key in fields and isinstance(types[key], type) and type(value) is not types[key]
    ]
    problems += [
        f"the setting '{name}' is missing"
        for name, field in fields.items()
        if name not in table
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if problems:
        raise ConfigError(problems)
    return settings_class(**table)


def _distribution(point: EntryPoint) -> str | None:
    return f"{point.dist.name} {point.dist.version}" if point.dist else None


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == _OWN_DISTRIBUTION


def _report(plugins: Sequence[PluginStatus], path: Path) -> None:
    """Log every broken plugin; stop when one of Caseroll's own is among them."""
    broken = [plugin for plugin in plugins if plugin.state == "broken"]
    for plugin in broken:
        logger.error("plugin %r is left out: %s", plugin.name, plugin.reason)
    own = [
        plugin
        for plugin in broken
        if (plugin.distribution or "").partition(" ")[0] == _OWN_DISTRIBUTION
    ]
    if own:
        raise ConfigError(
            [f"{path}: importer '{plugin.name}' is broken: {plugin.reason}." for plugin in broken]
        )
