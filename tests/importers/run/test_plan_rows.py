"""Plans: what an importer answers is checked, and the first row of the file wins."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from importers import (
    Assign,
    Case,
    CaseRef,
    Importer,
    ModifyUser,
    Record,
    Role,
    Row,
    RowError,
    SetRecord,
    User,
    UserRef,
)
from importers.rows.cell_reader import failed_result
from importers.run.plan_rows import IMPORTER_FAILED
from importers.run.planned_row import FirstMention, PlannedRow
from importers.sdk.errors import ErrorDetail
from tests.importers.fakes import (
    ASSIGN,
    CLIENTS,
    CLOSED,
    DEFAULT,
    GONE,
    JACK,
    JONES,
    MODIFY,
    NOTHING_CARRIED,
    OPEN,
    REMOVE,
    STAFF,
    Scripted,
    assign,
    handed_on,
    modify,
    plan_read,
    planned,
    remove,
    rows_of,
    settle_plans,
)

ROW = "trv-001,jack-001"
JACK_STAFF = ErrorDetail(
    code="CONFLICTS_WITH_ROW",
    message="The row says something else of the same user on the same case than row 2;"
    " keep one of them.",
    value="2",
)
JACK_ON_ONE = replace(
    JACK_STAFF,
    message="The row says something else of the same user on the same case than row 2;"
    " keep one of them (case 'trv-001').",
)
COMBINE = replace(
    JACK_STAFF,
    message="The row says something else of the same user on the same case than row 2;"
    " combine them into one row.",
)


def done(plan: PlannedRow) -> list[Any]:
    return [planned.change for planned in plan.changes]


class Desk(Record, table="test_desks", key=("code",)):
    """A desk, and whose it is."""

    code: str
    case: Case


def repeated(plan: PlannedRow) -> list[FirstMention]:
    return [mention for _, mention in plan.repeats]


def changes_of(*answers: Any) -> list[Any]:
    """Plan one row for each answer of the importer; give each plan's changes or error codes."""
    plans = planned(Scripted(*answers), *[ROW for _ in answers])
    return [[error.code for error in plan.errors] or done(plan) for plan in plans]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(assign(), [assign()], id="one"),
        pytest.param([assign(), remove(CLOSED)], [assign(), remove(CLOSED)], id="several"),
        pytest.param(
            lambda _: (change for change in (assign(), modify(CLOSED))),
            [assign(), modify(CLOSED)],
            id="a generator",
        ),
        pytest.param(None, [], id="none"),
        pytest.param([], [], id="an empty list"),
        pytest.param([assign(), assign()], [assign()], id="one said twice"),
    ],
)
def test_what_change_may_return(answer: object, expected: list[object]) -> None:
    """change() returns one change, several, or none."""
    assert changes_of(answer) == [expected]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("assign", id="a text"),
        pytest.param(7, id="a number"),
        pytest.param([assign(), None], id="None among changes"),
        pytest.param(Assign, id="the class"),
        pytest.param({"case": OPEN}, id="a dict"),
        pytest.param(assign(case=None), id="no case"),
        pytest.param(remove(user=None), id="no user"),
        pytest.param(assign(role=None), id="no role"),
        pytest.param(assign(notify=None), id="no notify"),
        pytest.param(assign(case="trv-001"), id="a text for a case"),
        pytest.param(assign(case=JACK), id="a user for a case"),
        pytest.param(modify(role="staff"), id="a text for a role"),
        pytest.param(modify(notify=1), id="a number for notify"),
    ],
)
def test_nonsense_is_the_importers_error(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What is no change, or one of wrong values, fails the row; only the log says more."""
    with caplog.at_level(logging.ERROR):
        (plan,) = planned(Scripted(lambda _: answer), ROW)

    assert plan.errors == (
        ErrorDetail(
            code="IMPORTER_ERROR",
            message="The importer failed on this row; the worker's log says why.",
        ),
    )
    assert done(plan) == []
    assert "TypeError" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(assign(case=Case(id=99, tag_id="trv-001")), id="another app's case"),
        pytest.param(remove(user=User(id=99, tag_id="jack-001")), id="another app's user"),
        pytest.param(assign(role=Role(id=99, key="staff")), id="another app's role"),
        pytest.param(modify(user=User(id="1")), id="a text for a key"),  # type: ignore[arg-type]
        pytest.param(assign(user=User(id=1 << 70)), id="a key beyond all keys"),
        pytest.param(ModifyUser(user=User(id=99), locale="en"), id="a change of a user"),
        pytest.param(SetRecord(Desk(code="2-14", case=Case(id=99))), id="a record"),
    ],
)
def test_what_another_app_has_is_not_changed(change: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin that keeps what it has looked up for one app changes nothing of it for another."""
    with caplog.at_level(logging.ERROR):
        first, second = planned(Scripted([assign(), change], assign()), ROW, ROW)

    assert first.errors == (IMPORTER_FAILED,)
    assert done(first) == []
    assert "is of a case, user or role that the app does not have" in caplog.text
    assert done(second) == [assign()]


def test_what_the_app_has_may_be_named_by_other_objects() -> None:
    """A plugin may find what it changes in its own way."""
    copied = assign(case=replace(OPEN), user=replace(JACK), role=replace(STAFF))

    assert changes_of(copied) == [[copied]]


def test_an_exception_is_the_importers_error(caplog: pytest.LogCaptureFixture) -> None:
    """An exception fails its row alone, and its text reaches the log, not the admin."""
    with caplog.at_level(logging.ERROR):
        first, second = planned(Scripted(ValueError("secret"), assign()), ROW, ROW)

    assert [error.code for error in first.errors] == ["IMPORTER_ERROR"]
    assert "secret" not in first.errors[0].message
    assert "secret" in caplog.text
    assert "importer 'scripted' failed on row 2; the row fails" in caplog.text
    assert done(second) == [assign()]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            RowError("user_id", "ON_LEAVE", "is on leave.", "jones-001"),
            ErrorDetail(
                code="ON_LEAVE", message="User Id: is on leave.", column="user_id",
                value="jack-001", suggestion="jones-001",
            ),
            id="of a column",
        ),
        pytest.param(
            RowError(None, "TOO_LATE", "The week is over."),
            ErrorDetail(code="TOO_LATE", message="The week is over."),
            id="of the row",
        ),
        pytest.param(
            RowError("seat", "SEAT_TAKEN", "is taken."),
            IMPORTER_FAILED,
            id="of a column that there is not",
        ),
    ],
)  # fmt: skip
def test_row_errors(error: RowError, expected: ErrorDetail) -> None:
    """A RowError is written on the row, with the column's label and cell."""
    (plan,) = planned(Scripted(error), ROW)

    assert plan.errors == (expected,)


