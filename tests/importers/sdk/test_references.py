"""References find what they name, exactly, and say what was meant when they do not."""

from __future__ import annotations

import pytest

from importers import Case, CaseRef, Importer, RoleRef, User, UserRef
from importers.sdk.cells.suggestions import MOST_SUGGESTIONS
from importers.sdk.node_id import encode_node_id
from importers.sdk.references import case_closed, damaged, user_disabled
from tests.importers.fakes import (
    ASSIGN,
    CLOSED,
    DEFAULT,
    GONE,
    JACK,
    JONES,
    OPEN,
    STAFF,
    UNTAGGED,
    FakeDirectory,
    read,
)


class Pairs(Importer):
    """A case and a user."""

    case_id = CaseRef()
    user_id = UserRef()
    role_id = RoleRef()


class Letters(Importer):
    """Finds users by e-mail address."""

    person = UserRef(by="email")


PAIRS, LETTERS = Pairs("pairs"), Letters("letters")


def errors_of(cells: str, directory: FakeDirectory | None = None) -> list[tuple[str, str]]:
    (row,) = read(PAIRS, cells, directory=directory)
    return [(error.code, error.message) for error in row.errors]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param("trv-001,jack-001,staff", (OPEN, JACK, STAFF), id="Tag IDs"),
        pytest.param(
            f"{encode_node_id('Case', 3)},{encode_node_id('User', 13)},default",
            (UNTAGGED, JONES, DEFAULT),
            id="IDs of the API",
        ),
        pytest.param("trv-002,gone-001,", (CLOSED, GONE, None), id="closed and disabled are found"),
        pytest.param(",,", (None, None, None), id="blank"),
    ],
)
def test_found(cells: str, expected: tuple[object, ...]) -> None:
    """A cell names a case or user by Tag ID or by the API's ID, and a role by its key."""
    (row,) = read(PAIRS, cells)

    assert expected == tuple(row.values)
    assert list(row.errors) == []


def test_a_tag_id_wins_over_an_id() -> None:
    """A case whose Tag ID is the text of another one's ID is the one that is meant."""
    sly = Case(id=99, tag_id=encode_node_id("Case", OPEN.id))
    (row,) = read(PAIRS, f"{sly.tag_id},,", directory=FakeDirectory(known_cases=[OPEN, sly]))

    assert row.values[0] == sly


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("TRV-001", id="capitals"),
        pytest.param("trv-1", id="zeros left out"),
        pytest.param("trv\u2013001", id="en dash"),
        pytest.param("trv-\uff10\uff10\uff11", id="full-width digits"),
        pytest.param("\u0442rv-001", id="Cyrillic letter"),
        pytest.param("trv-001\u200b", id="zero-width space"),
        pytest.param("trv -001", id="space inside"),
        pytest.param("'trv-001", id="apostrophe"),
        pytest.param(encode_node_id("User", OPEN.id), id="the ID of a user"),
        pytest.param(encode_node_id("Case", 404), id="the ID of no case"),
        pytest.param("1", id="the bare key"),
    ],
)
def test_near_is_not_the_same(text: str) -> None:
    """IDs are compared exactly: case, zeros, dashes, look-alikes and other types all count."""
    assert [code for code, _ in errors_of(f"{text},,")] == ["NOT_FOUND"]


def test_unicode_forms_are_different() -> None:
    """A letter in one piece and the same one in two are two Tag IDs."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    directory = FakeDirectory(known_cases=[Case(id=1, tag_id=composed)])

    assert errors_of(f"{composed},,", directory) == []
    assert [code for code, _ in errors_of(f"{decomposed},,", directory)] == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("jones-1", "jones-001"),
        ("JONES-001", "jones-001"),
        ("jnes-001", "jones-001"),
        ("jones001", "jones-001"),
        ("jack_001", "jack-001"),
    ],
)
def test_did_you_mean_this_user(text: str, suggestion: str) -> None:
    """An unknown user's nearest Tag ID is suggested, never taken."""
    (row,) = read(PAIRS, f",{text},")
    (error,) = row.errors

    assert error.code == "NOT_FOUND"
    assert error.column == "user_id"
    assert error.value == text
    assert error.suggestion == suggestion
    assert error.message == (
        f"User Id: no user has the Tag ID or ID '{text}'; did you mean '{suggestion}'?"
    )


