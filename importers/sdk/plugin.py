"""The plugin: what importers and validators have in common."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


class Plugin:
    """What strangers may bring: an importer or a validator, named by its entry point.

    The first paragraph of a class's docstring describes it to those who choose it.

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
    """The name of its entry point; for an importer also the key of the type of import."""

    settings: Any
    """An instance of `Settings`, filled from `plugins.toml`, or else with its defaults; None for a
    class without, or when some have to be given. A class may annotate it with its own:
    `settings: Settings`."""

    Settings: ClassVar[type | None] = None
    """A dataclass of the settings that `plugins.toml` may give; those without a default have to be
    given. They are checked at start."""

    sdk: ClassVar[str | None] = None
    """The `SDK_VERSION` that the plugin was written for, e.g. `1.0`: one that does not fit is not
    switched on, and says so. None for any version."""

    migrations: ClassVar[str | None] = None
    """The package of Tortoise migrations for the plugin's own tables, e.g.
    `acme_seating.migrations`; `caseroll migrate` runs it."""

    def __init__(self, key: str = "", settings: Any = None) -> None:
        self.key = key
        self.settings = self._defaults() if settings is None else settings

    def _defaults(self) -> Any:
        """Make the settings that an empty table would; None when some have to be given."""
        try:
            return self.Settings() if self.Settings else None
        except (TypeError, ValueError):
            return None

    @property
    def description(self) -> str:
        """The first paragraph of the class's docstring."""
        return (inspect.getdoc(type(self)) or "").partition("\n\n")[0].replace("\n", " ")
