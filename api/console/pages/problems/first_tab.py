"""An import's own address: it leads to the tab that matters most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.console.pages.importing.import_page import RUNNING, load_import_page
from api.console.pages.problems.problems import load_problems, show_loaded_problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from api.console.visit import Visit


async def show_first_tab(visit: Visit) -> Response:
    """Lead to problems if there are any, else to changes.

    While the import runs, the address keeps open which: the page that watches it asks again when it
    has ended.
    """
    data = await load_import_page(visit, "import_status")
    if data["import"]["status"] in RUNNING:
        data = await load_problems(visit)
        # It may have ended between the two.
        if data["import"]["status"] in RUNNING:
            return show_loaded_problems(visit, data)
    return visit.go(f"imports/{visit.path('import_id')}/{first_tab(data['import'])}")


def first_tab(item: Mapping[str, Any]) -> str:
    """Choose the tab of an import that has ended, or is held.

    Args:
        item: the fields of the operation `import_status`.
    """
    if item["errors"]:
        return "problems"
    # What is held is to be released for its changes, and those say what an undo can't take back.
    is_about_changes = item["status"] == "HELD" or item["undoOf"]
    return "problems" if item["failed"] and not is_about_changes else "changes"
