"""The token of the request, and its app with what it lets imports do."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET, argument, field

from api.access.context import Context, Info
from api.language import translator
from api.schema.input_errors import InputErrors, UserError
from api.schema.node import Node
from api.schema.shown_enum import show_enum
from importers.sdk.node_id import encode_node_id
from importers.undo.undo_import import UNDO
from models.access import TokenRecord  # noqa: TC001
from models.app import Permission
from models.consequences import read_required_role
from models.guard import AppGuard, read_guard, update_guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME_LONGEST = 200

show_enum(Permission, description="What a token may do.")


@strawberry.type(description="What holds an import before anything of it is applied.")
class Guards:
    remove_percent: int | None = field(
        description="An import is held that would remove more than so many percent of the app's "
        "assignments, or of those of any one case; what other imports have removed within the last "
        "hour counts as well. Null: none is."
    )
    remove_at_least: int = field(description="But not if it would remove fewer than these in all.")
    requires_release: bool = field(
        description="Whether every import is held until another token releases it."
    )
    release_types: list[str] = field(
        description="Keys of the import types of which each import is held likewise; `undo` for "
        "those that undo others."
    )

    @classmethod
    def of(cls, guard: AppGuard) -> Guards:
        return cls(**{**guard._asdict(), "release_types": list(guard.release_types)})


@strawberry.type(description="A tenant: what one app holds, no other app sees.")
class App(Node):
    slug: str = field(description="Short name, for URLs and command lines.")
    name: str = field(description="Name for people.")

    @strawberry.field(description="What its imports may not do at once.")
    async def guards(self, info: Info) -> Guards:
        return Guards.of(await info.context.scope.read(read_guard))

    @strawberry.field(
        description="Key of the role in which each case should have a user: the consequences of an "
        "import tell of cases that it leaves without one. Null: none is required."
    )
    async def required_role(self, info: Info) -> str | None:
        return await info.context.scope.read(read_required_role)

    @classmethod
    def of(cls, token: TokenRecord) -> App:
        node_id = strawberry.ID(encode_node_id("App", token.app_id))
        return cls(id=node_id, slug=token.app_slug, name=token.app_name)


@strawberry.input(description="What to change of the app; what is left out stays.")
class UpdateAppInput:
    name: str | None = field(default=UNSET, description="Name for people, up to 200 characters.")
    remove_percent: int | None = field(
        default=UNSET, description="See `Guards`: 1 to 100; null holds no import for it."
    )
    remove_at_least: int | None = field(default=UNSET, description="See `Guards`: at least 1.")
    requires_release: bool | None = field(default=UNSET, description="See `Guards`.")
    release_types: list[str] | None = field(default=UNSET, description="See `Guards`.")
    required_role: str | None = field(
        default=UNSET, description="Key of a role; see `App`. Null requires none."
    )


@strawberry.type(description="What came of changing the app.")
class AppPayload:
    app: App | None = field(description="The app as it is now; null after errors.")
    user_errors: list[UserError] = field(
        description="What was wrong; when there is anything, nothing has been done."
    )


@strawberry.mutation(
    description="Change the token's app: its name, its guards, and the role that cases require."
)
async def update_app(
    info: Info,
    values: Annotated[UpdateAppInput, argument(name="input", description="The changes.")],
) -> AppPayload:
    context = info.context
    errors = InputErrors()
    changes = {
        each.name: _READERS[each.name](errors, getattr(values, each.name))
        for each in dataclasses.fields(values)
        if getattr(values, each.name) is not UNSET
    }
    known = {*context.services.registry.importers, UNDO}
    for key in changes.get("release_types", ()):
        if key not in known:
            errors.add("UNKNOWN_TYPE", "releaseTypes", f"There is no import type '{key}'.")
    if "required_role" in changes:
        key = changes.pop("required_role")
        roles = {row["key"]: row["id"] for row in await context.loaders.roles()}
        if key is not None and key not in roles:
            errors.add("UNKNOWN_ROLE", "requiredRole", f"The app has no role '{key}'.")
        changes["required_role_id"] = roles.get(key)
    if errors.found:
        return AppPayload(app=None, user_errors=errors.found)
    name = await context.scope.write(update_guard, changes, by=context.actor)
    return AppPayload(app=App.of(context.token._replace(app_name=name)), user_errors=[])


def _percent(errors: InputErrors, value: int | None) -> int | None:
    if value is not None and not 1 <= value <= 100:
        errors.add("OUT_OF_RANGE", "removePercent", "This is a number from 1 to 100, or null.")
    return value


def _at_least(errors: InputErrors, value: int | None) -> int | None:
    if value is not None and value < 1:
        errors.add("OUT_OF_RANGE", "removeAtLeast", "This is at least 1.")
    return errors.present("removeAtLeast", value)


_READERS: Mapping[str, Callable[[InputErrors, Any], Any]] = {
    "name": lambda errors, name: errors.text("name", name, required=True, longest=_NAME_LONGEST),
    "remove_percent": _percent,
    "remove_at_least": _at_least,
    "requires_release": lambda errors, value: errors.present("requiresRelease", value),
    "release_types": lambda errors, value: errors.present("releaseTypes", value) or [],
    "required_role": lambda _, value: value,
}


async def load_app(context: Context, key: int) -> App | None:
    return App.of(context.token) if key == context.token.app_id else None


@strawberry.type(description="Who is asking: the token of this request.")
class Viewer:
    app: App = field(description="The app that the token opens.")
    permission: Permission = field(description="What the token may do.")
    token_name: str = field(description="What the token was called when it was made.")
    token_expires_at: datetime | None = field(
        description="When the token opens nothing any more; null when it never expires."
    )
    locale: str = field(
        description="The language of messages and descriptions in this answer, e.g. `es`: of those "
        "that there are, the one that the request's `Accept-Language` likes best; else `en`."
    )

    @classmethod
    def of(cls, token: TokenRecord) -> Viewer:
        return cls(
            app=App.of(token),
            permission=token.permission,
            token_name=token.name,
            token_expires_at=token.expires_at,
            locale=translator().language,
        )


@strawberry.field(name="viewer", description="Who is asking.")
def show_viewer(info: Info) -> Viewer:
    return Viewer.of(info.context.token)
