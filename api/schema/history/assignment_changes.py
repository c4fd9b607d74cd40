"""Changes of assignments: all of the app, those of a case, of a user, of both, or of an import."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import argument

from api.access.context import Info
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.entities import CHANGE_ROW, AssignmentChange
from api.schema.node import key_of
from models.history_lists import (
    ASSIGNMENT_CHANGES,
    CASE_CHANGES,
    IMPORT_CHANGES,
    USER_CHANGES,
    changed_between,
    was_changed_by,
)
from models.list_query import Condition
from models.listing import has_user

if TYPE_CHECKING:
    from models.list_query import Listing


@strawberry.field(
    name="assignmentChanges",
    description="Every change of an assignment, newest first: who was put on which case, changed "
    "or removed, when, and by which row of which import.",
)
async def list_assignment_changes(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    case: Annotated[
        strawberry.ID | None, argument(description="Only those on the case with this `id`.")
    ] = None,
    user: Annotated[
        strawberry.ID | None, argument(description="Only those of the user with this `id`.")
    ] = None,
    import_: Annotated[
        strawberry.ID | None,
        argument(name="import", description="Only those that the import with this `id` made."),
    ] = None,
    since: Annotated[datetime | None, argument(description="Only from this time on.")] = None,
    until: Annotated[datetime | None, argument(description="Only before this time.")] = None,
) -> Connection[AssignmentChange]:
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    listing, parent, conditions = _choose_changes(case, user, import_)
    conditions += changed_between(since, until)
    return await connect(info.context, listing, CHANGE_ROW, arguments, conditions, parent=parent)


def _choose_changes(
    case: str | None, user: str | None, import_: str | None
) -> tuple[Listing, int | None, list[Condition]]:
    """Return the shortest list that has what is wanted, whose it is, and other conditions."""
    wanted = {"Case": case, "User": user, "Import": import_}
    keys = {kind: key_of(kind, node_id) for kind, node_id in wanted.items() if node_id is not None}
    of_case, of_user, of_import = keys.get("Case"), keys.get("User"), keys.get("Import")
    if None in keys.values():
        return ASSIGNMENT_CHANGES, None, [Condition("false")]
    if of_case is None is of_user:
        listing = ASSIGNMENT_CHANGES if of_import is None else IMPORT_CHANGES
        return listing, of_import, []
    conditions = [] if of_import is None else [was_changed_by(of_import)]
    if of_case is None:
        return USER_CHANGES, of_user, conditions
    if of_user is not None:
        conditions.append(has_user(of_user))
    return CASE_CHANGES, of_case, conditions
