"""plugins.toml: which plugins are on, and their settings as they were written."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from importers.sdk.errors import ConfigError

_FILE = "plugins.toml"
_KINDS = ("importers", "readers", "validators")

_TABLES = "[importers.NAME], [readers.NAME] and [validators.NAME]"

Tables = dict[str, dict[str, dict[str, Any]]]
"""Kind, such as `importers` → name of the plugin → its settings, in the order of the file."""


def default_path() -> Path:
    """Return `plugins.toml` of the working folder, else the one that comes with Caseroll."""
    package = Path(__file__).parents[1]
    # A checkout has the file beside the packages, a wheel inside `importers`.
    places = (Path.cwd() / _FILE, package.parent / _FILE, package / _FILE)
    return next((place for place in places if place.is_file()), places[0])


def read_tables(path: Path) -> Tables:
    """Read the file.

    Raises:
        ConfigError: it can't be read, or says something that has no meaning; with all of it.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror}."]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}."]) from error
    problems = [
        f"{path}: '{name}' is unknown; tables are {_TABLES}."
        for name in content
        if name not in _KINDS
    ]
    tables = {kind: content.get(kind, {}) for kind in _KINDS}
    for kind, named in tables.items():
        if not isinstance(named, dict):
            problems.append(f"{path}: '{kind}' must be tables, [{kind}.NAME].")
            continue
        problems += [
            f"{path}: '{kind}.{name}' must be a table, [{kind}.{name}]."
            for name, table in named.items()
            if not isinstance(table, dict)
        ]
    if problems:
        raise ConfigError(problems)
    return tables
