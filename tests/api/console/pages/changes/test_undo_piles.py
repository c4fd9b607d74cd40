"""The three piles of an undo."""

from __future__ import annotations

from api.console.pages.changes.undo_piles import KeptRow, sort_into_piles


def test_piles() -> None:
    """Every row is in one pile: reversed, so already, kept, or not to be undone."""
    problem = {"code": "CHANGED_SINCE", "message": "The user is not on the case any more."}
    row = {
        "cells": [{"column": "case_id", "value": "trv-1"}, {"column": "user_id", "value": "lee"}],
        "errors": [problem],
    }
    groups = [{"code": "CHANGED_SINCE", "count": 3}, {"code": "NOT_REVERSIBLE", "count": 2}]
    piles = sort_into_piles(
        {
            "passed": 5,
            "unchanged": 1,
            "failed": 5,
            "kept": {"totalCount": 3, "edges": [{"node": row}]},
            "errorGroups": {"edges": [{"node": group} for group in groups]},
        }
    )

    assert (piles.reversed, piles.done, piles.kept, piles.irreversible) == (4, 1, 3, 2)
    assert piles.kept_rows == [KeptRow("trv-1", "lee", problem)]
    assert piles.others == [groups[1]]