@pytest.mark.parametrize("text", ["trv-01", "trv-1", "TRV_1", "trv/001", "trv.001"])
def test_did_you_mean_this_case(text: str) -> None:
    """What differs only in case, separators or leading zeros is what was meant."""
    assert errors_of(f"{text},,") == [
        (
            "NOT_FOUND",
            f"Case Id: no case has the Tag ID or ID '{text}'; did you mean 'trv-001'?",
        )
    ]


def test_nothing_near_is_suggested_for_nonsense() -> None:
    """A text that looks like nothing known gets no suggestion, and is shortened."""
    (row,) = read(PAIRS, f"{'q' * 300},,")
    (error,) = row.errors

    assert error.suggestion is None
    assert error.value == "q" * 99 + "…"
    assert error.message == f"Case Id: no case has the Tag ID or ID '{'q' * 99}…'."


def test_the_search_for_suggestions_is_bounded() -> None:
    """However many cells are wrong, only so many are looked at, in one query a column."""
    directory = FakeDirectory()
    rows = read(PAIRS, *[f"trv-{n:05},," for n in range(300, 800)], directory=directory)
    asked = [keys for question, keys in directory.asked if question == "near_cases"]

    assert len(asked) == 1
    assert len(asked[0]) == MOST_SUGGESTIONS
    assert {error.code for row in rows for error in row.errors} == {"NOT_FOUND"}
    assert sum(error.suggestion is not None for row in rows for error in row.errors) <= 100


DAMAGED = [
    "1E+05", "1e+05", "1.5E+10", "-2E-3", "5-Jan", "05-Jan-2026", "Jan-05", "May 26", "1/5/2026",
    "05.01.2026", "March-05", "5-Sept", "1.0", "1,00", "#####", "05-mai", "1-ene", "5-Okt",
    "05. Okt", "1,23457E+14", "5-окт", "1月5日",
]  # fmt: skip


@pytest.mark.parametrize("text", [text for text in DAMAGED if "," not in text])
def test_spreadsheet_damage(text: str) -> None:
    """What a spreadsheet has made of an ID is told apart from an unknown ID."""
    for column, cells in (("Case Id", f"{text},,"), ("User Id", f",{text},")):
        assert errors_of(cells) == [
            (
                "SPREADSHEET_DAMAGE",
                f"{column}: '{text}' looks like an ID that a spreadsheet has changed; "
                "format the column as text and enter the ID again.",
            )
        ]


@pytest.mark.parametrize("text", ["1E+05", "5-Jan", "1.0"])
def test_what_is_known_is_not_damaged(text: str) -> None:
    """A Tag ID that looks like damage is found all the same."""
    directory = FakeDirectory(known_cases=[Case(id=5, tag_id=text)])

    assert errors_of(f"{text},,", directory) == []


def test_what_is_known_as_something_else_is_not_damaged() -> None:
    """A case's Tag ID in the column of users is one, whatever it looks like."""
    directory = FakeDirectory(known_cases=[Case(id=5, tag_id="5-Jan")])

    assert errors_of(",5-Jan,", directory) == [
        (
            "NOT_FOUND",
            "User Id: no user has the Tag ID or ID '5-Jan'; that is the ID of a case.",
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "100000",
        "1e5",
        "10",
        "E5",
        "5-Jab",
        "jan",
        "1.05",
        "trv-1.0",
        "A/B",
        "Jan-12345",
        "#",
        "##",
        "martin-001",
        "novak-7",
        "Mayer 12",
        "decker-7",
        "augustin-1",
        "7-Juniper",
    ],
)
def test_what_only_looks_odd_is_not_damaged(text: str) -> None:
    """Other IDs with digits, dots or months in them are just unknown."""
    assert damaged(text) is None


def test_damage_is_shortened() -> None:
    """A message stays short, however long the damaged cell is."""
    damage = damaged("1" * 9_000 + ".0")

    assert damage
    assert len(damage.message) < 300


