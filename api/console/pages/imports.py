"""The list of imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.console.live import stream_live
from api.console.paging import nodes, page_links, page_variables

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit

STATUSES = ("QUEUED", "PROCESSING", "HELD", "PROCESSED", "FAILED", "CANCELLED")


async def show_imports(visit: Visit) -> Response:
    """Show a page of the list, filtered as the address says."""
    statuses = [status for status in visit.arguments("status") if status in STATUSES]
    types, search = visit.arguments("type"), visit.argument("search")
    data = await visit.run(
        "imports",
        search=search,
        status=statuses or None,
        type=types or None,
        **page_variables(visit),
    )
    return visit.page(
        "imports.html",
        data=data,
        imports=nodes(data["imports"]),
        links=page_links(visit, data["imports"]),
        statuses=statuses,
        all_statuses=STATUSES,
        types=types,
        search=search or "",
        is_filtered=bool(statuses or types or search),
    )


async def live_imports(visit: Visit) -> Response:
    """Send each change of any import."""
    return await stream_live(visit, "imports_live", "parts/import_line_live.html")
