"""A header is matched with its type's columns, or refused with every problem named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from importers.builtin.sync import SyncUsers
from importers.rows.header import HeaderSpec, header_spec, match_header
from importers.sdk.columns import Column, column_name
from importers.sdk.errors import FileRefusedError
from importers.sdk.importer import Importer
from importers.sdk.references import CaseRef

ASSIGN = HeaderSpec(
    key="assign",
    label="Assign users to cases",
    columns={
        "case_id": True,
        "user_id": True,
        "case_role_order": False,
        "case_role_id": True,
        "case_notify": False,
    },
)
MODIFY = HeaderSpec(
    key="modify",
    label="Modify users assigned to cases",
    columns={
        "case_id": True,
        "user_id": True,
        "case_role_order": False,
        "case_role_id": False,
        "case_notify": False,
    },
    at_worst="changes",
)
REMOVE = HeaderSpec(
    key="remove",
    label="Remove users assigned to cases",
    columns={"user_id": True, "case_id": True},
    at_worst="removes",
)
ADD_USERS = HeaderSpec(
    key="add-users", label="Add users", columns={"username": True, "locale": False}
)
NOTES = HeaderSpec(
    key="notes",
    label="Add notes",
    columns={"case_id": True, "user_id": True, "note": True},
    at_worst="changes",
)
SYNC = HeaderSpec(
    key="sync",
    label="Sync users assigned to cases",
    columns=ASSIGN.columns,
    at_worst="removes",
)
ALL = (ADD_USERS, ASSIGN, MODIFY, REMOVE)


def problems(header: str, spec: HeaderSpec) -> list[tuple[str, str]]:
    with pytest.raises(FileRefusedError) as caught:
        match_header(header.split(","), spec, ALL)
    return [(error.code, error.message) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        pytest.param("case_id", "case_id", id="as it is"),
        pytest.param(" Case ID ", "case_id", id="space and capitals"),
        pytest.param("CASE-ID", "case_id", id="hyphen"),
        pytest.param("\u00a0Case\u00a0Id", "case_id", id="no-break space"),
        pytest.param("\ufeff\u200bCase\u00ad ID\u200e", "case_id", id="what can't be seen"),
        pytest.param("  ", "", id="nothing"),
    ],
)
def test_column_name(written: str, name: str) -> None:
    """Names are trimmed, in any case, and a space or hyphen is an underscore."""
    assert column_name(written) == name


@pytest.mark.parametrize(
    ("header", "spec", "places"),
    [
        pytest.param(
            "case_id,user_id,case_role_order,case_role_id,case_notify",
            ASSIGN,
            {
                "case_id": 0,
                "user_id": 1,
                "case_role_order": 2,
                "case_role_id": 3,
                "case_notify": 4,
            },
            id="all columns",
        ),
        pytest.param(
            "Case-Role ID,User ID,CASE_ID",
            ASSIGN,
            {"case_role_id": 0, "user_id": 1, "case_id": 2},
            id="any order and spelling, optional ones left out",
        ),
        pytest.param(
            "row,case_id,user_id,Errors,row",
            REMOVE,
            {"case_id": 1, "user_id": 2},
            id="our own download's columns are not read",
        ),
        pytest.param(
            "case_id,user_id,case_role_id,case_notify",
            ASSIGN,
            {"case_id": 0, "user_id": 1, "case_role_id": 2, "case_notify": 3},
            id="fits its type, though it is another's sample",
        ),
    ],
)
def test_match_header(header: str, spec: HeaderSpec, places: dict[str, int]) -> None:
    """A header with all required columns and no unknown one fits its type."""
    assert match_header(header.split(","), spec, ALL) == places


@pytest.mark.parametrize(
    ("header", "spec", "message", "suggestion"),
    [
        pytest.param(
            "username,locale",
            REMOVE,
            "*Remove users assigned to cases* needs the columns 'user_id', 'case_id', and the file "
            "looks like *Add users*. Add what is missing, or choose the other type.",
            "add-users",
            id="nothing in common",
        ),
        pytest.param(
            "case_id,user_id,case_role_id",
            NOTES,
            "*Add notes* needs the column 'note', and the file looks like *Assign users to cases* "
            "or *Modify users assigned to cases*. Add what is missing, or choose the other type.",
            None,
            id="two that it could be",
        ),
    ],
)
def test_wrong_type(header: str, spec: HeaderSpec, message: str, suggestion: str | None) -> None:
    """A header that fits others better than its type gets one answer, which names them."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(header.split(","), spec, ALL)

    assert [error.code for error in caught.value.errors] == ["WRONG_TYPE"]
    assert caught.value.errors[0].message == message
    assert caught.value.errors[0].suggestion == suggestion


