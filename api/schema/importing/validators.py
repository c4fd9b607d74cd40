"""Validators: the plugins that have a say in what every import does."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import field

from api.access.context import Context, Info
from api.schema.importing.plugin_descriptions import ValidatorDescription
from api.schema.importing.plugin_state import (
    DISTRIBUTION,
    PROBLEMS,
    PluginState,
    find_status,
    shown_problems,
)


@strawberry.type(description="A plugin that may refuse rows of imports of any type.")
class Validator:
    plugin: strawberry.Private[Any]
    key: str = field(description="What plugins.toml calls it.")
    state: PluginState = field(description="What has become of it.")
    problems: list[str] = field(description=PROBLEMS)
    distribution: str | None = field(description=DISTRIBUTION)

    @strawberry.field(description="What it refuses; empty unless it is on.")
    async def description(self) -> str:
        if self.plugin is None:
            return ""
        return await ValidatorDescription(self.key, self.plugin).text()

    @classmethod
    def of(cls, context: Context, key: str) -> Validator:
        status = find_status(context, "validator", key)
        found = (each for each in context.services.registry.validators if each.key == key)
        return cls(
            plugin=next(found, None) if status.state == "on" else None,
            key=key,
            state=PluginState(status.state),
            problems=shown_problems(context, status),
            distribution=status.distribution,
        )


@strawberry.field(
    name="validators",
    description="The validators: those that are switched on, in the order in which each row "
    "has to pass them, then the others.",
)
def list_validators(info: Info) -> list[Validator]:
    registry = info.context.services.registry
    asked = [validator.key for validator in registry.validators]
    others = [status.name for status in registry.plugins if status.kind == "validator"]
    return [Validator.of(info.context, key) for key in dict.fromkeys([*asked, *others])]
