"""The tab of changes: what an import has changed, or would change, by case or by user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.console.pages.changes.change_lines import group_changes
from api.console.pages.changes.consequences import sort_consequences
from api.console.pages.changes.undo_piles import sort_into_piles
from api.console.pages.importing.available import is_ahead, is_final
from api.console.pages.importing.import_page import load_import_page, show_import_page
from api.console.paging import nodes, page_links, page_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from api.console.visit import Visit

KINDS = {"CREATE": "toCreate", "UPDATE": "toUpdate", "REMOVE": "toRemove"}
"""The kinds of changes, each with its name in `ChangeCounts`."""
VIEWS = ("case", "user")


async def show_changes(visit: Visit) -> Response:
    """Show a page of the changes, of the kinds that the address says."""
    kinds = [kind for kind in visit.arguments("kind") if kind in KINDS]
    view = "user" if visit.argument("view") == "user" else "case"
    filters = {name: visit.argument(name) for name in VIEWS}
    is_first = not (visit.argument("after") or visit.argument("before"))
    data = await load_import_page(
        visit,
        "import_changes",
        kind=kinds or None,
        isFirst=is_first,
        **filters,
        **page_variables(visit),
    )
    item = data["import"]
    changes = nodes(item["changes"])
    is_settled = item["appliedAs"] or item["undoneBy"]
    return show_import_page(
        visit,
        "changes",
        data,
        groups=group_changes(changes, view),
        # Once it is applied, or taken back, all of it has changed since.
        stale=0 if is_settled else sum(change["isStale"] for change in changes),
        has_sides=any(change["case"] and change["user"] for change in changes),
        links=page_links(visit, item["changes"]),
        counts=count_kinds(item),
        is_ahead=is_ahead(item),
        kinds=kinds,
        view=view,
        filters={name: key for name, key in filters.items() if key},
        consequences=sort_consequences(item),
        piles=sort_into_piles(item) if is_first and item["undoOf"] and is_final(item) else None,
        kept=item["kept"]["totalCount"] if is_first else 0,
    )


def count_kinds(item: Mapping[str, Any]) -> dict[str, int]:
    """Return how many changes of each kind an import has.

    Args:
        item: with the fields of `ChangeCounts`.
    """
    return {kind: item[alias]["totalCount"] for kind, alias in KINDS.items()}
