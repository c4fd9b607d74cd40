"""Consequences, prepared for a page."""

from __future__ import annotations

from api.console.pages.changes.consequences import sort_consequences

MAILS = {"code": "MAILS", "message": "7 users would get a mail.", "count": 7, "cases": []}
USERS = [{"id": str(number)} for number in range(5)]


def test_warnings_first() -> None:
    """Warnings come before what is only good to know, and say how many more there are."""
    last = {"code": "USERS_WITHOUT_CASES", "message": "1 user …", "count": 1, "cases": []}
    found = [{**MAILS, "users": USERS}, {**last, "users": USERS[:1]}]
    shown = sort_consequences({"undoOf": None, "consequences": found})

    assert [(each.found["message"], each.is_warning, each.more) for each in shown] == [
        ("1 user …", True, 0),
        ("7 users would get a mail.", False, 2),
    ]


def test_undo() -> None:
    """An undo is not warned of for taking something back."""
    reversals = {"code": "REVERSALS", "message": "…", "count": 1, "cases": [], "users": []}
    found = [reversals, {**MAILS, "users": USERS}]

    assert len(sort_consequences({"undoOf": None, "consequences": found})) == 2
    assert len(sort_consequences({"undoOf": {"id": "x"}, "consequences": found})) == 1


def test_not_asked_for() -> None:
    """Later pages of a list have none."""
    assert sort_consequences({"undoOf": None}) == []
