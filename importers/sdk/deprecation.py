"""Deprecation: a public name that was replaced goes on working for one release."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RENAMED: Mapping[str, Mapping[str, str]] = {"importers": {}, "importers.testing": {}}
"""Module → old name → new name in the same module; to be emptied with each release."""


def renamed(module: str, name: str) -> Any:
    """Return what a name that a module no longer has is called now, and warn.

    For a module's `__getattr__`, so that the warning names the line that uses the old name.

    Raises:
        AttributeError: the module never had it.
    """
    new = RENAMED[module].get(name)
    if new is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warnings.warn(
        f"{module}.{name} is now {module}.{new}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=3,
    )
    return getattr(sys.modules[module], new)
