"""The tab that an import's own address leads to."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.pages.problems.first_tab import first_tab

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
