"""Each kind of column reads each kind of cell as the rules say."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Blank, CaseRef, Column, Flag, Importer, RoleRef, RowError, UserRef

NBSP = "\u00a0"


class Roster(Importer):
    """Has one column of each kind."""

    text = Column[str]()
    key = Column[str](is_key=True)
    number = Column[str](required=True)
    blank = Blank()
    flag = Flag()
    kept = Flag(default=False)
    case_id = CaseRef()
    user_id = UserRef(required=True)
    role_id = RoleRef()
    seat = RoleRef(choices={"lead": "staff", "guest": "default"})


def error_of(column: Column[Any], cell: str) -> tuple[str, str]:
    with pytest.raises(RowError) as caught:
        column.read(cell)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        pytest.param("text", "a b", "a b", id="text as it is"),
        pytest.param("text", "  a  b  ", "a  b", id="trimmed outside, kept inside"),
        pytest.param(
            "text", f"{NBSP}\u202f\u2007a{NBSP}b\u3000", f"a{NBSP}b", id="no-break spaces"
        ),
        pytest.param("text", "\ta\r\n", "a", id="line ends and tabs around it"),
        pytest.param("text", "", None, id="blank text"),
        pytest.param("text", f" {NBSP} ", None, id="only spaces are blank"),
        pytest.param("text", "x" * 10_000, "x" * 10_000, id="as long as may be"),
        pytest.param(
            "text", " " * 9 + "x" * 10_000, "x" * 10_000, id="spaces around it don't count"
        ),
        pytest.param("text", "007", "007", id="zeros stay"),
        pytest.param("text", "Nu\u0301n\u0303ez", "Núñez", id="free text in one Unicode form"),
        pytest.param("text", "a\r\nb\rc\nd", "a\nb\nc\nd", id="free text in lines"),
        pytest.param("text", "#1 fan!", "#1 fan!", id="no error value"),
        pytest.param("key", "e\u0301", "e\u0301", id="Unicode forms of keys stay"),
        pytest.param("user_id", "e\u0301", "e\u0301", id="Unicode forms of IDs stay"),
        pytest.param("text", "null", "null", id="no magic words"),
        pytest.param("blank", "", None, id="blank left blank"),
        pytest.param("blank", f"{NBSP} ", None, id="blank with spaces"),
        pytest.param("flag", "", None, id="blank flag"),
        pytest.param("kept", " ", False, id="blank flag with a default"),
        pytest.param("case_id", " trv-001 ", "trv-001", id="case"),
        pytest.param("case_id", "", None, id="blank case"),
        pytest.param("user_id", "jack-001", "jack-001", id="user"),
        pytest.param("role_id", "staff", "staff", id="role"),
        pytest.param("role_id", "role::staff", "staff", id="role with its prefix"),
        pytest.param("role_id", "Role::staff", "Role::staff", id="the prefix is case-sensitive"),
        pytest.param("role_id", "role::role::x", "role::x", id="one prefix only"),
        pytest.param("seat", "lead", "staff", id="choice"),
        pytest.param("seat", "", None, id="blank choice"),
    ],
)
def test_a_cell_is_read(name: str, cell: str, expected: object) -> None:
    """A cell is trimmed and becomes its column's value; a blank one becomes the default."""
    assert Roster.columns[name].read(cell) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[(text, False) for text in ("0", "0.0", "false", "f", "no", "n")],
        *[(text, True) for text in ("1", "1.0", "true", "t", "yes", "y")],
    ],
)
def test_flags_in_every_spelling(text: str, expected: bool) -> None:
    """0, 1, false, true, no and yes are read in any case, with spaces around them."""
    flag = Roster.columns["flag"]

    assert {expected} == {
        flag.read(spelling) for spelling in (text, text.upper(), text.title(), f" {text}{NBSP}")
    }


@pytest.mark.parametrize(
    "text", ["\uff11", "\u0660", "2", "01", "1.00", "yy", "on", "ja", "+1", "tru\u0435", "-"]
)
def test_no_flag(text: str) -> None:
    """Whatever else is no flag: digits are ASCII digits, and a look-alike is another letter."""
    assert error_of(Roster.columns["flag"], text) == (
        "INVALID_FLAG",
        f"'{text}' is not 0 (no) or 1 (yes).",
    )


@pytest.mark.parametrize("name", ["number", "user_id"])
@pytest.mark.parametrize("cell", ["", "  ", NBSP, "\t"])
def test_required(name: str, cell: str) -> None:
    """A required cell that trims to nothing is an error."""
    assert error_of(Roster.columns[name], cell) == ("REQUIRED", "is required.")


@pytest.mark.parametrize("name", ["text", "blank", "flag", "case_id", "user_id", "role_id", "seat"])
def test_too_long(name: str) -> None:
    """A cell over 10,000 characters is an error in a column of any kind."""
    assert error_of(Roster.columns[name], "x" * 10_001) == (
        "TOO_LONG",
        "has 10,001 characters; the limit is 10,000.",
    )


