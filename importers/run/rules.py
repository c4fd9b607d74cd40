"""What a change does to an assignment as it is: the rules, without the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from importers.sdk.changes import Assign, Modify, Remove
from importers.sdk.errors import RowError
from importers.sdk.references import case_closed, user_disabled
from models.assignment import Present
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(NamedTuple):
    """What becomes of a change.

    Args:
        outcome: None when the change is refused.
        after: the assignment as it will be; None when there will be none.
        message: what the admin should know although all is well.
        refusals: why not, each with what is at fault, the case or the user, or None for the row.
    """

    outcome: RowOutcome | None
    after: Present | None = None
    message: str | None = None
    refusals: tuple[tuple[object, RowError], ...] = ()


def decide(
    change: Assign | Modify | Remove, present: Present | None, role_keys: Mapping[int, str]
) -> Verdict:
    """Decide about a change of an assignment.

    Args:
        present: the assignment of this user to this case, if there is one.
        role_keys: the app's roles by primary key.
    """
    if isinstance(change, Assign):
        return _assign(change, present, role_keys)
    if isinstance(change, Modify):
        return _modify(change, present)
    if present is None:
        return Verdict(RowOutcome.UNCHANGED, message="was not assigned")
    return Verdict(RowOutcome.REMOVED)


def _assign(change: Assign, present: Present | None, role_keys: Mapping[int, str]) -> Verdict:
    wanted = Present(change.role.id, change.notify)
    if present == wanted:
        return Verdict(RowOutcome.UNCHANGED, present)
    refusals: list[tuple[object, RowError]] = []
    if not change.case.is_active:
        refusals.append((change.case, case_closed(change.case)))
    if not change.user.is_active:
        refusals.append((change.user, user_disabled(change.user)))
    if present:
        refusals.append((None, _already_assigned(present, role_keys)))
    if refusals:
        return Verdict(None, refusals=tuple(refusals))
    return Verdict(RowOutcome.CREATED, wanted)


def _modify(change: Modify, present: Present | None) -> Verdict:
    refusals: list[tuple[object, RowError]] = []
    wanted = present and Present(
        change.role.id if change.role else present.role_id,
        present.notify if change.notify is None else change.notify,
    )
    if present and present == wanted:
        return Verdict(RowOutcome.UNCHANGED, present)
    if not change.case.is_active:
        refusals.append((change.case, case_closed(change.case)))
    if not present:
        refusals.append((None, _not_assigned()))
    if refusals:
        return Verdict(None, refusals=tuple(refusals))
    return Verdict(RowOutcome.UPDATED, wanted)


def _already_assigned(present: Present, role_keys: Mapping[int, str]) -> RowError:
    role = role_keys.get(present.role_id, "?")
    return RowError(
        None,
        "ALREADY_ASSIGNED",
        f"The user is on this case already, as '{role}' with notify {int(present.notify)}; "
        "to change that, use a file of type modify.",
    )


def _not_assigned() -> RowError:
    return RowError(
        None,
        "NOT_ASSIGNED",
        "The user is not on this case; to put the user on it, use a file of type assign.",
    )
