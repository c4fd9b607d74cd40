"""Settling: row results, edits and mails from plans and the present state."""

from __future__ import annotations

from typing import Any

import pytest

from importers import (
    CaseRef,
    Column,
    Importer,
    ModifyUser,
    Remove,
    Row,
    RowError,
    User,
    UserRef,
)
from importers.testing import Assigned, World, check_importer, run_importer
from models.assignment import Edit, Present
from models.mail import Notification
from models.row import RowOutcome, RowStatus
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.fakes import (
    ASSIGN,
    CLIENTS,
    CLOSED,
    JACK,
    JONES,
    MODIFY,
    NOTHING_CARRIED,
    OPEN,
    REMOVE,
    STAFF,
    UNTAGGED,
    Scripted,
    SeatingPlan,
    assign,
    handed_on,
    modify,
    plan_read,
    read,
    remove,
    settle_plans,
    settled,
)

CREATED, UPDATED, REMOVED, UNCHANGED = RowOutcome
PAIR = (OPEN.id, JACK.id)
ROW = "trv-001,jack-001"


def outcomes(found: Any) -> list[Any]:
    """Give each row's outcome, or the codes of its errors."""
    return [
        result.outcome if result.status is RowStatus.PASSED else [e["code"] for e in result.errors]
        for result in found.results
    ]


def test_created() -> None:
    """A passed row has an outcome, and its edit says both sides and the row."""
    found = settled(ASSIGN, "trv-001,jack-001,,staff,0")
    (result,) = found.results

    assert (result.number, result.status, result.outcome) == (2, RowStatus.PASSED, CREATED)
    assert (result.message, list(result.errors)) == (None, [])
    assert result.cells == ["trv-001", "jack-001", "", "staff", "0"]
    assert found.edits == [Edit(*PAIR, 2, None, Present(STAFF.id, False))]
    assert found.notifications == []


def test_unchanged_writes_nothing() -> None:
    """A row that is in effect already makes no edit and no mail, whatever its notify."""
    found = settled(ASSIGN, "trv-001,jack-001,,staff,1", present={PAIR: Present(STAFF.id, True)})

    assert outcomes(found) == [UNCHANGED]
    assert (found.edits, found.notifications) == ([], [])


def test_a_repeat_passes_and_says_so() -> None:
    """A repeat of a row that passed is unchanged and names that row."""
    found = settled(ASSIGN, *["trv-001,jack-001,,staff,1"] * 3)

    assert outcomes(found) == [CREATED, UNCHANGED, UNCHANGED]
    assert [result.message for result in found.results] == [None, "repeats row 2", "repeats row 2"]
    assert len(found.edits) == len(found.notifications) == 1


def test_a_repeat_of_a_removal() -> None:
    """The first row removes; the others repeat it."""
    found = settled(REMOVE, *["jack-001,trv-001"] * 2, present={PAIR: Present(STAFF.id, True)})

    assert outcomes(found) == [REMOVED, UNCHANGED]
    assert found.edits == [Edit(*PAIR, 2, Present(STAFF.id, True), None)]
    assert found.notifications == []


def test_was_not_assigned() -> None:
    """Removing who is not there passes and says so; the repeat says that it repeats."""
    found = settled(REMOVE, *["jack-001,trv-001"] * 2)

    assert [result.message for result in found.results] == ["was not assigned", "repeats row 2"]


@pytest.mark.parametrize(
    ("importer", "cells", "present", "codes", "columns"),
    [
        pytest.param(
            ASSIGN, "trv-002,jack-001,,staff,0", {}, ["CASE_CLOSED"], ["case_id"], id="closed"
        ),
        pytest.param(
            ASSIGN, "trv-002,gone-001,,staff,0", {}, ["CASE_CLOSED", "USER_DISABLED"],
            ["case_id", "user_id"], id="closed and disabled",
        ),
        pytest.param(
            ASSIGN, "trv-001,jack-001,,staff,0", {PAIR: Present(CLIENTS.id, True)},
            ["ALREADY_ASSIGNED"], [None], id="already",
        ),
        pytest.param(
            MODIFY, "trv-001,jack-001,,staff,0", {}, ["NOT_ASSIGNED"], [None], id="not assigned"
        ),
    ],
)  # fmt: skip
def test_a_repeat_of_a_failed_row_fails_alike(
    importer: Any, cells: str, present: Any, codes: list[str], columns: list[str | None]
) -> None:
    """What the first row failed for, rows that say the same fail for as well."""
    found = settled(importer, cells, cells, present=present)

    assert outcomes(found) == [codes, codes]
    assert found.results[0].errors == found.results[1].errors
    assert [error["column"] for error in found.results[0].errors] == columns
    assert (found.edits, found.notifications) == ([], [])