@pytest.mark.parametrize("text", ["jones@example.org", "JONES@EXAMPLE.ORG", "Jones@example.org"])
def test_users_by_email(text: str) -> None:
    """An address finds its user in any case."""
    (row,) = read(LETTERS, text)

    assert tuple(row.values) == (JONES,)


def test_unknown_email() -> None:
    """An unknown address has no suggestion; a Tag ID is no address, and says whose it is."""
    rows = read(LETTERS, "jo@example.org", "jones-001")

    assert [error.message for row in rows for error in row.errors] == [
        "Person: no user has the e-mail address 'jo@example.org'.",
        "Person: no user has the e-mail address 'jones-001'; that is the Tag ID of the user with "
        "'Jones@example.org'.",
    ]
    assert {error.code for row in rows for error in row.errors} == {"NOT_FOUND"}


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        pytest.param("Jo <jones@example.org>", "jones@example.org", id="with a name"),
        pytest.param("mailto:jones@example.org", "jones@example.org", id="a link"),
        pytest.param("jones-001", "Jones@example.org", id="a Tag ID"),
        pytest.param("jones@example.com", None, id="another address"),
    ],
)
def test_which_address_is_meant(text: str, suggestion: str | None) -> None:
    """An address is suggested if a user has it."""
    (row,) = read(LETTERS, text)

    assert [error.suggestion for error in row.errors] == [suggestion]


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("staf", "there is no 'staf'; did you mean 'staff'?", "staff"),
        ("Staff", "there is no 'Staff'; did you mean 'staff'?", "staff"),
        ("boss", "there is no 'boss'; use one of clients, default, staff.", None),
    ],
)
def test_unknown_role(text: str, message: str, suggestion: str | None) -> None:
    """An unknown role is an error that names the nearest one, or all of the app's."""
    (row,) = read(PAIRS, f",,{text}")
    (error,) = row.errors

    assert error.code == "INVALID_CHOICE"
    assert error.message == f"Role Id: {message}"
    assert error.suggestion == suggestion


def test_a_role_that_the_app_lacks() -> None:
    """A choice that stands for a role which the app does not have is told, not ignored."""

    class Seats(Importer):
        seat = RoleRef(choices={"lead": "partner"})

    (row,) = read(Seats("seats"), "lead")

    assert [error.message for error in row.errors] == [
        "Seat: stands for the role 'partner', which the app does not have."
    ]


def test_one_query_a_column() -> None:
    """All cells of a chunk are looked up at once, each key once, blank ones not at all."""
    directory = FakeDirectory()
    read(PAIRS, "trv-001,jack-001,", "trv-001,,", "trv-002,jack-001,", directory=directory)

    assert directory.asked == [("cases", ("trv-001", "trv-002")), ("users", ("jack-001",))]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(
            case_closed(CLOSED), "CASE_CLOSED",
            "the case 'trv-002' is closed; reopen it first.", id="case",
        ),
        pytest.param(
            case_closed(Case(id=1)), "CASE_CLOSED",
            "the case is closed; reopen it first.", id="case without a Tag ID",
        ),
        pytest.param(
            user_disabled(GONE), "USER_DISABLED",
            "the user 'gone-001' is disabled; enable the user first.", id="user",
        ),
        pytest.param(
            user_disabled(User(id=1, email="a@b")), "USER_DISABLED",
            "the user 'a@b' is disabled; enable the user first.", id="user without a Tag ID",
        ),
    ],
)  # fmt: skip
def test_refusals(error: Exception, code: str, message: str) -> None:
    """What can't be used is named by its Tag ID, if it has one."""
    assert (error.code, error.message) == (code, message)


def test_a_closed_case_is_told_together_with_other_errors() -> None:
    """A row with a wrong cell also says that its case is closed and its user disabled."""
    (row,) = read(ASSIGN, "trv-002,gone-001,,boss,0")

    assert [(error.column, error.code) for error in row.errors] == [
        ("case_id", "CASE_CLOSED"),
        ("user_id", "USER_DISABLED"),
        ("case_role_id", "INVALID_CHOICE"),
    ]


def test_a_closed_case_alone_is_no_error_yet() -> None:
    """Only the present state tells whether a row that is all right changes anything."""
    (row,) = read(ASSIGN, "trv-002,gone-001,,staff,0")

    assert list(row.errors) == []
