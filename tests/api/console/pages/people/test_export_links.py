"""Links to downloads of lists."""

from __future__ import annotations

from typing import Any

from api.console.language import Language
from api.console.pages.people.export_links import ExportLinks, export_links
from api.console.visit import Visit


def test_links() -> None:
    """Only types that are switched on have links; filters are passed on, unless they are blank."""
    nothing: Any = None
    visit = Visit(request=nothing, context=nothing, language=Language("en"), root="/x/console")
    types = [{"key": "modify", "label": "Modify"}, {"key": "assign", "label": "Assign"}]

    found = export_links(
        visit, "assignments", ("modify", "remove"), types, search="a b", role=None, user=""
    )

    assert found == [
        ExportLinks(
            label="Modify",
            csv="/x/console/files/assignments.csv?type=modify&search=a+b",
            workbook="/x/console/files/assignments.xlsx?type=modify&search=a+b",
        )
    ]
