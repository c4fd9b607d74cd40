"""History: who did what, for admins, and every change of an assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.console.pages.people.assignments import chosen_by_kind, chosen_ids
from api.console.pages.people.time_range import read_day_range
from api.console.paging import nodes, page_links, page_variables

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit

ACTIONS = (
    "IMPORT_CREATED",
    "IMPORT_CANCELLED",
    "IMPORT_RETRIED",
    "IMPORT_APPLIED",
    "IMPORT_RELEASED",
    "IMPORT_UNDONE",
    "CASE_CREATED",
    "CASE_UPDATED",
    "USER_CREATED",
    "USER_UPDATED",
    "TOKEN_CREATED",
    "TOKEN_REVOKED",
    "ROLE_ADDED",
    "WEBHOOK_CREATED",
    "WEBHOOK_ENABLED",
    "WEBHOOK_DELETED",
    "APP_CREATED",
    "APP_UPDATED",
)


async def show_history(visit: Visit) -> Response:
    """Show who did what; to a token that may not know, the changes of assignments."""
    if not visit.is_admin:
        return visit.go("history/assignments")
    days, actor, target = read_day_range(visit), visit.argument("actor"), visit.argument("target")
    actions = [action for action in visit.arguments("action") if action in ACTIONS]
    data = await visit.run(
        "history",
        action=actions or None,
        actor=actor,
        target=target,
        chosen=[target] if target else [],
        **days.variables(visit.language.zone),
        **page_variables(visit),
    )
    return visit.page(
        "history.html",
        data=data,
        events=nodes(data["auditEvents"]),
        links=page_links(visit, data["auditEvents"]),
        all_actions=ACTIONS,
        action=actions[0] if actions else None,
        actor=actor or "",
        target=target,
        chosen=chosen_by_kind(data["chosen"]),
        days=days,
        is_filtered=bool(actions or actor or target or any(days)),
    )


async def show_assignment_changes(visit: Visit) -> Response:
    """Show who was put on which case, changed or removed, and by which import."""
    filters = {name: visit.argument(name) for name in ("import", "case", "user")}
    days = read_day_range(visit)
    data = await visit.run(
        "assignment_changes",
        **filters,
        chosen=chosen_ids(filters),
        **days.variables(visit.language.zone),
        **page_variables(visit),
    )
    return visit.page(
        "assignment_changes.html",
        data=data,
        changes=nodes(data["assignmentChanges"]),
        links=page_links(visit, data["assignmentChanges"]),
        filters=filters,
        chosen=chosen_by_kind(data["chosen"]),
        days=days,
        is_filtered=bool(any(filters.values()) or any(days)),
    )
