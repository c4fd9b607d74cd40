"""The version of the plugin SDK: which plugins fit it, and which public names were replaced."""

from __future__ import annotations

import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SDK_VERSION = "1.0"
"""Major and minor version of what `importers` and `importers.testing` offer: a new major version
takes something away, a new minor version adds something."""

RENAMED: Mapping[str, Mapping[str, str]] = {"importers": {}, "importers.testing": {}}
"""Module → old name → new name in the same module. An old name works for one release more; each
release empties the table."""

_FORM = re.compile(r"(\d+)\.(\d+)", re.ASCII)


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
