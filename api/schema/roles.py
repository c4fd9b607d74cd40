"""Roles: what a user can be on a case."""

from __future__ import annotations

import strawberry
from strawberry import field

from api.access.context import Info
from api.batch.row_type import RowType


@strawberry.type(description="What a user can be on a case.")
class Role:
    key: str = field(description="What files call it, e.g. `staff`.")
    label: str = field(description="What people call it, e.g. `Staff`.")


ROLE_ROW = RowType(Role)


@strawberry.field(name="roles", description="The app's roles.")
async def list_roles(info: Info) -> list[Role]:
    return list(ROLE_ROW.objects(await info.context.loaders.roles()))
