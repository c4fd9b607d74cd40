"""How what is stored becomes cells, and what is remarked on them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from api.files.export_form import ExportForm
from api.files.export_nouns import EXPORTS
from importers.plugins.registry import load
from importers.sdk.node_id import encode_node_id

IMPORTERS = load().importers
USER = {
    "id": 7,
    "tag_id": "u-7",
    "email": "jo@example.org",
    "given_name": "Jo",
    "family_name": "",
    "locale": None,
    "zoneinfo": "UTC",
    "is_active": False,
}
CASE = {"id": 9, "tag_id": "c-9", "about": "x", "date_opened": None, "is_active": True}
ASSIGNMENT = {
    "case_id": 9,
    "case_tag_id": None,
    "user_id": 7,
    "user_tag_id": "-u",
    "role_key": "staff",
    "notify": True,
}
CASE_9, USER_7 = encode_node_id("Case", 9), encode_node_id("User", 7)


def lay_out(noun: str, key: str, row: dict[str, Any], **taken: set[str]) -> tuple[str, ...]:
    rows: list[Any] = [row]
    [cells] = ExportForm(EXPORTS[noun], IMPORTERS[key]).lay_out(rows, taken)
    return cells


@pytest.mark.parametrize(
    ("noun", "key", "row", "cells"),
    [
        ("assignments", "modify", ASSIGNMENT, (CASE_9, "'-u", "staff", "1", "")),
        ("assignments", "assign", ASSIGNMENT, (CASE_9, "'-u", "", "staff", "1", "")),
        ("assignments", "remove", ASSIGNMENT, ("'-u", CASE_9, "")),
        ("users", "modify-users", USER, ("u-7", "Jo", "", "", "UTC", "u-7", "0", "")),
        ("users", "modify-users", USER | {"tag_id": None},
         (USER_7, "Jo", "", "", "UTC", "", "0", "")),
        ("users", "add-users", USER, ("jo@example.org", "Jo", "", "", "UTC", "u-7", "")),
        ("cases", "modify-cases", CASE | {"date_opened": date(2026, 3, 4)},
         ("c-9", "1", "2026-03-04", "x", "")),
        ("cases", "add-cases", CASE, ("c-9", "1", "", "x", "")),
        ("cases", "modify-cases", CASE | {"about": ""}, ("c-9", "1", "", "", "")),
    ],
)  # fmt: skip
def test_cells(noun: str, key: str, row: dict[str, Any], cells: tuple[str, ...]) -> None:
    """Names are Tag IDs or IDs, states are numbers, days are ISO, and nothing is a blank cell."""
    assert lay_out(noun, key, row) == cells


@pytest.mark.parametrize(
    ("changes", "kept", "written", "remark"),
    [
        ({"about": "#N/A"}, "", "#N/A", "About: "),
        ({"about": "a\rb"}, "", "a\rb",
         "About: a file can't hold this text exactly as it is stored."),
        ({"date_opened": date(1850, 5, 5)}, "", "1850-05-05", "Date Opened: '1850-05-05' "),
    ],
)  # fmt: skip
def test_what_no_file_can_say(
    changes: dict[str, Any], kept: str, written: str, remark: str
) -> None:
    """A file that modifies leaves the cell blank, one that creates has the text; both say why."""
    index = 3 if "about" in changes else 2
    modify = lay_out("cases", "modify-cases", CASE | changes)
    add = lay_out("cases", "add-cases", CASE | changes)

    assert (modify[index], add[index]) == (kept, written)
    assert modify[-1] == add[-1]
    assert add[-1].startswith(remark)


def test_what_a_new_case_lacks() -> None:
    """Files that create cases need a Tag ID and a text: both are remarked."""
    assert lay_out("cases", "add-cases", CASE | {"tag_id": None, "about": ""})[-1] == (
        "Tag Id: is required. About: is required."
    )


def test_ids_that_are_tag_ids() -> None:
    """An ID that is another case's Tag ID names nothing, but is fine as the ID of a user."""
    named = lay_out("assignments", "modify", ASSIGNMENT, Case={CASE_9})

    assert named == (
        "",
        "'-u",
        "staff",
        "1",
        f"Case Id: another case has the ID of this one, '{CASE_9}', as its Tag ID; give this case"
        " a Tag ID.",
    )
    assert lay_out("assignments", "modify", ASSIGNMENT, User={CASE_9})[0] == CASE_9
