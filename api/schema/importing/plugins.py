"""Plugins: whether one is on, off or broken, which tokens may know why; validators, readers."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self

import strawberry
from strawberry import field

from api.access.context import Context, Info
from api.schema.importing.plugin_descriptions import PluginDescription, plain
from importers.plugins.plugin_status import Kind, PluginStatus
from models.app import Permission

if TYPE_CHECKING:
    from collections.abc import Iterable


PROBLEMS = (
    "Why it isn't on, or what to look at although it is. Only tokens with the permission ADMIN are "
    "told, as the text of an error may say more than its author thought of; others get an empty "
    "list."
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
        "a reader takes no file, and a validator refuses every row and mutation.",
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


def why_no_type(context: Context, key: str) -> str:
    """Say why nothing can be imported as this type."""
    status = find_status(context, "importer", key)
    if status.state == "broken":
        problems = "; ".join(shown_problems(context, status)).rstrip(".")
        why = problems or "a token with the permission ADMIN sees why in importTypes"
        return f"The import type '{plain(key)}' is broken: {why}."
    if status.distribution:
        table = f"plugins.toml has no table [importers.{plain(key)}]"
        return f"The import type '{plain(key)}' is installed, but switched off: {table}."
    known = ", ".join(context.services.registry.importers) or "none"
    return f"There is no such import type; there are: {known}."


@strawberry.type
class ListedPlugin:
    """What the API says of a plugin that is no importer: the base of the types of such kinds."""

    kind: ClassVar[Kind]

    plugin: strawberry.Private[Any]
    key: str = field(description="What plugins.toml calls it.")
    state: PluginState = field(description="What has become of it.")
    problems: list[str] = field(description=PROBLEMS)
    distribution: str | None = field(description=DISTRIBUTION)

    @classmethod
    def list_all(cls, context: Context, asked: Iterable[str]) -> list[Self]:
        """List those of the keys `asked`, in their order, then the others of the kind."""
        others = [each.name for each in context.services.registry.plugins if each.kind == cls.kind]
        return [cls._of(context, key) for key in dict.fromkeys([*asked, *others])]

    @classmethod
    def _of(cls, context: Context, key: str) -> Self:
        status = find_status(context, cls.kind, key)
        return cls(
            plugin=status.instance,
            key=key,
            state=PluginState(status.state),
            problems=shown_problems(context, status),
            distribution=status.distribution,
        )

    async def describe(self) -> str:
        """Return the plugin's own description; blank unless it is on."""
        if self.plugin is None:
            return ""
        return await PluginDescription(self.kind, self.key, self.plugin).text()


@strawberry.type(
    description="A plugin that may refuse rows of imports of any type, and mutations of cases and "
    "users."
)
class Validator(ListedPlugin):
    kind = "validator"

    @strawberry.field(description="What it refuses; empty unless it is on.")
    async def description(self) -> str:
        return await self.describe()


@strawberry.field(
    name="validators",
    description="The validators: those that are switched on, in the order in which each row "
    "has to pass them, then the others.",
)
def list_validators(info: Info) -> list[Validator]:
    asked = [each.key for each in info.context.services.registry.validators]
    return Validator.list_all(info.context, asked)


@strawberry.type(description="A plugin that reads files of a format of its own, for any type.")
class Reader(ListedPlugin):
    kind = "reader"

    @strawberry.field(description="Which files it reads; empty unless it is on.")
    async def description(self) -> str:
        return await self.describe()


@strawberry.field(
    name="readers",
    description="The readers of plugins: those that are switched on, in the order in which they "
    "are asked whether they take a file, then the others. What none takes is read as CSV text or "
    "as a workbook (.xlsx, .ods).",
)
def list_readers(info: Info) -> list[Reader]:
    asked = [each.key for each in info.context.services.registry.readers]
    return Reader.list_all(info.context, asked)
