"""Whether a plugin is on, off or broken, and which tokens may know why."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from api.schema.importing.plugin_descriptions import plain
from importers.plugins.plugin_status import PluginStatus
from models.app import Permission

if TYPE_CHECKING:
    from api.access.context import Context
    from importers.plugins.plugin_status import Kind

PROBLEMS = (
    "Why it isn't on. Only tokens with the permission ADMIN are told, as the text of an error may "
    "say more than its author thought of; others get an empty list."
)
DISTRIBUTION = "The package that brings it, with its version; null when no installed one does."


@strawberry.enum(description="What has become of a plugin.")
class PluginState(Enum):
    """The API's names of `PluginStatus.state`."""

    ON = strawberry.enum_value("on", description="It is switched on, and works.")
    OFF = strawberry.enum_value("off", description="It is not switched on.")
    BROKEN = strawberry.enum_value(
        "broken",
        description="It is switched on, but does not load. An import type is then not offered; "
        "a validator refuses every row.",
    )


def find_status(context: Context, kind: Kind, key: str) -> PluginStatus:
    """Return the state of a plugin; one that no package offers is off."""
    for status in context.services.registry.plugins:
        if (status.kind, status.name) == (kind, key):
            return status
    problem = f"no installed package offers this {kind}"
    return PluginStatus(kind=kind, name=key, state="off", problems=(problem,))


def shown_problems(context: Context, status: PluginStatus) -> list[str]:
    """Return what is wrong with a plugin, if the token may know."""
    if context.token.permission is not Permission.ADMIN:
        return []
    return [plain(problem) for problem in status.problems]
