"""Roles: what a user can be on a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from api.batch.row_type import RowType

if TYPE_CHECKING:
    from api.access.context import Context


@strawberry.type(description="What a user can be on a case.")
class Role:
    """One of the app's roles."""

    key: str = strawberry.field(description="What files call it, e.g. `staff`.")
    label: str = strawberry.field(description="What people call it, e.g. `Staff`.")


ROLE_ROW = RowType(Role)


async def list_roles(context: Context) -> list[Role]:
    """List the app's roles."""
    return list(ROLE_ROW.objects(await context.loaders.roles()))