def test_a_failed_row_is_repeated_in_a_later_chunk() -> None:
    """What a chunk hands on says which rows failed, and why."""
    first = settled(ASSIGN, "trv-002,jack-001,,staff,0")
    carried = handed_on(ASSIGN, "trv-002,jack-001,,staff,0")
    again = settled(ASSIGN, "trv-002,jack-001,,staff,0", carried=carried, first=9)

    assert first.results[0].errors == again.results[0].errors


def test_an_error_names_the_cell() -> None:
    """An error that the present state brings up has the column, its label and its cell."""
    (result,) = settled(ASSIGN, "trv-002,jack-001,,staff,0").results

    assert list(result.errors) == [
        {
            "code": "CASE_CLOSED",
            "message": "Case Id: the case 'trv-002' is closed; reopen it first.",
            "column": "case_id",
            "value": "trv-002",
            "suggestion": None,
            "params": {"case": "trv-002"},
        }
    ]


@pytest.mark.parametrize(
    ("answer", "present", "outcome", "edits"),
    [
        pytest.param([assign(), assign(UNTAGGED)], {}, CREATED, 2, id="two created"),
        pytest.param(
            [assign(), remove(UNTAGGED)], {(UNTAGGED.id, JACK.id): Present(1, False)},
            UPDATED, 2, id="created and removed",
        ),
        pytest.param([assign(), remove(UNTAGGED)], {}, CREATED, 1, id="created and unchanged"),
        pytest.param([remove(), remove(UNTAGGED)], {}, UNCHANGED, 0, id="nothing to do"),
        pytest.param(None, {}, UNCHANGED, 0, id="nothing asked for"),
        pytest.param(
            [modify(notify=True), remove(UNTAGGED)], {PAIR: Present(STAFF.id, False)},
            UPDATED, 1, id="updated and unchanged",
        ),
    ],
)  # fmt: skip
def test_outcome_of_several_changes(
    answer: Any, present: Any, outcome: RowOutcome, edits: int
) -> None:
    """A row's outcome is what its changes have in common, those left aside that did nothing;
    changes of several kinds are an update."""
    found = settled(Scripted(answer), ROW, present=present)

    assert outcomes(found) == [outcome]
    assert len(found.edits) == edits


def test_a_row_is_carried_out_whole_or_not_at_all() -> None:
    """One change that is refused keeps the others of its row from being made, and repeats of
    these fail alike."""
    found = settled(Scripted([assign(), assign(CLOSED)], assign()), ROW, ROW)

    assert outcomes(found) == [["CASE_CLOSED"], ["CASE_CLOSED"]]
    assert found.edits == []


def test_a_row_that_repeats_a_failed_one_in_part_fails() -> None:
    """A row is not carried out when one of its changes repeats one that failed; nor is the rest
    of it, when a third row repeats that."""
    answers = [assign(CLOSED), [assign(CLOSED), assign()], assign()]
    found = settled(Scripted(*answers), ROW, ROW, ROW)

    assert outcomes(found) == [["CASE_CLOSED"], ["CASE_CLOSED"], ["CASE_CLOSED"]]
    assert found.edits == []


def test_messages_are_joined() -> None:
    """A row says all that there is to say of its changes, each with its case."""
    answers = [remove(), [remove(), remove(UNTAGGED), remove(CLOSED)]]
    found = settled(Scripted(*answers), ROW, ROW)

    assert found.results[1].message == (
        "repeats row 2; was not assigned (case 'Q2FzZToz'); was not assigned (case 'trv-002')"
    )


@pytest.mark.parametrize(
    ("importer", "cells", "present", "expected"),
    [
        pytest.param(
            ASSIGN, "trv-001,jack-001,,staff,1", {},
            [Notification(2, *PAIR, STAFF.id, CREATED)], id="created, 1",
        ),
        pytest.param(ASSIGN, "trv-001,jack-001,,staff,0", {}, [], id="created, 0"),
        pytest.param(
            MODIFY, "trv-001,jack-001,,clients,1", {PAIR: Present(STAFF.id, False)},
            [Notification(2, *PAIR, CLIENTS.id, UPDATED)], id="updated, 1",
        ),
        pytest.param(
            MODIFY, "trv-001,jack-001,,clients,", {PAIR: Present(STAFF.id, True)},
            [Notification(2, *PAIR, CLIENTS.id, UPDATED)], id="updated, kept 1",
        ),
        pytest.param(
            MODIFY, "trv-001,jack-001,,clients,0", {PAIR: Present(STAFF.id, True)}, [],
            id="updated, 0",
        ),
        pytest.param(
            MODIFY, "trv-001,jack-001,,staff,1", {PAIR: Present(STAFF.id, True)}, [],
            id="unchanged, 1",
        ),
        pytest.param(
            ASSIGN, "trv-001,jack-001,,clients,1", {PAIR: Present(STAFF.id, True)}, [], id="failed"
        ),
        pytest.param(
            REMOVE, "jack-001,trv-001", {PAIR: Present(STAFF.id, True)}, [], id="removed"
        ),
    ],
)  # fmt: skip
def test_mails(importer: Any, cells: str, present: Any, expected: list[Notification]) -> None:
    """A row that created or updated an assignment with notify leaves one mail, no other does."""
    assert settled(importer, cells, present=present).notifications == expected