@pytest.mark.parametrize("name", ["key", "blank", "flag", "case_id", "user_id", "role_id", "seat"])
@pytest.mark.parametrize(
    ("character", "said"),
    [
        ("\n", "a line break"),
        ("\r", "a line break"),
        ("\t", "a tab"),
        ("\x00", "the control character U+0000"),
        ("\x1b", "the control character U+001B"),
        ("\x7f", "the control character U+007F"),
        ("\x85", "the control character U+0085"),
    ],
    ids=["LF", "CR", "tab", "NUL", "escape", "delete", "next line"],
)
def test_control_characters(name: str, character: str, said: str) -> None:
    """A control character inside a cell is an error that names it, in a column of any kind."""
    assert error_of(Roster.columns[name], f"a{character}b") == (
        "CONTROL_CHARACTER",
        f"contains {said}; take it out.",
    )


@pytest.mark.parametrize("cell", ["a\tb", "a\x0bb", "a\x85b"])
def test_control_characters_of_free_text(cell: str) -> None:
    """Free text has line breaks, and no other control character."""
    assert error_of(Roster.columns["text"], cell)[0] == "CONTROL_CHARACTER"


@pytest.mark.parametrize("name", ["text", "flag", "case_id", "user_id", "role_id", "seat"])
def test_lost_letters(name: str) -> None:
    """U+FFFD, which programs write for a letter that they can't read, is refused as well."""
    assert error_of(Roster.columns[name], "Jos\ufffd") == (
        "CONTROL_CHARACTER",
        "contains U+FFFD, which stands for a letter that was lost; enter the text again.",
    )


@pytest.mark.parametrize("name", ["text", "blank", "flag", "case_id", "user_id", "role_id", "seat"])
@pytest.mark.parametrize("cell", ["#N/A", " #REF! ", "#BEZUG!", "Err:502"])
def test_error_values(name: str, cell: str) -> None:
    """A spreadsheet's error value is an error in a column of any kind."""
    assert error_of(Roster.columns[name], cell)[0] == "FORMULA_ERROR"


def test_invisible_letters_in_messages() -> None:
    """A message shows a letter that can't be seen by its number."""
    assert error_of(Roster.columns["flag"], "1\u200b") == (
        "INVALID_FLAG",
        "'1[U+200B]' is not 0 (no) or 1 (yes).",
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param([" a ", "b", " "], {" a ": "a", "b": "b"}, id="plain"),
        pytest.param([], {}, id="none"),
        pytest.param(["Núñez", "#1 fan!", "a#N/A"], None, id="hash at a beginning"),
        pytest.param(["a", "Err:502"], None, id="error value"),
        pytest.param(["a\nb"], None, id="line break"),
        pytest.param(["a\x00b"], None, id="control character"),
        pytest.param(["a", "Nu\u0301"], None, id="decomposed"),
        pytest.param(["x" * 10_001], None, id="too long"),
    ],
)
def test_many_cells_at_once(cells: list[str], expected: object) -> None:
    """Cells are read all at once only where none of them needs a look of its own."""
    assert Roster.columns["text"]._values_at_once(cells) == expected


@pytest.mark.parametrize("cell", ["0", "x", "-"])
def test_blank_takes_nothing(cell: str) -> None:
    """Anything in a column that must be left blank is an error."""
    assert error_of(Roster.columns["blank"], cell) == ("NOT_BLANK", "leave this cell blank.")


@pytest.mark.parametrize(
    ("cell", "message", "suggestion"),
    [
        pytest.param("leed", "there is no 'leed'; did you mean 'lead'?", "lead", id="near"),
        pytest.param("Lead", "there is no 'Lead'; did you mean 'lead'?", "lead", id="case"),
        pytest.param("zzz", "there is no 'zzz'; use one of lead, guest.", None, id="far"),
        pytest.param(
            "z" * 200, f"there is no '{'z' * 99}…'; use one of lead, guest.", None, id="shortened"
        ),
    ],
)
def test_no_choice(cell: str, message: str, suggestion: str | None) -> None:
    """A text that is none of the choices is an error that names the nearest, or all."""
    with pytest.raises(RowError) as caught:
        Roster.columns["seat"].read(cell)

    assert caught.value.code == "INVALID_CHOICE"
    assert caught.value.message == message
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text", None),
        ("flag", ["0", "1"]),
        ("role_id", ["clients", "staff"]),
        ("seat", ["lead", "guest"]),
    ],
)
def test_choices(name: str, expected: list[str] | None) -> None:
    """A column says what its cells may hold when that is a list."""
    choices = Roster.columns[name].choices_for(["clients", "staff"])

    assert expected == (None if choices is None else list(choices))


@pytest.mark.parametrize(
    ("name", "expected"), [("case_id", "Case Id"), ("flag", "Flag"), ("role_id", "Role Id")]
)
def test_label(name: str, expected: str) -> None:
    """Messages write `case_id` as Case Id."""
    assert Roster.columns[name].label == expected
