"""Assignments: who is on which case, in which role, and who put them there."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from api.access.context import Context, Info
from api.batch.objects import read
from api.batch.row_type import Part, RowColumn, RowType, node_id
from api.schema.cases import CASE_ROW, Case
from api.schema.connection import Connection, PageArguments, connect, connect_each
from api.schema.node import Node
from api.schema.roles import ROLE_ROW, Role
from api.schema.users import USER_ROW, User
from models.listing import CASE_ASSIGNMENTS, USER_ASSIGNMENTS, has_role
from models.page import find_by_id

if TYPE_CHECKING:
    from api.batch.batch_field import Selected
    from api.batch.objects import Items, Values
    from api.schema.importing.imports import Import  # noqa: TC004 - strawberry.lazy imports it
    from models.page import Condition, Listing


@strawberry.type(description="Which row of which import did something.")
class ChangeOrigin:
    """An import and a row of its file."""

    import_key: strawberry.Private[int]
    row: int = strawberry.field(description="The row's number, as a spreadsheet shows it.")

    @strawberry.field(name="import", description="The import.")
    async def import_(
        self, info: Info
    ) -> Annotated[Import, strawberry.lazy("api.schema.importing.imports")]:
        """Load the import, together with those of other origins."""
        from api.schema.importing.imports import Import  # noqa: PLC0415 - it needs assignments' neighbours

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


ASSIGNMENT_ROW = RowType(
    Assignment,
    id=node_id("Assignment"),
    case=Part(CASE_ROW, "case_"),
    user=Part(USER_ROW, "user_"),
    role=Part(ROLE_ROW, "role_"),
    created_by=RowColumn(("created_import_id", "created_row"), ChangeOrigin.of),
    updated_by=RowColumn(("updated_import_id", "updated_row"), ChangeOrigin.of),
)


async def load_assignment(context: Context, key: int) -> Assignment | None:
    """Read an assignment by its primary key."""
    rows = await context.scope.read(find_by_id, CASE_ASSIGNMENTS, [key])
    return ASSIGNMENT_ROW.object(rows[0]) if rows else None


async def _assignments(
    listing: Listing, context: Context, parent: int, arguments: PageArguments, role: str | None
) -> Connection[Any]:
    build = ASSIGNMENT_ROW.objects
    return await connect(context, listing, build, arguments, _conditions(role), parent=parent)


async def _assignments_of_each(
    listing: Listing,
    context: Context,
    parents: Items,
    selected: Selected,
    *,
    role: str | None = None,
    **page: Any,
) -> Values:
    return await connect_each(
        context,
        listing,
        ASSIGNMENT_ROW,
        PageArguments(**page),
        _conditions(role),
        parents=cast("list[int]", read(parents, "key")),
        selected=selected,
    )


def _conditions(role: str | None) -> tuple[Condition, ...]:
    return () if role is None else (has_role(role),)


case_assignments = partial(_assignments, CASE_ASSIGNMENTS)
user_assignments = partial(_assignments, USER_ASSIGNMENTS)
assignments_of_cases = partial(_assignments_of_each, CASE_ASSIGNMENTS)
assignments_of_users = partial(_assignments_of_each, USER_ASSIGNMENTS)