@pytest.mark.parametrize(
    ("header", "spec", "message"),
    [
        pytest.param(
            "user_id,case_id",
            ASSIGN,
            "The column 'case_role_id' is missing, and *Assign users to cases* needs it. "
            "Add it to the header row.",
            id="remove as assign",
        ),
        pytest.param(
            "case_id,user_id,case_notify",
            ASSIGN,
            "The column 'case_role_id' is missing, and *Assign users to cases* needs it. "
            "Add it to the header row.",
            id="modify as assign",
        ),
        pytest.param(
            "case_id,user_id,row,errors",
            MODIFY,
            "*Modify users assigned to cases* would find nothing to do in the file. Add a column "
            "that says what to change, such as 'case_notify', to the header row.",
            id="nothing to modify, and just what remove has",
        ),
    ],
)
def test_no_type_that_does_worse(header: str, spec: HeaderSpec, message: str) -> None:
    """An admin who forgot a column is never led to a type that changes or removes more."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(header.split(","), spec, ALL)

    (error,) = caught.value.errors
    assert (error.code, error.message, error.suggestion) == ("MISSING_COLUMN", message, None)


@pytest.mark.parametrize(
    ("header", "spec", "expected"),
    [
        pytest.param(
            "case_id,user_id,case_role_id",
            REMOVE,
            [
                (
                    "UNKNOWN_COLUMN",
                    "Column C, 'case_role_id', is not known to *Remove users assigned to cases*. "
                    "It is a column of *Assign users to cases* or *Modify users assigned to "
                    "cases*: is this the right type?",
                )
            ],
            id="assign as remove",
        ),
        pytest.param(
            "case_id,usr_id,case_role_id",
            ASSIGN,
            [
                ("UNKNOWN_COLUMN", "Column B, 'usr_id', is not known; did you mean 'user_id'?"),
                (
                    "MISSING_COLUMN",
                    "The column 'user_id' is missing, and *Assign users to cases* needs it. "
                    "Add it to the header row, or say at the upload which column it is.",
                ),
            ],
            id="a misspelt name",
        ),
        pytest.param(
            "case_id,user_id,colour",
            REMOVE,
            [
                (
                    "UNKNOWN_COLUMN",
                    "Column C, 'colour', is not known. The columns of *Remove users assigned to "
                    "cases* are user_id, case_id: rename it or remove it, or say at the upload "
                    "which of them it is, or that it is to be ignored.",
                )
            ],
            id="a name like no other",
        ),
        pytest.param(
            "case_id,user_id,Case ID,CASE-ID",
            REMOVE,
            [
                (
                    "DUPLICATE_COLUMN",
                    "The columns A, C and D are all 'case_id'. Keep one of them.",
                )
            ],
            id="a column three times",
        ),
        pytest.param(
            "case_id,user_id,case_id",
            REMOVE,
            [("DUPLICATE_COLUMN", "The columns A and C are both 'case_id'. Keep one of them.")],
            id="a column twice",
        ),
        pytest.param(
            "case_id,,user_id",
            REMOVE,
            [
                (
                    "UNNAMED_COLUMN",
                    "Column B has no name. Name it in the header row, or remove it.",
                )
            ],
            id="no name in the middle",
        ),
        pytest.param(
            "trv-001,jack-001,,staff,0",
            REMOVE,
            [
                (
                    "UNKNOWN_COLUMN",
                    f"Column {letter}, '{name}', is not known. The columns of *Remove users "
                    "assigned to cases* are user_id, case_id: rename it or remove it, or say at "
                    "the upload which of them it is, or that it is to be ignored.",
                )
                if name
                else (
                    "UNNAMED_COLUMN",
                    "Column C has no name. Name it in the header row, or remove it.",
                )
                for letter, name in zip(
                    "ABCDE", ["trv-001", "jack-001", "", "staff", "0"], strict=True
                )
            ]
            + [
                (
                    "MISSING_COLUMN",
                    f"The column '{name}' is missing, and *Remove users assigned to cases* needs "
                    "it. Add it to the header row, or say at the upload which column it is.",
                )
                for name in ("user_id", "case_id")
            ],
            id="no header at all",
        ),
    ],
)
def test_all_problems(header: str, spec: HeaderSpec, expected: list[tuple[str, str]]) -> None:
    """Every problem is named at once: those of the file in its order, then what is missing."""
    assert problems(header, spec) == expected


def test_a_strange_name_is_shown_harmlessly() -> None:
    """A name is shown shortened and without control characters, and costs no time to guess at."""
    name = "\x1b[31m" + "n" * 1_000_000

    found = problems(f"user_id,case_id,{name}", REMOVE)

    assert found[0][0] == "UNKNOWN_COLUMN"
    assert found[0][1].startswith("Column C, '[U+001B][31mnnn")
    assert len(found[0][1]) < 300


def test_the_column_and_the_guess_are_data() -> None:
    """A client gets the column at fault and the suggestion apart from the sentence."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(["Case ID", "Usr ID"], REMOVE, ALL)

    assert caught.value.errors[0].column == "usr_id"
    assert caught.value.errors[0].value == "Usr ID"
    assert caught.value.errors[0].suggestion == "user_id"


