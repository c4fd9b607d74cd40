"""Assignments: who is on which case, and the history of one pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.console.pages.people.export_links import export_links
from api.console.paging import nodes, page_links, page_variables
from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from api.console.visit import Visit

_FILTERS = ("search", "role", "import", "case", "user")
_FILES = ("modify", "remove", "assign")
_STATES = {
    "ACTIVE": {"caseStatus": "ACTIVE", "userStatus": "ACTIVE"},
    "CLOSED": {"caseStatus": "CLOSED"},
    "DISABLED": {"userStatus": "DISABLED"},
}


async def show_assignments(visit: Visit) -> Response:
    """Show a page of the list, filtered as the address says."""
    status = visit.argument("status")
    status = status if status in _STATES else None
    filters: dict[str, str | None] = {name: visit.argument(name) for name in _FILTERS}
    filters |= _STATES[status] if status else {}
    data = await visit.run(
        "assignments", **filters, chosen=chosen_ids(filters), **page_variables(visit)
    )
    chosen = chosen_by_kind(data["chosen"])
    return visit.page(
        "assignments.html",
        data=data,
        assignments=nodes(data["assignments"]),
        links=page_links(visit, data["assignments"]),
        filters=filters,
        chosen_status=status,
        statuses=list(_STATES),
        chosen=chosen,
        imports=_import_choices(nodes(data["recent"]), chosen["Import"]),
        is_filtered=any(filters.values()),
        exports=export_links(visit, "assignments", _FILES, data["importTypes"], **filters),
    )


async def show_assignment(visit: Visit) -> Response:
    """Show a user on a case: as it is, and every change of it."""
    data = await visit.run(
        "assignment",
        case=visit.path("case"),
        user=visit.path("user"),
        **page_variables(visit),
    )
    if data["case"] is None or data["user"] is None:
        raise HttpError(404, "NOT_FOUND", "There is no such case or user.")
    return visit.page(
        "assignment.html",
        data=data,
        changes=nodes(data["assignmentChanges"]),
        links=page_links(visit, data["assignmentChanges"]),
    )


def chosen_ids(filters: Mapping[str, str | None]) -> list[str]:
    """Return the IDs of the import, case and user that a list is filtered by."""
    ids = (filters.get(name) for name in ("import", "case", "user"))
    return [node_id for node_id in ids if node_id]


def chosen_by_kind(
    chosen: Sequence[Mapping[str, Any] | None],
) -> dict[str, Mapping[str, Any] | None]:
    """Return what a list is filtered by; None for what it is not, and for what the app has not."""
    found = {each["__typename"]: each for each in chosen if each is not None}
    return {"Case": None, "Import": None, "User": None, **found}


def _import_choices(
    recent: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any] | None
) -> list[Mapping[str, Any]]:
    """Return the imports to choose from: those that have put users on cases, and the chosen one."""
    did = [each for each in recent if not each["dryRun"] and each["created"] + each["updated"]]
    if chosen is not None and all(each["id"] != chosen["id"] for each in did):
        return [chosen, *did]
    return did
