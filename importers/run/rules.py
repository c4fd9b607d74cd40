"""The rules: what each kind of change asks of an assignment and does to it, without a database.

A kind of change on assignments is a class in `importers.sdk.changes` and an entry in `RULES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from importers.sdk.changes import Assign, Modify, Remove, Restore
from importers.sdk.entities import Assignment, Case, Role, User
from importers.sdk.errors import RowError
from importers.sdk.references import case_closed, user_disabled
from models.assignment import Present
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from importers.sdk.changes import AssignmentChange, Difference, Intent

C = TypeVar("C")


class Decision(NamedTuple):
    """What becomes of a change.

    Args:
        outcome: None when the change is refused.
        before: the assignment as it is; None when there is none, or the change is a custom one.
        after: the assignment as it will be; None when there will be none.
        message: what the admin should know although all is well.
        refusals: why not, each with what is at fault, the case or the user, or None for the row.
        warnings: what to look at although it is made, each with the value that it is about.
        difference: what a custom change has changed, if its class says so.
    """

    outcome: RowOutcome | None
    before: Present | None = None
    after: Present | None = None
    message: str | None = None
    refusals: tuple[tuple[object, RowError], ...] = ()
    warnings: tuple[tuple[object, RowError], ...] = ()
    difference: Difference | None = None


class Specimen(NamedTuple, Generic[C]):
    """A change that takes effect, for validators to be tried on, and both sides of the effect."""

    change: C
    before: Assignment | None
    after: Assignment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRule(Generic[C]):
    """All that a kind of change on assignments brings along.

    Args:
        decide: what becomes of a change, given the current assignment of its user to its case, if
            there is one, and the app's role keys by primary key.
        intent: what a change asks for, comparable with what another row asks of the same pair.
        is_sound: whether the values of a change are of the types that its class declares.
        specimens: changes for the conformance kit, given a case, a user, and two assignments:
            the one before a change, and the one after it.
        required: the fields that a change can't be made without.
        creates_only: whether a change writes only where there is no assignment: the current ones
            then need no lock.
    """

    decide: Callable[[C, Present | None, Mapping[int, str]], Decision]
    intent: Callable[[C], Intent]
    is_sound: Callable[[C], bool]
    specimens: Callable[[Case, User, Assignment, Assignment], Sequence[Specimen[C]]]
    required: frozenset[str] = frozenset({"case", "user"})
    creates_only: bool = False


def rule_of(kind: type) -> AssignmentRule[Any]:
    """Return the rule of a kind of change on assignments, or of one that it is derived from.

    Raises:
        TypeError: it is no such kind.
    """
    rule = RULES.get(kind) or next((RULES[base] for base in kind.__mro__ if base in RULES), None)
    if rule:
        return rule
    raise TypeError(f"{kind.__name__} is no kind of change of an assignment")


def _assign(change: Assign, current: Present | None, role_keys: Mapping[int, str]) -> Decision:
    wanted = Present(change.role.id, change.notify)
    # Before all refusals: a corrected file can be uploaded again as a whole, and what has taken
    # effect by then stays unchanged, even on a case that was closed since.
    if current == wanted:
        return Decision(RowOutcome.UNCHANGED, current, current)
    refusals: list[tuple[object, RowError]] = []
    if not change.case.is_active:
        refusals.append((change.case, case_closed(change.case)))
    if not change.user.is_active:
        refusals.append((change.user, user_disabled(change.user)))
    if current:
        # "?" stands for a role that was created after this chunk has read the roles.
        role = role_keys.get(current.role_id, "?")
        template = "The user is on this case already, as '{role}' with notify {notify}; "
        template += "to change that, use a file of type modify."
        notify = int(current.notify)
        error = RowError(None, "ALREADY_ASSIGNED", template, role=role, notify=notify)
        refusals.append((None, error))
    if refusals:
        return Decision(None, refusals=tuple(refusals))
    return Decision(RowOutcome.CREATED, None, wanted)


def _modify(change: Modify, current: Present | None, _role_keys: Mapping[int, str]) -> Decision:
    refusals: list[tuple[object, RowError]] = []
    wanted = current and Present(
        change.role.id if change.role else current.role_id,
        current.notify if change.notify is None else change.notify,
    )
    if current and current == wanted:
        return Decision(RowOutcome.UNCHANGED, current, current)
    if not change.case.is_active:
        refusals.append((change.case, case_closed(change.case)))
    if not current:
        message = "The user is not on this case; to put the user on it, use a file of type assign."
        refusals.append((None, RowError(None, "NOT_ASSIGNED", message)))
    if refusals:
        return Decision(None, refusals=tuple(refusals))
    return Decision(RowOutcome.UPDATED, current, wanted)


def _remove(_change: Remove, current: Present | None, _role_keys: Mapping[int, str]) -> Decision:
    if current is None:
        return Decision(RowOutcome.UNCHANGED, message="was not assigned")
    return Decision(RowOutcome.REMOVED, current)


def _restore(change: Restore, current: Present | None, role_keys: Mapping[int, str]) -> Decision:
    wanted = Present(change.role.id, change.notify) if change.role else None
    left = Present(change.present_role.id, change.present_notify) if change.present_role else None
    if current == wanted:
        return Decision(RowOutcome.UNCHANGED, current, current, "is so already")
    if current != left:
        return Decision(None, refusals=((None, _not_as_left(current, role_keys)),))
    if current is None:
        return Decision(RowOutcome.CREATED, None, wanted)
    return Decision(RowOutcome.UPDATED if wanted else RowOutcome.REMOVED, current, wanted)


def _not_as_left(current: Present | None, role_keys: Mapping[int, str]) -> RowError:
    if current is None:
        return RowError(None, "CHANGED_SINCE", "The user is not on the case any more.")
    template = "The user is on the case as '{role}' with notify {notify} by now; that stays."
    role = role_keys.get(current.role_id, "?")
    return RowError(None, "CHANGED_SINCE", template, role=role, notify=int(current.notify))


def _role_and_notify(change: Assign | Modify | Restore) -> Intent:
    return type(change).__name__, change.role.id if change.role else None, change.notify


def _is_about_a_pair(change: AssignmentChange) -> bool:
    return isinstance(change.case, Case) and isinstance(change.user, User)


RULES: Mapping[type, AssignmentRule[Any]] = {
    Assign: AssignmentRule(
        decide=_assign,
        intent=_role_and_notify,
        is_sound=lambda change: (
            _is_about_a_pair(change)
            and isinstance(change.role, Role)
            and isinstance(change.notify, bool)
        ),
        specimens=lambda case, user, _, new: [
            Specimen(Assign(case=case, user=user, role=new.role, notify=new.notify), None, new)
        ],
        required=frozenset({"case", "user", "role", "notify"}),
        creates_only=True,
    ),
    Modify: AssignmentRule(
        decide=_modify,
        intent=_role_and_notify,
        is_sound=lambda change: (
            _is_about_a_pair(change)
            and isinstance(change.role, Role | None)
            and isinstance(change.notify, bool | None)
        ),
        specimens=lambda case, user, old, new: [
            Specimen(Modify(case=case, user=user, role=new.role, notify=new.notify), old, new),
            Specimen(Modify(case=case, user=user), old, old),
        ],
    ),
    Remove: AssignmentRule(
        decide=_remove,
        intent=lambda _: ("Remove",),
        is_sound=_is_about_a_pair,
        specimens=lambda case, user, old, _: [Specimen(Remove(case=case, user=user), old, None)],
    ),
    Restore: AssignmentRule(
        decide=_restore,
        intent=_role_and_notify,
        is_sound=lambda change: (
            _is_about_a_pair(change)
            and isinstance(change.role, Role | None)
            and isinstance(change.present_role, Role | None)
        ),
        specimens=lambda case, user, old, new: [
            Specimen(
                Restore(
                    case=case,
                    user=user,
                    role=new.role,
                    notify=new.notify,
                    present_role=old.role,
                    present_notify=old.notify,
                ),
                old,
                new,
            )
        ],
    ),
}
