"""The plugin: the base class of importers and validators."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any, ClassVar


class Plugin:
    """Base class of importers and validators; a plugin is known by the name of its entry point.

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
