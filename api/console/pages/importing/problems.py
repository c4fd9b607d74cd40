"""The tab of problems: why the file was refused, or what is wrong with its failed rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.console.pages.importing.import_page import load_import_page, show_import_page

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit


async def show_problems(visit: Visit) -> Response:
    """Show what is wrong."""
    data = await load_import_page(visit, "import_problems")
    return show_import_page(visit, "problems", data)
