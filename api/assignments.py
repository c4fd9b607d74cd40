"""Assignments: who is on which case, in which role, and who put them there."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.cases import Case
from api.connection import Connection, PageArguments, connect
from api.context import Context, Info
from api.node import Node
from api.roles import Role
from api.users import User
from importers.node_id import encode_node_id
from models.listing import CASE_ASSIGNMENTS, USER_ASSIGNMENTS, has_role
from models.page import find_by_id

if TYPE_CHECKING:
    from asyncpg import Record

    from api.imports import Import  # noqa: TC004 - strawberry.lazy imports it
    from models.page import Listing


@strawberry.type(description="Which row of which import did something.")
class ChangeOrigin:
    """An import and a row of its file."""

    import_key: strawberry.Private[int]
    row: int = strawberry.field(description="The row's number, as a spreadsheet shows it.")

    @strawberry.field(name="import", description="The import.")
    async def import_(self, info: Info) -> Annotated[Import, strawberry.lazy("api.imports")]:
        """Load the import, together with those of other origins."""
        from api.imports import Import  # noqa: PLC0415 - it needs assignments' neighbours

        return Import.from_row(await info.context.loaders.import_row(self.import_key))

    @classmethod
    def of(cls, import_key: int | None, row: int | None) -> ChangeOrigin | None:
        """Make it of the columns of an assignment; None when no import was it."""
        if import_key is None or row is None:
            return None
        return cls(import_key=import_key, row=row)


@strawberry.type(description="One user on one case.")
class Assignment(Node):
    """An assignment; it comes with its case, user and role."""

    case: Case = strawberry.field(description="The case.")
    user: User = strawberry.field(description="The user.")
    role: Role = strawberry.field(description="What the user is on the case.")
    notify: bool = strawberry.field(
        description="Whether the row that last changed it asked for an e-mail to the user."
    )
    created_at: datetime = strawberry.field(description="When the user was put on the case.")
    updated_at: datetime = strawberry.field(description="When the assignment was last changed.")
    created_by: ChangeOrigin | None = strawberry.field(
        description="Which import put the user on the case; null when none did."
    )
    updated_by: ChangeOrigin | None = strawberry.field(
        description="Which import last changed it; null when none did since it was created."
    )

    @classmethod
    def from_row(cls, row: Record) -> Assignment:
        """Make it of a row of an assignment listing."""
        return cls(
            id=strawberry.ID(encode_node_id("Assignment", row["id"])),
            case=Case.from_row(row, "case_"),
            user=User.from_row(row, "user_"),
            role=Role.from_row(row, "role_"),
            notify=row["notify"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            created_by=ChangeOrigin.of(row["created_import_id"], row["created_row"]),
            updated_by=ChangeOrigin.of(row["updated_import_id"], row["updated_row"]),
        )


async def load_assignment(context: Context, key: int) -> Assignment | None:
    """Read an assignment by its primary key."""
    rows = await context.scope.read(find_by_id, CASE_ASSIGNMENTS, [key])
    return Assignment.from_row(rows[0]) if rows else None


async def _assignments(
    listing: Listing, context: Context, parent: int, arguments: PageArguments, role: str | None
) -> Connection[Any]:
    conditions = () if role is None else (has_role(role),)
    return await connect(
        context, listing, Assignment.from_row, arguments, conditions, parent=parent
    )


case_assignments = partial(_assignments, CASE_ASSIGNMENTS)
user_assignments = partial(_assignments, USER_ASSIGNMENTS)
