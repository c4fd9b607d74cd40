"""Roles: what a user can be on a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

if TYPE_CHECKING:
    from asyncpg import Record

    from api.context import Context


@strawberry.type(description="What a user can be on a case.")
class Role:
    """One of the app's roles."""

    key: str = strawberry.field(description="What files call it, e.g. `staff`.")
    label: str = strawberry.field(description="What people call it, e.g. `Staff`.")

    @classmethod
    def from_row(cls, row: Record, prefix: str = "") -> Role:
        """Make it of a row whose columns begin with a prefix."""
        return cls(key=row[prefix + "key"], label=row[prefix + "label"])


async def list_roles(context: Context) -> list[Role]:
    """List the app's roles."""
    return [Role.from_row(row) for row in await context.loaders.roles()]
