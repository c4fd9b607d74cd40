"""The tab of the file: what was uploaded, and what can be downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.console.pages.importing.import_page import load_import_page, show_import_page

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit


async def show_file(visit: Visit) -> Response:
    """Show the file and the downloads."""
    data = await load_import_page(visit, "import_file")
    return show_import_page(visit, "file", data)
