"""What `caseroll changes` prints."""

from __future__ import annotations

from typing import Any

import pytest

from api.cli.changes import _print
from tests.api.cli.test_printable import NASTY

CASE = {"id": "Q2FzZTox", "tagId": "trv-001", "about": "Smith"}
USER = {"id": "VXNlcjox", "tagId": None, "email": "jo@example.org"}


def change(kind: str, *fields: tuple[str, str | None, str | None], **others: Any) -> dict[str, Any]:
    named = [{"name": name, "before": one, "after": other} for name, one, other in fields]
    change = {"row": 2, "kind": kind, "isStale": False, "case": CASE, "user": USER}
    return {**change, "fields": named, **others}


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        (
            change("CREATE", ("case_role_id", None, "staff"), ("case_notify", None, "0")),
            "2\tCREATE\ttrv-001\tjo@example.org\tstaff; case_notify: 0",
        ),
        (
            change("UPDATE", ("case_role_id", "staff", "clients"), isStale=True),
            "2\tUPDATE\ttrv-001\tjo@example.org\tstaff → clients; (changed since)",
        ),
        (
            change("REMOVE", ("case_role_id", "staff", None)),
            "2\tREMOVE\ttrv-001\tjo@example.org\tstaff",
        ),
        (
            change("UPDATE", ("given_name", "", "Jo"), ("locale", "es", None), case=None),
            "2\tUPDATE\t\tjo@example.org\tgiven_name: (empty) → Jo; locale: es → -",
        ),
        (change("UPDATE", case=None, user=None), "2\tUPDATE\t\t\t"),
    ],
    ids=["create", "stale", "remove", "of a user", "untold"],
)
def test_table(listed: dict[str, Any], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A change is a line: roles by themselves, other fields with their names."""
    _print({"consequences": [], "changes": [listed], "totalCount": 3})

    assert capsys.readouterr().out.splitlines() == [
        "row\tkind\tcase\tuser\tchange",
        text,
        "… and 2 more; --first 3 lists them all.",
    ]


def test_consequences(capsys: pytest.CaptureFixture[str]) -> None:
    """Consequences come first, with the first few that they concern; nothing breaks a terminal."""
    few = {"message": "1 case would be left.", "count": 1, "cases": [CASE], "users": []}
    many = {"message": NASTY, "count": 9, "cases": [], "users": [USER, USER]}
    mails = {"message": "7 users would get a mail.", "count": 7, "cases": [], "users": []}
    _print({"consequences": [few, many, mails], "changes": [], "totalCount": 0})
    said = capsys.readouterr().out

    assert said.splitlines()[0] == "1 case would be left. (trv-001)"
    assert "(jo@example.org, jo@example.org, …)" in said
    assert "7 users would get a mail.\n" in said
    assert not set("\x07\x1b\x9b\u202e\r") & set(said)