def test_one_mail_a_row() -> None:
    """A row of several changes leaves one mail, about the first that asks for one."""
    answer = [assign(), assign(UNTAGGED, notify=True), assign(UNTAGGED, JONES, notify=True)]
    found = settled(Scripted(answer), ROW)

    assert found.notifications == [Notification(2, UNTAGGED.id, JACK.id, STAFF.id, CREATED)]


def test_context_rows_name_keys_but_have_no_result() -> None:
    """A row that is only there to be compared with is neither carried out nor reported."""
    rows = read(ASSIGN, "trv-001,jack-001,,staff,0", "trv-001,jack-001,,clients,0")
    rows[0].is_context = True
    found = settle_plans(ASSIGN, plan_read(ASSIGN, rows, NOTHING_CARRIED).rows)

    assert outcomes(found) == [["CONFLICTS_WITH_ROW"]]
    assert found.edits == []


def test_a_third_party_importer() -> None:
    """An importer of fifteen lines, written on the public SDK alone, does all that ours do."""
    found = settled(
        SeatingPlan("seating-plan"),
        "trv-001,JACK@example.org,lead,yes",
        "trv-001,jack@example.org,lead,1",
        "trv-001,jones@example.org,boss,",
        "trv-002,jones@example.org,guest,",
    )

    assert outcomes(found) == [CREATED, UNCHANGED, ["INVALID_CHOICE"], ["CASE_CLOSED"]]
    assert [error["message"] for result in found.results for error in result.errors] == [
        "Seat: there is no 'boss'; use one of lead, guest.",
        "Matter: the case 'trv-002' is closed; reopen it first.",
    ]
    assert found.notifications == [Notification(2, *PAIR, STAFF.id, CREATED)]


class Careful(Importer):
    """Takes active users off cases that its own look-up does not refuse."""

    label = "Careful"
    case_id = CaseRef(required=True)
    user_id = UserRef(required=True, must_be_active=True)

    def change(self, row: Row) -> Remove:
        """Take the user off."""
        return Remove(case=row.case_id, user=row.user_id)


def test_a_column_refuses_rows_that_are_otherwise_right() -> None:
    """Whatever the change: a disabled user stays on the case; one who is not on it is unchanged."""
    disabled = {
        "code": "USER_DISABLED",
        "message": "User Id: the user 'gone-001' is disabled; enable the user first.",
        "column": "user_id",
        "value": "gone-001",
        "params": {"user": "gone-001"},
    }
    world = World(assignments=[Assigned(case="trv-001", user="gone-001", role="staff")])

    check_importer(
        Careful,
        "case_id,user_id\ntrv-001,gone-001\ntrv-002,gone-001\ntrv-001,gone-001\n",
        [
            {"row": 2, "errors": [disabled]},
            {"row": 3, "outcome": "UNCHANGED", "message": "was not assigned"},
            {"row": 4, "errors": [disabled]},
        ],
        world=world,
    )


class Locked(UserRef):
    """Users, none of whom may be changed."""

    def refusal(self, value: User) -> RowError | None:
        """Object to every user."""
        return RowError(None, "LOCKED", "is locked.")


class LockedUsers(Importer):
    """Renames users."""

    label = "Locked"
    who = Locked(required=True, is_key=True)
    other = UserRef()
    name: Column[str] = Column()

    def change(self, row: Row) -> Any:
        """Rename the users of the row."""
        return [ModifyUser(user=each, given_name=row.name) for each in (row.who, row.other) if each]


def test_a_refusal_fails_custom_changes() -> None:
    """A refusal that always objects lets no change pass, be it of users."""
    (report,) = run_importer(LockedUsers, "who,name\njack-001,Jack\n")

    assert [(each["column"], each["code"]) for each in report["errors"]] == [("who", "LOCKED")]


async def test_a_refusal_undoes_what_was_applied(world: EngineFixture) -> None:
    """In the database, nothing of a refused row stays, and what is in effect is unchanged."""
    engine = world.with_engine(locked=LockedUsers("locked"))
    await world.execute("UPDATE users SET given_name = 'Jo' WHERE tag_id = 'jones-001'")
    file = ["jack-001,jill-001,Jack", "jones-001,,Jo"]

    import_id = await engine.run("locked", *file, header="who,other,name")

    assert await world.results(import_id) == {
        2: Result("FAILED", None, ("LOCKED",)),
        3: Result("UNCHANGED"),
    }
    names = await world.fetch(
        "SELECT given_name FROM users WHERE tag_id IN ('jack-001', 'jill-001')"
    )
    assert [row["given_name"] for row in names] == ["", ""]
