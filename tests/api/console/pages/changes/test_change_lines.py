"""Changes as lines, by case or by user."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.pages.changes.change_lines import ChangedSubject, ChangeGroup, group_changes

CASE = {"id": "c1", "tagId": "trv-001", "about": "Zhang v. Lee"}
OTHER_CASE = {"id": "c2", "tagId": None, "about": "No tag"}
USER = {
    "id": "u1",
    "tagId": "jack-001",
    "email": "j@example.org",
    "givenName": "Jack",
    "familyName": "",
}
NAMELESS = {"id": "u2", "tagId": None, "email": "n@example.org", "givenName": "", "familyName": ""}


def field(name: str, before: str | None, after: str | None) -> dict[str, Any]:
    return {"name": name, "before": before, "after": after}


def change(kind: str, *fields: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"case": CASE, "user": USER, "isStale": False, "row": 2, **values}
    return {"kind": kind, "fields": list(fields), **given}


def tags(groups: list[ChangeGroup]) -> list[tuple[str, list[int]]]:
    return [(group.subject.tag, [line.row for line in group.lines]) for group in groups]


def test_by_case_and_by_user() -> None:
    """Changes stand under their case or their user, in the order in which these come."""
    changes = [
        change("CREATE", row=2),
        change("CREATE", row=3, case=OTHER_CASE, user=NAMELESS),
        change("CREATE", row=4, user=NAMELESS),
    ]

    assert tags(group_changes(changes, "case")) == [("trv-001", [2, 4]), ("No tag", [3])]
    assert tags(group_changes(changes, "user")) == [("jack-001", [2]), ("n@example.org", [3, 4])]


def test_names() -> None:
    """A case is named by what it is about, a user by the name, or else the address."""
    [group] = group_changes([change("CREATE", user=NAMELESS)], "case")

    assert group.subject == ChangedSubject("case", "c1", "trv-001", "Zhang v. Lee")
    assert group.lines[0].other == ChangedSubject("user", "u2", "n@example.org", "n@example.org")


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        pytest.param(
            "CREATE",
            [field("case_role_id", None, "staff"), field("case_notify", None, "0")],
            (None, "staff", None),
            id="added",
        ),
        pytest.param(
            "CREATE",
            [field("case_role_id", None, "staff"), field("case_notify", None, "1")],
            (None, "staff", "1"),
            id="added with a mail",
        ),
        pytest.param(
            "UPDATE",
            [field("case_role_id", "clients", "staff")],
            ("clients", "staff", None),
            id="another role",
        ),
        pytest.param("UPDATE", [field("case_notify", "1", "0")], (None, None, "0"), id="mail only"),
        pytest.param(
            "REMOVE",
            [field("case_role_id", "staff", None), field("case_notify", "1", None)],
            ("staff", None, None),
            id="removed",
        ),
    ],
)
def test_assignment(
    kind: str, fields: list[dict[str, Any]], expected: tuple[str | None, ...]
) -> None:
    """A line has both roles, and the mail where it was asked for or has changed."""
    [[_, [line]]] = group_changes([change(kind, *fields)], "case")

    assert (line.before, line.after, line.mail) == expected
    assert line.fields == []


def test_change_of_a_user() -> None:
    """A change of a user's own fields stands under the user, also by case."""
    status = field("host_user_status", "1", "0")
    [[subject, [line]]] = group_changes([change("UPDATE", status, case=None)], "case")

    assert (subject.noun, subject.tag, line.other) == ("user", "jack-001", None)
    assert line.fields == [status]


def test_not_there_yet() -> None:
    """What a rehearsal would create is named by its fields, and has no page."""
    fields = [
        field("tag_id", None, "new-1"),
        field("about", None, "New"),
        field("case_status", None, "1"),
    ]
    [[subject, [line]]] = group_changes([change("CREATE", *fields, case=None, user=None)], "case")

    assert subject == ChangedSubject("", None, "new-1", "New")
    assert [each["name"] for each in line.fields] == ["case_status"]


def test_without_a_name() -> None:
    """Changes of which nothing is known stand each on its own."""
    unknown = [change("CREATE", case=None, user=None, row=row) for row in (2, 3)]

    assert tags(group_changes(unknown, "case")) == [("", [2]), ("", [3])]
