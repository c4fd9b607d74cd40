"""Validators veto what rows are about to do, whatever the type of the import."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from importers import (
    Assign,
    Case,
    Change,
    Directory,
    Effect,
    Importer,
    RoleRef,
    Row,
    RowError,
    User,
    UserRef,
    Validator,
    testing,
)
from importers.builtin.add_users import AddUsers
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.users_per_case import UsersPerCase
from importers.testing import check_importer, run_importer
from importers.validation.missing_validator import MissingValidator
from tests.importers.run.sample_validators import Couples, Notary, Settings, Wall, limited


def test_a_veto_is_on_the_column_of_the_value() -> None:
    """The validator names the change's field, the engine finds the column that it came from."""
    check_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\ntrv-002,jones-001,staff\ntrv-002,jack-001,staff\n",
        [
            {
                "row": 2,
                "errors": [
                    {
                        "code": "WALLED",
                        "message": "User Id: is behind a wall.",
                        "column": "user_id",
                        "value": "jones-001",
                        "suggestion": "jack-001",
                    }
                ],
            },
            {"row": 3, "outcome": "CREATED"},
        ],
        validators=[Wall("wall")],
    )


def test_what_does_nothing_is_not_judged() -> None:
    """Rows that are in effect already, or repeat one, are no effects."""
    notary = Notary()
    run_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\n"
        "trv-001,jones-001,clients\ntrv-002,jack-001,staff\ntrv-002,jack-001,staff\n",
        validators=[Wall("wall"), notary],
    )

    assert [effect.row for effect in notary.noted] == [3]


def test_before_and_after() -> None:
    """An effect tells the assignment as it is and as it will be."""
    notary = Notary()
    run_importer(
        ModifyAssignments, "case_id,user_id,case_role_id\ntrv-001,jones-001,staff\n",
        validators=[notary],
    )  # fmt: skip
    (effect,) = notary.noted

    assert effect.before
    assert effect.after
    assert (effect.before.role.key, effect.after.role.key) == ("clients", "staff")
    assert (effect.outcome, effect.import_type, effect.row) == ("UPDATED", "test", 2)
    assert effect.case
    assert effect.user
    assert (effect.case.tag_id, effect.user.tag_id) == ("trv-001", "jones-001")


def test_all_vetoes_at_once_in_their_order() -> None:
    """Each validator's objection is told; nothing is noted of a row that one refuses."""

    class Never(Validator):
        def check(self, effect: Effect, prepared: Any) -> None:
            raise RowError(None, "NEVER", "Nobody may.")

    notary = Notary()
    (report,) = run_importer(
        AssignUsers, "case_id,user_id,case_role_id\ntrv-002,jones-001,staff\n",
        validators=[Never("never"), notary, Wall("wall")],
    )  # fmt: skip

    assert [error["code"] for error in report["errors"]] == ["NEVER", "WALLED"]
    assert notary.noted == []


def test_changes_of_other_kinds() -> None:
    """Users that are to be created are effects as well, of neither case nor assignment."""
    notary = Notary()
    run_importer(AddUsers, "username\na@example.org\n", validators=[notary])

    assert [type(effect.change).__name__ for effect in notary.noted] == ["AddUser"]
    assert (notary.noted[0].case, notary.noted[0].before, notary.noted[0].after) == (None,) * 3


@pytest.mark.parametrize("at", ["prepare", "check", "note"])
def test_one_that_fails_refuses(at: str, caplog: pytest.LogCaptureFixture) -> None:
    """A validator that fails lets nothing through; the text of its failure goes to the log."""

    class Odd(Validator):
        async def prepare(self, changes: Sequence[Change], directory: Directory) -> None:
            self._fail("prepare")

        def check(self, effect: Effect, prepared: Any) -> None:
            self._fail("check")

        def note(self, effect: Effect, prepared: Any) -> None:
            self._fail("note")

        def _fail(self, where: str) -> None:
            if where == at:
                raise ValueError("secret")

    with caplog.at_level(logging.ERROR):
        (report,) = run_importer(
            AssignUsers, "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n",
            validators=[Odd("odd")],
        )  # fmt: skip

    assert [error["code"] for error in report["errors"]] == ["VALIDATOR_ERROR"]
    assert "secret" not in str(report)
    assert "validator 'odd'" in caplog.text
    assert "secret" in caplog.text


