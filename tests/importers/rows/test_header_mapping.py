"""What an upload says of a header: which columns its names stand for, and which to pass over."""

from __future__ import annotations

import pytest

from importers.rows.header import HeaderSpec, match_header
from importers.rows.header_mapping import HeaderMapping
from importers.sdk.errors import FileRefusedError

USERS = HeaderSpec(key="add-users", label="Add users", columns={"username": True, "locale": False})
CASES = HeaderSpec(key="add-cases", label="Add cases", columns={"tag_id": True})


def matched(header: str, ignored: str = "", **columns: str) -> dict[str, int]:
    """Match a header under a mapping."""
    mapping = HeaderMapping(columns=columns, ignored=[each for each in ignored.split(",") if each])
    return match_header(header.split(","), USERS, [USERS, CASES], mapping=mapping)


def test_names() -> None:
    """Names of a mapping are read like those of a header: in any case, spaces like `_`."""
    header = ["E-Mail", "locale", "Office Notes"]
    mapping = HeaderMapping(columns={"e mail": "username"}, ignored=("office_NOTES",))

    assert mapping.columns_of(header) == ["username", "locale", "office_notes"]
    assert mapping.names(header)[:2] == ["username", "locale"]
    assert mapping.absent(header) == []
    assert HeaderMapping(columns={"x": "username"}, ignored=("y",)).absent(header) == ["x", "y"]


def test_positions() -> None:
    """Columns are found where their headers are, and ignored ones nowhere."""
    assert matched("notes,mail,locale", "notes", mail="username") == {"username": 1, "locale": 2}
    assert matched("mail,locale", "locale", mail="username") == {"username": 0}


@pytest.mark.parametrize(
    ("header", "ignored", "columns", "codes"),
    [
        ("mail,locale", "", {}, ["UNKNOWN_COLUMN", "MISSING_COLUMN"]),
        ("mail,username", "", {"mail": "username"}, ["DUPLICATE_COLUMN"]),
        ("username,locale", "notes", {"mail": "locale"}, ["NO_SUCH_HEADER", "NO_SUCH_HEADER"]),
        ("username,locale", "username", {}, ["MISSING_COLUMN"]),
        ("tag_id", "", {"mail": "username"}, ["NO_SUCH_HEADER"]),
        ("name,tag_id", "name", {}, ["WRONG_TYPE"]),
    ],
)
def test_refused(header: str, ignored: str, columns: dict[str, str], codes: list[str]) -> None:
    """A mapping that does not fit the file is refused, and so is what it leaves wrong."""
    with pytest.raises(FileRefusedError) as caught:
        matched(header, ignored, **columns)

    assert [error.code for error in caught.value.errors] == codes


def test_what_is_missing() -> None:
    """The error says which headers there are."""
    with pytest.raises(FileRefusedError) as caught:
        matched("username,locale", "Notes")

    assert caught.value.errors[0].message == (
        "The upload says what the column 'Notes' is, and the file has no such column; it has "
        "'username', 'locale'."
    )


def test_stored() -> None:
    """What is stored is read as it was, and a mapping that says nothing is not stored."""
    mapping = HeaderMapping(columns={"E-Mail": "username"}, ignored=["Notes"])

    assert HeaderMapping.of(mapping.as_stored()) == mapping
    assert HeaderMapping().as_stored() is None
    assert HeaderMapping.of(None) == HeaderMapping()


def test_warnings() -> None:
    """A warning names what was passed over."""
    [warning] = HeaderMapping(ignored=["Notes", "Age"]).warnings()

    assert warning.code == "IGNORED_COLUMNS"
    assert warning.message == (
        "The columns 'Notes', 'Age' were passed over, as the upload has asked."
    )
    assert HeaderMapping(columns={"a": "b"}).warnings() == []
