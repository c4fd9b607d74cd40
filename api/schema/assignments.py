"""Assignments: all of the app, those of one case, user, role or import, and a single one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import argument

from api.access.context import Info
from api.schema.connection import (
    After,
    Before,
    Connection,
    First,
    Last,
    PageArguments,
    connect,
)
from api.schema.entities import (
    ASSIGNMENT_ROW,
    Assignment,
    CaseStatus,
    InRole,
    UserStatus,
)
from api.schema.node import find_object, key_of
from models.assignment_lists import assignments_of, has_state, is_in_role
from models.list_query import Condition
from models.listing import ASSIGNMENTS, CASE_ASSIGNMENTS, concerns, is_pair

if TYPE_CHECKING:
    from models.list_query import Listing


@strawberry.field(
    name="assignments",
    description="Who is on which case. Those of a case are in the order in which users came, those "
    "of a user in that of cases, those of an import in that of its changes, and those of the app "
    "in that of their creation.",
)
async def list_assignments(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    case: Annotated[
        strawberry.ID | None, argument(description="Only those of the case with this `id`.")
    ] = None,
    user: Annotated[
        strawberry.ID | None, argument(description="Only those of the user with this `id`.")
    ] = None,
    role: InRole = None,
    import_: Annotated[
        strawberry.ID | None,
        argument(
            name="import",
            description="Only those that the import with this `id` has created, or was the last to "
            "change.",
        ),
    ] = None,
    search: Annotated[
        str | None,
        argument(description="Only those of cases, and of users, that this search finds."),
    ] = None,
    case_status: Annotated[
        CaseStatus | None, argument(description="Only those of cases in this state.")
    ] = None,
    user_status: Annotated[
        UserStatus | None, argument(description="Only those of users in this state.")
    ] = None,
) -> Connection[Assignment]:
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    listing, parent, conditions = _choose_list(case, user, import_)
    if role is not None:
        conditions.append(await info.context.scope.read(is_in_role, role))
    if search and search.strip():
        conditions.append(await info.context.scope.read(concerns, search))
    if case_status is not None:
        is_open = case_status is CaseStatus.ACTIVE
        conditions.append(await info.context.scope.read(has_state, "case", is_active=is_open))
    if user_status is not None:
        is_enabled = user_status is UserStatus.ACTIVE
        conditions.append(await info.context.scope.read(has_state, "user", is_active=is_enabled))
    return await connect(
        info.context, listing, ASSIGNMENT_ROW, arguments, conditions, parent=parent
    )


def _choose_list(
    case: str | None, user: str | None, import_: str | None
) -> tuple[Listing, int | None, list[Condition]]:
    """Return the shortest list that has what is wanted, whose it is, and other conditions."""
    ids = {"Case": case, "User": user, "Import": import_}
    keys = {kind: key_of(kind, node_id) for kind, node_id in ids.items() if node_id is not None}
    if None in keys.values():
        return ASSIGNMENTS, None, [Condition("false")]
    return assignments_of(
        case=keys.get("Case"), user=keys.get("User"), import_key=keys.get("Import")
    )


@strawberry.field(
    name="assignment",
    description="The assignment of a user to a case; null when the user is not on the case.",
)
async def find_assignment(
    info: Info,
    case: Annotated[strawberry.ID, argument(description="The case's `id`.")],
    user: Annotated[strawberry.ID, argument(description="The user's `id`.")],
) -> Assignment | None:
    keys = key_of("Case", case), key_of("User", user)
    if keys[0] is None or keys[1] is None:
        return None
    condition = is_pair(keys[0], keys[1])
    return await find_object(info.context, CASE_ASSIGNMENTS, ASSIGNMENT_ROW, condition)