@pytest.mark.parametrize("start", ["row,errors,", "Errors,Row,"])
def test_failed_rows_alone(start: str) -> None:
    """Without the rows that have passed, groups would not be whole."""
    found = problems(f"{start}case_id,user_id,case_role_id", replace(SYNC, has_groups=True))

    assert [code for code, _ in found] == ["ONLY_FAILED_ROWS"]


@pytest.mark.parametrize(
    ("start", "has_groups"), [("errors", True), ("row", True), ("row,errors", False)]
)
def test_not_failed_rows_alone(start: str, has_groups: bool) -> None:
    """An export has all rows, and the column of errors; other types need no other rows."""
    header = [*start.split(","), "case_id", "user_id", "case_role_id"]

    places = match_header(header, replace(SYNC, has_groups=has_groups), ALL)

    assert set(places) == {"case_id", "user_id", "case_role_id"}


def test_header_spec() -> None:
    """The reader of headers is told the columns and which of them a file must have."""

    class Roster(Importer):
        label = "Roster"
        case_id = CaseRef(required=True)
        note = Column[str]()

    spec = header_spec(Roster("acme-roster"))

    assert (spec.key, spec.label) == ("acme-roster", "Roster")
    assert spec.columns == {"case_id": True, "note": False}
    assert (spec.has_groups, header_spec(SyncUsers("sync")).has_groups) == (False, True)


@pytest.mark.parametrize(
    ("header", "below"),
    [
        pytest.param(["Team roster"], [(3, ["case_id", "user_id", "Case Role ID"])], id="title"),
        pytest.param(["Team"], [(2, ["x"]), (3, ["user_id;case_id;case_role_id"])], id="delimiter"),
        pytest.param(["Roster", "June"], [(3, ["user_id,case_id,case_role_id"])], id="comma"),
        pytest.param(["case_id", "user_id"], [(3, ["case_id", "user_id", "case_role_id"])],
                     id="another header"),
    ],
)  # fmt: skip
def test_a_title_above_the_header(header: list[str], below: list[tuple[int, list[str]]]) -> None:
    """A row below that has the required columns is the header that was meant."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(header, ASSIGN, ALL, below=below)

    (error,) = caught.value.errors
    assert (error.code, error.message) == (
        "HEADER_NOT_FIRST",
        "The header seems to be in row 3, and there is something else above it. "
        "Delete the rows above the header.",
    )


def test_columns_of_a_table_further_to_the_right() -> None:
    """Letters are those of the sheet."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(["case_id", "user_id", "", "user_id", "x"], REMOVE, ALL, first_column=25)

    assert [error.message.split(".")[0] for error in caught.value.errors][:3] == [
        "The columns AA and AC are both 'user_id'",
        "Column AB has no name",
        "Column AD, 'x', is not known",
    ]


def test_a_column_of_types_that_do_worse() -> None:
    """An admin with a column too many is not led to a removal either."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(["username", "case_role_id"], ADD_USERS, [*ALL, SYNC])

    assert "Sync" not in caught.value.errors[0].message


def test_only_of_an_own_type_that_removes() -> None:
    """A file for one type that removes may be meant for another."""
    with pytest.raises(FileRefusedError) as caught:
        match_header(["case_id", "user_id", "case_role_id"], REMOVE, [*ALL, SYNC])

    assert "or *Sync users assigned to cases*: is this" in caught.value.errors[0].message


@pytest.mark.parametrize(
    ("header", "spec"),
    [
        pytest.param("user_id,locale", ADD_USERS, id="another type knows no more of the names"),
        pytest.param("case_id,locale,username", ADD_USERS, id="another type knows fewer"),
    ],
)
def test_no_type_that_fits_no_better(header: str, spec: HeaderSpec) -> None:
    """One column of another type makes no file of that type."""
    assert not any("is this the right type?" in message for _, message in problems(header, spec))
