"""The table of situations: what a change does to an assignment as it is."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from importers.run.rules import RULES, rule_of
from importers.sdk.changes import AssignmentChange, Change, OwnChange
from importers.sdk.entities import Assignment
from importers.sdk.entity_changes import ENTITY_CHANGES, AddCase, entity_specimens
from models.assignment import Present
from models.row import RowOutcome
from tests.importers.fakes import (
    CLIENTS,
    CLOSED,
    GONE,
    JACK,
    OPEN,
    ROLE_KEYS,
    STAFF,
    assign,
    decide,
    modify,
    remove,
)

CREATED, UPDATED, REMOVED, UNCHANGED = RowOutcome
STAFF_0, STAFF_1 = Present(STAFF.id, False), Present(STAFF.id, True)
CLIENTS_0, CLIENTS_1 = Present(CLIENTS.id, False), Present(CLIENTS.id, True)


@pytest.mark.parametrize(
    ("change", "present", "outcome", "after"),
    [
        pytest.param(assign(), None, CREATED, STAFF_0, id="assign, not assigned"),
        pytest.param(assign(notify=True), None, CREATED, STAFF_1, id="assign with notify"),
        pytest.param(assign(), STAFF_0, UNCHANGED, STAFF_0, id="assign, the same"),
        pytest.param(assign(case=CLOSED), STAFF_0, UNCHANGED, STAFF_0, id="assign, same, closed"),
        pytest.param(assign(user=GONE), STAFF_0, UNCHANGED, STAFF_0, id="assign, same, disabled"),
        pytest.param(modify(role=CLIENTS), STAFF_0, UPDATED, CLIENTS_0, id="modify, another role"),
        pytest.param(modify(notify=True), STAFF_0, UPDATED, STAFF_1, id="modify, another notify"),
        pytest.param(modify(notify=False), STAFF_1, UPDATED, STAFF_0, id="modify, notify off"),
        pytest.param(
            modify(role=CLIENTS, notify=True), STAFF_0, UPDATED, CLIENTS_1, id="modify, both"
        ),
        pytest.param(modify(role=CLIENTS), STAFF_1, UPDATED, CLIENTS_1, id="modify keeps notify"),
        pytest.param(
            modify(role=STAFF, notify=False), STAFF_0, UNCHANGED, STAFF_0, id="modify, the same"
        ),
        pytest.param(modify(), STAFF_1, UNCHANGED, STAFF_1, id="modify, all kept"),
        pytest.param(modify(case=CLOSED), STAFF_0, UNCHANGED, STAFF_0, id="modify, kept, closed"),
        pytest.param(
            modify(user=GONE, role=CLIENTS), STAFF_0, UPDATED, CLIENTS_0, id="modify, disabled"
        ),
        pytest.param(remove(), STAFF_0, REMOVED, None, id="remove, assigned"),
        pytest.param(remove(case=CLOSED), STAFF_1, REMOVED, None, id="remove, closed"),
        pytest.param(remove(user=GONE), STAFF_0, REMOVED, None, id="remove, disabled"),
        pytest.param(remove(), None, UNCHANGED, None, id="remove, not assigned"),
        pytest.param(remove(CLOSED, GONE), None, UNCHANGED, None, id="remove nobody, closed"),
    ],
)  # fmt: skip
def test_carried_out(
    change: Change, present: Present | None, outcome: RowOutcome, after: Present | None
) -> None:
    """A change that is allowed has an outcome and a state after it."""
    verdict = decide(change, present, ROLE_KEYS)

    assert verdict.outcome is outcome
    assert verdict.after == after
    assert verdict.refusals == ()


def test_remove_says_that_there_was_nothing() -> None:
    """Removing who is not on the case passes, and says so."""
    assert decide(remove(), None, ROLE_KEYS).message == "was not assigned"
    assert decide(remove(), STAFF_0, ROLE_KEYS).message is None


@pytest.mark.parametrize(
    ("change", "present", "codes"),
    [
        pytest.param(assign(), CLIENTS_0, ["ALREADY_ASSIGNED"], id="assign, another role"),
        pytest.param(assign(), STAFF_1, ["ALREADY_ASSIGNED"], id="assign, another notify"),
        pytest.param(assign(case=CLOSED), None, ["CASE_CLOSED"], id="assign, closed"),
        pytest.param(assign(user=GONE), None, ["USER_DISABLED"], id="assign, disabled"),
        pytest.param(
            assign(CLOSED, GONE), None, ["CASE_CLOSED", "USER_DISABLED"], id="assign, both"
        ),
        pytest.param(
            assign(CLOSED, GONE), CLIENTS_0, ["CASE_CLOSED", "USER_DISABLED", "ALREADY_ASSIGNED"],
            id="assign, all three",
        ),
        pytest.param(modify(role=STAFF), None, ["NOT_ASSIGNED"], id="modify, not assigned"),
        pytest.param(modify(), None, ["NOT_ASSIGNED"], id="modify nothing, not assigned"),
        pytest.param(
            modify(case=CLOSED, role=STAFF), CLIENTS_0, ["CASE_CLOSED"], id="modify, closed"
        ),
        pytest.param(
            modify(case=CLOSED), None, ["CASE_CLOSED", "NOT_ASSIGNED"],
            id="modify, closed and not assigned",
        ),
        pytest.param(
            modify(user=GONE), None, ["NOT_ASSIGNED"], id="modify, disabled, not assigned"
        ),
    ],
)  # fmt: skip
def test_refused(change: Change, present: Present | None, codes: list[str]) -> None:
    """A change that is not allowed says every reason, and has no outcome."""
    verdict = decide(change, present, ROLE_KEYS)

    assert [error.code for _, error in verdict.refusals] == codes
    assert verdict.outcome is None
    assert verdict.after is None


def test_what_is_at_fault() -> None:
    """A refusal names the case or the user at fault, so that the right column gets it."""
    verdict = decide(assign(CLOSED, GONE), CLIENTS_0, ROLE_KEYS)

    assert [at_fault for at_fault, _ in verdict.refusals] == [CLOSED, GONE, None]


@pytest.mark.parametrize(
    ("change", "present", "message"),
    [
        pytest.param(
            assign(), CLIENTS_1,
            "The user is on this case already, as 'clients' with notify 1;"
            " to change that, use a file of type modify.", id="already",
        ),
        pytest.param(
            assign(), Present(404, False),
            "The user is on this case already, as '?' with notify 0;"
            " to change that, use a file of type modify.", id="already, in a role that is gone",
        ),
        pytest.param(
            modify(), None,
            "The user is not on this case; to put the user on it, use a file of type assign.",
            id="not assigned",
        ),
    ],
)  # fmt: skip
def test_messages(change: Change, present: Present | None, message: str) -> None:
    """The message says what is stored and what to do."""
    (_, error) = decide(change, present, ROLE_KEYS).refusals[0]

    assert error.message == message


def test_every_kind_has_a_rule() -> None:
    """A kind of change that the SDK offers is one that can be decided about."""
    assert set(get_args(AssignmentChange)) == set(RULES)
    assert set(get_args(Change)) == {*RULES, OwnChange}


def test_an_unknown_kind_is_named() -> None:
    """What is no change of an assignment is an error, and not taken for the last kind."""
    with pytest.raises(TypeError, match="Role is no kind of change of an assignment"):
        rule_of(type(STAFF))


def test_a_kind_that_is_derived_has_the_rule_of_its_base() -> None:
    """A plugin may derive a change of its own name from ours."""

    class Seat(type(assign())):  # type: ignore[misc]
        pass

    assert rule_of(Seat) is rule_of(type(assign()))


@pytest.mark.parametrize("kind", RULES)
def test_specimens_are_sound(kind: type[Any]) -> None:
    """Each kind offers changes that validators can be tried on."""
    old, new = Assignment(role=STAFF), Assignment(role=CLIENTS, notify=True)
    rule = rule_of(kind)
    specimens = rule.specimens(OPEN, JACK, old, new)

    assert [type(each.change) for each in specimens] == [kind] * len(specimens)
    assert [rule.is_sound(each.change) for each in specimens] == [True] * len(specimens)
    assert specimens


def test_every_change_of_entities_has_a_specimen() -> None:
    """Validators are tried on each kind of change of cases and users."""
    specimens = {type(change) for change, _ in entity_specimens([OPEN], [JACK])}
    kinds = OwnChange.__subclasses__()  # a dataclass with slots may be there twice

    assert specimens == ENTITY_CHANGES
    assert {kind.__name__ for kind in specimens} == {
        kind.__name__ for kind in kinds if kind.__module__ == AddCase.__module__
    }
