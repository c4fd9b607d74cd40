"""The tab that an import's own address leads to."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.pages.problems import first_tab as module
from api.console.pages.problems.first_tab import first_tab
from tests.api.api_fixture import Api, add_import, node_id, sql
from tests.api.console.browser import Browser

ENDED: dict[str, Any] = {"status": "PROCESSED", "failed": 0, "errors": [], "undoOf": None}


@pytest.mark.parametrize(
    ("changes", "tab"),
    [
        ({}, "changes"),
        ({"failed": 1}, "problems"),
        ({"status": "FAILED", "errors": [{"code": "NO_ROWS"}]}, "problems"),
        ({"status": "HELD", "failed": 1}, "changes"),
        ({"undoOf": {"id": "x"}, "failed": 1}, "changes"),
    ],
    ids=["well", "failed rows", "refused", "held", "undo"],
)
def test_first_tab(changes: dict[str, Any], tab: str) -> None:
    """Problems come first if there are any, but for what changes decide."""
    assert first_tab({**ENDED, **changes}) == tab


async def test_ended_meanwhile(api: Api, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that ends between the two questions of the page is led to its tab as well."""

    async def still_running(*_: Any) -> dict[str, Any]:
        return {"import": {"status": "PROCESSING"}}

    monkeypatch.setattr(module, "load_import_page", still_running)
    ended = {"finished_at": await sql("fetchval", "SELECT now()"), "failed": 2, "total": 2}
    place = f"/console/imports/{node_id('Import', await add_import(api.world.app, **ended))}"

    assert (await admin.get(place)).location == f"{place}/problems"
