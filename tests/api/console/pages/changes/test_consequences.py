"""Consequences, prepared for a page."""

from __future__ import annotations

from api.console.pages.changes.consequences import sort_consequences


def test_warnings_first() -> None:
    """Warnings come before what is only good to know, and say how many more there are."""
    mails = {"code": "MAILS", "message": "7 users would get a mail.", "count": 7}
    last = {"code": "USERS_WITHOUT_CASES", "message": "1 user …", "count": 1}
    users = [{"id": str(number)} for number in range(5)]
    shown = sort_consequences(
        [{**mails, "cases": [], "users": users}, {**last, "cases": [], "users": users[:1]}]
    )

    assert [(each.message, each.is_warning, each.more) for each in shown] == [
        ("1 user …", True, 0),
        ("7 users would get a mail.", False, 2),
    ]