@pytest.mark.parametrize(
    "arguments",
    [(["user_id"], "BAD", "is bad."), (None, 5, "is bad."), (None, "BAD", None)],
    ids=["column", "code", "message"],
)
def test_row_errors_are_of_texts(arguments: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An error that could not be written down is the importer's failure, on this row alone."""
    found = changes_of(lambda _: raise_(arguments), assign())

    assert found == [["IMPORTER_ERROR"], [assign()]]
    assert "RowError takes texts" in caplog.text


def raise_(arguments: Any) -> None:
    raise RowError(*arguments)


def test_a_row_sees_its_number_and_values() -> None:
    """The importer gets the row's number, as a spreadsheet shows it, and a value a column."""
    seen = []
    planned(Scripted(lambda row: seen.append((row.number, row.case_id, row.user_id))), ROW)

    assert seen == [(2, OPEN, JACK)]


def test_a_row_that_failed_is_not_asked_about() -> None:
    """change() is called for good rows only."""
    first, second = planned(Scripted(assign()), "trv-01,jack-001", ROW)

    assert [error.code for error in first.errors] == ["NOT_FOUND"]
    assert done(second) == [assign()]


def test_repeats() -> None:
    """A row that says what an earlier one said asks for nothing and repeats that one."""
    first, second, third = planned(ASSIGN, *["trv-001,jack-001,,staff,0"] * 3)
    mention = FirstMention(2, ("Assign", STAFF.id, False))

    assert (done(first), first.repeats) == ([assign()], ())
    assert (done(second), repeated(second)) == ([], [mention])
    assert (done(third), repeated(third)) == ([], [mention])


@pytest.mark.parametrize(
    ("importer", "first", "second", "error"),
    [
        (ASSIGN, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,clients,0", JACK_STAFF),
        (ASSIGN, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,staff,1", JACK_STAFF),
        (MODIFY, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,clients,", JACK_STAFF),
        (MODIFY, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,staff,", COMBINE),
        (MODIFY, "trv-001,jack-001,,,", "trv-001,jack-001,,clients,", COMBINE),
    ],
)
def test_conflicts(importer: Any, first: str, second: str, error: ErrorDetail) -> None:
    """A row that says something else of the same pair is in conflict with the first one; where
    blank cells keep, and the other cells agree, the two are to be combined."""
    plans = planned(importer, first, second, first, second)

    assert [plan.errors for plan in plans] == [(), (error,), (), (error,)]
    assert [len(plan.changes) for plan in plans] == [1, 0, 0, 0]


def test_blank_and_zero_are_the_same_for_assign() -> None:
    """Values are compared, not cells: a blank notify is 0, and role::staff is staff."""
    plans = planned(ASSIGN, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,role::staff,")

    assert [len(plan.repeats) for plan in plans] == [0, 1]


def test_removing_twice_is_no_conflict() -> None:
    """Remove has no values that could differ."""
    plans = planned(REMOVE, "jack-001,trv-001", "jack-001,trv-001")

    assert [len(plan.repeats) for plan in plans] == [0, 1]


def test_rows_that_could_not_be_read_name_nothing() -> None:
    """A row with a wrong cell does not stand in the way of a later one of the same pair."""
    plans = planned(
        ASSIGN,
        "trv-001,jack-001,,boss,0",
        "trv-001,jack-001,,clients,0",
        "trv-001,jack-001,,staff,0",
    )

    assert [[error.code for error in plan.errors] for plan in plans] == [
        ["INVALID_CHOICE"],
        [],
        ["CONFLICTS_WITH_ROW"],
    ]
    assert plans[2].errors[0].value == "3"


def test_what_a_row_in_conflict_asks_for_beside_has_failed() -> None:
    """A row in conflict is not carried out in part, and rows that repeat that part fail alike."""
    beside = assign(CLOSED, JONES)
    importer = Scripted(assign(), [beside, assign(role=CLIENTS)], beside)
    first, second, third = planned(importer, ROW, ROW, ROW)
    verdicts = settle_plans(importer, [first, second, third]).verdicts

    assert (done(second), second.errors) == ([], (JACK_ON_ONE,))
    assert (done(third), [mention.row for mention in repeated(third)]) == ([], [3])
    assert verdicts[third.repeats[0][0]] == second.errors
    assert done(first) == [assign()]


def test_a_row_in_conflict_with_itself() -> None:
    """A row that says two things of one pair fails, and so do rows that repeat the first."""
    importer = Scripted([assign(), assign(role=DEFAULT)], assign())
    plans = planned(importer, ROW, ROW)
    verdicts = settle_plans(importer, plans).verdicts

    assert plans[0].errors == (JACK_ON_ONE,)
    assert verdicts[plans[1].repeats[0][0]] == (JACK_ON_ONE,)


def test_kinds_are_told_apart() -> None:
    """Two kinds of change to one pair are in conflict, even with the same values."""
    assert changes_of(assign(), modify(role=STAFF, notify=False), remove()) == [
        [assign()],
        ["CONFLICTS_WITH_ROW"],
        ["CONFLICTS_WITH_ROW"],
    ]


def test_partly_repeated() -> None:
    """Of several changes, only those that no earlier row has asked for are carried out."""
    first, second = planned(Scripted(assign(), [assign(), assign(CLOSED, GONE)]), ROW, ROW)

    assert done(second) == [assign(CLOSED, GONE)]
    assert [mention.row for mention in repeated(second)] == [first.row.number]


def test_keys_reach_over_chunks() -> None:
    """A chunk that follows another knows what was named there."""
    carried = handed_on(ASSIGN, "trv-001,jack-001,,staff,0")
    rows = ["trv-001,jack-001,,staff,0", "trv-001,jack-001,,clients,0"]
    plans = planned(ASSIGN, *rows, carried=carried, first=9)

    assert [mention.row for mention in repeated(plans[0])] == [2]
    assert plans[1].errors == (JACK_STAFF,)


def test_rows_of_another_width_are_planned_as_failed() -> None:
    """A row that failed as a whole keeps its error through planning."""
    rows = rows_of("a,b,c")
    rows[0].errors = [ErrorDetail(code="TOO_MANY_CELLS", message="x")]
    (plan,) = plan_read(Scripted(), rows, NOTHING_CARRIED).rows

    assert [error.code for error in plan.errors] == ["TOO_MANY_CELLS"]


@pytest.mark.parametrize(
    "answer", [42, pytest.param(object(), id="object"), "assign", [assign(), 42]], ids=repr
)
def test_the_log_shows_what_was_returned(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What is no change is shown in the log to whoever mends the importer."""
    with caplog.at_level(logging.ERROR):
        planned(Scripted(answer), ROW)

    assert "can't be carried out" in caplog.text


class Fussy(Importer):
    """Finds fault with a row, again and again."""

    label = "Fussy"
    case_id = CaseRef()
    user_id = UserRef()

    def check_chunk(
        self, rows: Sequence[Row], memo: dict[Any, Any]
    ) -> Iterator[tuple[Row, RowError]]:
        """Name the first row."""
        for number in range(20_000):
            yield rows[0], RowError(None, "WRONG", "fault {number}.", number=number)

    def change(self, row: Row) -> None:
        """Ask for nothing."""


def test_a_row_with_very_many_errors() -> None:
    """A hundred of them are listed, and the others are counted; that takes no long time."""
    importer = Fussy("fussy")
    first, second = planned(importer, ROW, ROW)
    listed = failed_result(first.row, first.errors).errors
    all_but_one = failed_result(first.row, first.errors[:101]).errors

    assert (len(first.errors), second.errors) == (20_000, ())
    assert [error["message"] for error in (*listed[:1], *listed[99:])] == [
        "fault 0.",
        "fault 99.",
        "19,900 more errors are not listed.",
    ]
    assert [error["message"] for error in all_but_one[99:]] == ["fault 99.", "fault 100."]
