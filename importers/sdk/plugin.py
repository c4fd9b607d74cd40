"""The plugin: the base class of all kinds of plugins, and the SDK that it was written for."""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from importers.sdk.records.record import Record

T = TypeVar("T")

SDK_VERSION = "1.0"
"""Major and minor version of what `importers` and `importers.testing` offer: a new major version
takes something away, a new minor version adds something."""

RENAMED: Mapping[str, Mapping[str, str]] = {"importers": {}, "importers.testing": {}}
"""Module → old name → new name in the same module. An old name works for one release more; each
release empties the table."""

_FORM = re.compile(r"(\d+)\.(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a column takes from the settings of its plugin."""

    name: str

    def read(self, settings: Any, check: Callable[[Any], T]) -> T:
        """Return the setting's value, checked.

        Raises:
            ConfigError: there is no such setting, or the check does not let it pass.
        """
        start = f"takes its choices from the setting '{self.name}'"
        try:
            value = getattr(settings, self.name)
        except AttributeError as error:
            raise ConfigError([f"{start}, which its Settings do not have"]) from error
        try:
            return check(value)
        except ConfigError as error:
            problems = [f"{start}: {problem}" for problem in error.problems]
            raise ConfigError(problems) from error


def setting(name: str) -> Setting:
    """Let a column take its choices from a setting of the plugin: `choices=setting("titles")`.

    The operator then says in `plugins.toml` what cells may hold. A plugin whose settings do not
    have it, or have an empty list, is broken.

    Args:
        name: a field of the plugin's `Settings`: a list of texts, or for `RoleRef` a table.

    Example:
        >>> class Titles(Importer):
        ...     @dataclass
        ...     class Settings:
        ...         titles: list[str]
        ...
        ...     title = Choice(choices=setting("titles"), help="How to address the person.")
        >>> titles = Titles("titles", Titles.Settings(titles=["Dr.", "Prof."]))
        >>> titles.columns["title"].read("Prof.")
        'Prof.'
    """
    return Setting(name)


class Plugin:
    """Base class of importers, readers and validators, each known by the name of its entry point.

    The first paragraph of a class's docstring is its description, in menus and in the API.

    Example:
        >>> class Closing(Validator):
        ...     sdk = "1.0"
        ...
        ...     @dataclass
        ...     class Settings:
        ...         role: str = "clients"
        >>> Closing("closing", Closing.Settings()).settings.role
        'clients'
    """

    key: str
    """The name of its entry point; for an importer also the key of its import type."""

    settings: Any
    """An instance of `Settings` with the values of `plugins.toml` or, if none are given, with its
    defaults; None if the class has no `Settings`, or if one without a default is not given. A class
    may annotate it with its own type: `settings: Settings`."""

    Settings: ClassVar[type | None] = None
    """A dataclass of the settings that `plugins.toml` may give, and must give if they have no
    default. They are checked at start."""

    sdk: ClassVar[str | None] = None
    """The `SDK_VERSION` that the plugin was written for, e.g. `1.0`. A plugin for a version that
    does not fit is reported and not loaded. None fits any version."""

    migrations: ClassVar[str | None] = None
    """The package with Tortoise migrations of the plugin's own tables, e.g.
    `acme_seating.migrations`; `caseroll migrate` runs them."""

    tables: ClassVar[Sequence[type[Record]]] = ()
    """The classes of records of the plugin's own tables; `caseroll migrate` makes these tables."""

    def __init__(self, key: str = "", settings: Any = None) -> None:
        self.key = key
        self.settings = settings
        if settings is None and self.Settings:
            # An empty table in `plugins.toml` need not be allowed.
            with suppress(TypeError, ValueError):
                self.settings = self.Settings()

    @property
    def description(self) -> str:
        """The first paragraph of the class's docstring."""
        return (inspect.getdoc(type(self)) or "").partition("\n\n")[0].replace("\n", " ")


def version_problem(wanted: str | None, offered: str = SDK_VERSION) -> str | None:
    """Return why a plugin does not fit this SDK, or None if it fits.

    Args:
        wanted: the version that the plugin was written for; None fits every SDK.
    """
    if wanted is None:
        return None
    found = _FORM.fullmatch(wanted) if isinstance(wanted, str) else None
    if not found:
        return f"its 'sdk' must be a version such as '{offered}', not {wanted!r}"
    major, minor = map(int, found.groups())
    our_major, our_minor = map(int, offered.split("."))
    if major == our_major and minor <= our_minor:
        return None
    return f"it was written for version {wanted} of the SDK, and this is {offered}"


def renamed(module: str, name: str) -> Any:
    """Return the thing that a module's old name stands for, and warn.

    For a module's `__getattr__`, so that the warning names the line that uses the old name.

    Raises:
        AttributeError: the module never had the name.
    """
    new = RENAMED[module].get(name)
    if new is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    # Three frames up is the line that uses the name, behind the `__getattr__` of the module.
    warnings.warn(
        f"{module}.{name} is now {module}.{new}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=3,
    )
    return getattr(sys.modules[module], new)
