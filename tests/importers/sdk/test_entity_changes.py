"""Users and cases by file: what each row means, without a database."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from importers import (
    AddCase,
    AddUser,
    Case,
    Importer,
    ModifyCase,
    ModifyUser,
    OwnChange,
    User,
)
from importers.builtin.add_cases import AddCases
from importers.builtin.add_users import AddUsers
from importers.builtin.modify_cases import ModifyCases
from importers.builtin.modify_users import ModifyUsers
from importers.plugins.sample_file import sample_csv
from importers.testing import check_importer, run_importer

JO = "jo@example.org,Jo,Smith,en,UTC,smith-001"


def file(importer: type[Importer], *rows: str) -> str:
    """Write a file with all columns."""
    return "\n".join([",".join(importer.columns), *rows])


def codes(importer: type[Importer], *rows: str) -> list[Any]:
    """Give each row's error codes with their columns, else what it is: new or a repeat."""
    reports = run_importer(importer, file(importer, *rows))
    return [
        [(error["code"], error.get("column")) for error in report["errors"]]
        if "errors" in report
        else report.get("message") or "asks"
        for report in reports
    ]


@pytest.mark.parametrize(
    ("importer", "row", "asks"),
    [
        pytest.param(
            AddUsers, "Jo@example.org,Jo,Smith,SP,UTC,smith-001",
            {"change": "AddUser", "email": "Jo@example.org", "given_name": "Jo",
             "family_name": "Smith", "locale": "es", "zoneinfo": "UTC", "tag_id": "smith-001"},
            id="a user",
        ),
        pytest.param(
            AddUsers, "jo@example.org,,,,,",
            {"change": "AddUser", "email": "jo@example.org", "given_name": "", "family_name": ""},
            id="a user, blank but for the address",
        ),
        pytest.param(
            ModifyUsers, "jack-001,,,,,,", {"change": "ModifyUser", "user": "jack-001"},
            id="blank cells keep",
        ),
        pytest.param(
            ModifyUsers, "jack-001,,Jackson,,,,0",
            {"change": "ModifyUser", "user": "jack-001",
             "family_name": "Jackson", "is_active": False},
            id="some of a user",
        ),
        pytest.param(
            AddCases, "trv-9,,,Smith v. Jones",
            {"change": "AddCase", "tag_id": "trv-9", "about": "Smith v. Jones", "is_active": True},
            id="a case is active",
        ),
        pytest.param(
            AddCases, "trv-9,0,1/31/2026,Smith v. Jones",
            {"change": "AddCase", "tag_id": "trv-9", "about": "Smith v. Jones",
             "is_active": False, "date_opened": "2026-01-31"},
            id="a closed case",
        ),
        pytest.param(
            ModifyCases, "closed-001,1,,",
            {"change": "ModifyCase", "case": "closed-001", "is_active": True},
            id="a closed case is opened",
        ),
    ],
)  # fmt: skip
def test_what_a_row_asks_for(importer: type[Importer], row: str, asks: dict[str, Any]) -> None:
    """A row asks for one change, with the values of its cells."""
    check_importer(importer, file(importer, row), [{"row": 2, "asks": [asks]}])


@pytest.mark.parametrize(
    ("importer", "row", "expected"),
    [
        (
            AddUsers,
            f"jo,{'x' * 201},,english please,Mars,a b",
            [
                ("INVALID_EMAIL", "username"),
                ("TOO_LONG", "given_name"),
                ("INVALID_LOCALE", "locale"),
                ("INVALID_ZONEINFO", "zoneinfo"),
                ("INVALID_TAG", "host_tag_id"),
            ],
        ),
        (AddUsers, ",,,,,a", [("REQUIRED", "username")]),
        (
            ModifyUsers,
            "jak-001,,,,,1.0,2",
            [
                ("NOT_FOUND", "user_id"),
                ("SPREADSHEET_DAMAGE", "host_tag_id"),
                ("INVALID_FLAG", "host_user_status"),
            ],
        ),
        (
            AddCases,
            ",x,2026-02-30,About",
            [
                ("REQUIRED", "tag_id"),
                ("INVALID_FLAG", "case_status"),
                ("INVALID_DATE", "date_opened"),
            ],
        ),
        (ModifyCases, "trv-01,,,x", [("NOT_FOUND", "case_id")]),
    ],
)
def test_errors_of_cells(importer: type[Importer], row: str, expected: object) -> None:
    """All wrong cells of a row are told at once."""
    assert codes(importer, row) == [expected]