@pytest.mark.parametrize("answer", [RowError("user", "WALLED", "is walled."), False, True])
def test_one_that_returns_its_refusal_refuses(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that is returned in the place of being raised lets nothing through."""

    class Mild(Validator):
        def check(self, effect: Effect, prepared: Any) -> Any:
            return answer

    with caplog.at_level(logging.ERROR):
        (report,) = run_importer(
            AssignUsers, "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n",
            validators=[Mild("mild")],
        )  # fmt: skip

    assert [error["code"] for error in report["errors"]] == ["VALIDATOR_ERROR"]
    assert "to refuse, raise a RowError" in caplog.text


def test_what_cant_be_copied_refuses(caplog: pytest.LogCaptureFixture) -> None:
    """A row of several effects needs a copy of what was prepared, to undo what was noted."""

    class Streaming(Validator):
        async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
            return (change for change in changes)

        def note(self, effect: Effect, prepared: Any) -> None:
            next(prepared)

    class Both(AssignUsers):
        def change(self, row: Row) -> Any:
            return [
                replace(super(Both, self).change(row), user=User(id=number, tag_id=f"u-{number}"))
                for number in (1, 2)
            ]

    reports = run_importer(
        Both, "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n", validators=[Streaming("s")]
    )

    assert [error["code"] for report in reports for error in report["errors"]] == [
        "VALIDATOR_ERROR"
    ]
    assert "can't be copied" in caplog.text


def test_a_missing_one_refuses() -> None:
    """A validator that is switched on and does not load is a closed door, not an open one."""
    (report,) = run_importer(
        AssignUsers, "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n",
        validators=[MissingValidator("wall")],
    )  # fmt: skip

    assert report["errors"][0]["message"].startswith("The validator 'wall' is switched on but")


def test_a_row_of_several_effects_takes_all_seats_or_none() -> None:
    """When one of a row's changes is refused, the seats of its others are free again."""
    reports = run_importer(
        Couples,
        "case_id,first,second,role\ntrv-002,u-1,u-2,staff\ntrv-002,u-3,,staff\n",
        validators=[limited(1)],
        world=testing.World(users=[User(id=n, tag_id=f"u-{n}") for n in (1, 2, 3)], assignments=()),
    )

    assert [report.get("outcome") for report in reports] == [None, "CREATED"]


def test_notes_are_taken_back_for_each_row() -> None:
    """Rows of several effects that are refused half-way leave no trace, row after row."""
    reports = run_importer(
        Couples,
        "case_id,first,second,role\n"
        "trv-001,u-1,,staff\ntrv-002,u-1,u-2,staff\ntrv-001,u-2,u-3,staff\ntrv-002,u-3,,staff\n",
        validators=[limited(1)],
        world=testing.World(users=[User(id=n, tag_id=f"u-{n}") for n in (1, 2, 3)], assignments=()),
    )

    assert [report.get("outcome") for report in reports] == ["CREATED", None, None, "CREATED"]


def test_many_rows_of_several_effects() -> None:
    """The time that they take grows with their number, and not with its square."""
    count = 300
    world = testing.World(
        cases=[Case(id=n, tag_id=f"c-{n}") for n in range(1, count + 1)],
        users=[User(id=n, tag_id=f"u-{n}") for n in (1, 2)],
        assignments=(),
    )
    copies: list[int] = []

    class Counted(Counter[Any]):
        def __deepcopy__(self, memo: Any) -> Any:
            copies.append(1)
            return Counted(self)

    class Counting(UsersPerCase):
        async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
            return Counted()

    reports = run_importer(
        Couples,
        "\n".join(
            ["case_id,first,second,role", *[f"c-{n},u-1,u-2,staff" for n in range(1, count + 1)]]
        ),
        validators=[Counting("counting", Settings(limit=2))],
        world=world,
    )

    assert {report["outcome"] for report in reports} == {"CREATED"}
    assert len(copies) == 1


def test_a_note_that_fails_refuses_what_follows() -> None:
    """A validator that could not take note does not know any more what is so."""

    class Odd(Notary):
        def note(self, effect: Effect, prepared: Any) -> None:
            if effect.row == 2:
                raise ValueError

    reports = run_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\ntrv-002,jones-001,staff\n",
        validators=[limited(1), Odd()],
    )

    assert [report["errors"][-1]["code"] for report in reports] == ["VALIDATOR_ERROR"] * 2


class Bulk(Importer):
    """Put a user on all cases that a cell names."""

    label = "Bulk"
    who = UserRef(required=True, example="jack-001")
    role = RoleRef(default="staff")

    def change(self, row: Row) -> Any:
        """Put the user on five cases."""
        return [Assign(case=each, user=row.who, role=row.role) for each in FIVE]


FIVE = [Case(id=n, tag_id=f"c-{n}") for n in range(1, 6)]


def test_equal_objections_about_five_cases() -> None:
    """Each is told, with its case."""
    (report,) = run_importer(
        Bulk, "who\njones-001\n", validators=[Wall("wall")],
        world=testing.World(cases=FIVE, assignments=()),
    )  # fmt: skip

    assert [error["message"] for error in report["errors"]] == [
        f"Who: is behind a wall (case 'c-{n}')." for n in range(1, 6)
    ]
    assert report["errors"][0]["params"] == {"of_case": "c-1"}


class WrongField(Validator):
    """Names a field that changes do not have."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse on it."""
        raise RowError("user_id", "WALLED", "is walled.")


def test_a_field_that_the_change_does_not_have(caplog: pytest.LogCaptureFixture) -> None:
    """The row is refused, as by a validator that fails: what it says fits no column."""
    (report,) = run_importer(
        AssignUsers, "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n",
        validators=[WrongField("wrong")],
    )  # fmt: skip

    assert [error["code"] for error in report["errors"]] == ["VALIDATOR_ERROR"]
    assert "'user_id', which is no field of Assign" in caplog.text
