"""Pages of a list: which one an address asks for, and the addresses of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from api.console.visit import Visit

PAGE_ROWS = 50


class PageLinks(NamedTuple):
    """Addresses of the pages before and after; None at an end."""

    newer: str | None
    older: str | None


def page_variables(visit: Visit, rows: int = PAGE_ROWS) -> dict[str, Any]:
    """Return the variables `first`, `after`, `last` and `before` of the page that is asked for."""
    if before := visit.argument("before"):
        return {"last": rows, "before": before}
    return {"first": rows, "after": visit.argument("after")}


def page_links(visit: Visit, connection: dict[str, Any]) -> PageLinks:
    """Return the addresses of the neighbours, with the same filters.

    Args:
        connection: with `pageInfo` in full.
    """
    info = connection["pageInfo"]
    return PageLinks(
        newer=_with(visit, before=info["startCursor"]) if info["hasPreviousPage"] else None,
        older=_with(visit, after=info["endCursor"]) if info["hasNextPage"] else None,
    )


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a connection's edges hold."""
    return [edge["node"] for edge in connection["edges"]]


def _with(visit: Visit, **cursor: str) -> str:
    others = [
        (name, value)
        for name, value in visit.request.query_params.multi_items()
        if name not in ("after", "before")
    ]
    return f"?{urlencode([*others, *cursor.items()])}"