@pytest.mark.parametrize(
    ("importer", "first", "second", "expected"),
    [
        pytest.param(AddUsers, JO, JO, "repeats row 2", id="the same user"),
        pytest.param(AddUsers, JO, JO.replace("jo@", "JO@"), "repeats row 2", id="in capitals"),
        pytest.param(
            AddUsers, JO, "JO@example.org,Joe,,,,", [("EMAIL_TAKEN", "username")], id="address"
        ),
        pytest.param(
            AddUsers, JO, "joe@example.org,,,,,smith-001", [("TAG_TAKEN", "host_tag_id")], id="tag"
        ),
        pytest.param(
            AddUsers, JO, "jo@example.org,,,,,smith-001",
            [("EMAIL_TAKEN", "username"), ("TAG_TAKEN", "host_tag_id")],
            id="address and tag",
        ),
        pytest.param(AddUsers, "a@b.org,,,,,", "c@b.org,,,,,", "asks", id="two without a tag"),
        pytest.param(
            ModifyUsers, "jack-001,Jo,,,,,", "jack-001,Jo,,,,,", "repeats row 2", id="as before"
        ),
        pytest.param(
            ModifyUsers, "jack-001,Jo,,,,,", "VXNlcjox,,Jo,,,,", [("CONFLICTS_WITH_ROW", None)],
            id="the same user in another way, by ID",
        ),
        pytest.param(
            ModifyUsers, "jack-001,,,,,a,", "jones-001,,,,,a,", [("TAG_TAKEN", "host_tag_id")],
            id="one tag for two users",
        ),
        pytest.param(AddCases, "a,,,x", "a,1,,x", "repeats row 2", id="blank is active"),
        pytest.param(AddCases, "a,,,x", "a,,,y", [("TAG_TAKEN", "tag_id")], id="another case"),
        pytest.param(AddCases, "a,,,x", "A,,,x", "asks", id="tags are exact"),
        pytest.param(
            ModifyCases, "trv-001,0,,", "trv-001,1,,", [("CONFLICTS_WITH_ROW", None)],
            id="closed and opened",
        ),
    ],
)  # fmt: skip
def test_rows_that_meet(
    importer: type[Importer], first: str, second: str, expected: object
) -> None:
    """A row that says what an earlier one says is a repeat; one that says otherwise fails."""
    assert codes(importer, first, second) == ["asks", expected]


def test_message_of_a_taken_value() -> None:
    """The error names the cell and the row that has the same."""
    report = run_importer(AddUsers, file(AddUsers, JO, "x@example.org,,,,,smith-001"))[1]

    assert report["errors"] == [
        {
            "code": "TAG_TAKEN",
            "message": "Host Tag Id: row 2 of this file has it too.",
            "column": "host_tag_id",
            "value": "smith-001",
            "params": {"row": 2},
        }
    ]


@pytest.mark.parametrize(
    ("importer", "label", "header"),
    [
        (AddUsers, "Add users", "username,given_name,family_name,locale,zoneinfo,host_tag_id"),
        (
            ModifyUsers,
            "Modify users",
            "user_id,given_name,family_name,locale,zoneinfo,host_tag_id,host_user_status",
        ),
        (AddCases, "Create cases", "tag_id,case_status,date_opened,about"),
        (ModifyCases, "Modify cases", "case_id,case_status,date_opened,about"),
    ],
)
def test_samples(importer: type[Importer], label: str, header: str) -> None:
    """The types are called as in the product's menu, and have its columns in its order."""
    sample = sample_csv(importer("x"))

    assert importer.label == label
    assert sample.partition("\r\n")[0] == header
    assert [list(report) for report in run_importer(importer, sample)] == [["row", "asks"]]


def test_a_one_letter_tag_is_told_from_a_one_letter_name() -> None:
    """Equal texts can be one object; the error is on the column that is to be unique."""
    assert codes(AddUsers, "a@b.org,x,x,,,x", "c@b.org,x,x,,,x")[1] == [
        ("TAG_TAKEN", "host_tag_id")
    ]


USER = {"given_name": "Jo", "family_name": "Smith", "locale": "en", "zoneinfo": "UTC"}
CASE = {"about": "Smith v. Jones", "is_active": False, "date_opened": date(2026, 1, 31)}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(AddUser(email="jo@example.org", tag_id="smith-001", **USER), id="add user"),
        pytest.param(AddUser(email="jo@example.org"), id="add user, by address alone"),
        pytest.param(
            ModifyUser(
                user=User(id=7, tag_id=None, email=""), tag_id="jo-1", is_active=True, **USER
            ),
            id="modify user",
        ),
        pytest.param(AddCase(tag_id="trv-1", **CASE), id="add case"),
        pytest.param(ModifyCase(case=Case(id=7, tag_id=None), **CASE), id="modify case"),
        pytest.param(ModifyCase(case=Case(id=7, tag_id=None)), id="modify nothing of a case"),
    ],
)
def test_wish(change: OwnChange) -> None:
    """What is asked for is all that the change holds, in the order of its fields."""

    assert change.wish() == OwnChange.wish(change)


def test_addresses_in_any_case_are_one_wish() -> None:
    """Two rows that differ in the capitals of the address alone say the same."""

    assert AddUser(email="Jo@Example.org").wish() == AddUser(email="jo@example.org").wish()
