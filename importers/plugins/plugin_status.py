"""A plugin's status: on, off or broken, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

OWN_DISTRIBUTION = "caseroll"

Kind: TypeAlias = Literal["importer", "reader", "validator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """Whether a plugin is on, and how loading it went.

    Args:
        name: the entry point's name, which is the plugin's key.
        problems: why it is not on; of one that is on, what to look at all the same.
        label: what menus call it, if it was loaded.
        distribution: the name and version of the package that brings it.
        error: the exception that ended its loading, unless that only names the problems.
        seconds: how long loading took.
        printed: the lines that it printed meanwhile.
        instance: the importer, reader or validator, if it is on.
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
    instance: Any = None

    @property
    def reason(self) -> str | None:
        """Its problems, in one line."""
        return "; ".join(self.problems) or None

    @property
    def is_own(self) -> bool:
        """Whether Caseroll itself brings it."""
        return (self.distribution or "").startswith(f"{OWN_DISTRIBUTION} ")
