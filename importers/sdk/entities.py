"""Cases, users, roles and assignments as an importer sees them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of the app.

    Args:
        id: its primary key.
        tag_id: the organisation's own name for it, if it has one.
        is_active: False if it is closed.

    Example:
        >>> Case(id=1, tag_id="trv-001").is_active
        True
    """

    id: int
    tag_id: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the app.

    Args:
        id: the primary key.
        tag_id: the organisation's own name for the user, if the user has one.
        email: the address, unique in the app.
        is_active: False if the user is disabled.

    Example:
        >>> User(id=1, tag_id="jack-001", email="jack@example.org").is_active
        True
    """

    id: int
    tag_id: str | None = None
    email: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role of the app.

    Args:
        id: its primary key.
        key: its name in files, e.g. `staff`.
        label: its name in menus, e.g. `Staff`.

    Example:
        >>> Role(id=2, key="staff", label="Staff").key
        'staff'
    """

    id: int
    key: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The role and the notification choice of a user who is on a case.

    Args:
        role: the user's role on the case.
        notify: whether the row that last changed the assignment asked for a mail to the user.

    Example:
        >>> Assignment(role=Role(id=2, key="staff")).notify
        False
    """

    role: Role
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentAssignment(Assignment):
    """An assignment as `AssignmentsOf` and `Directory` list it: with the case and the user.

    Args:
        case: the case.
        user: the user who is on it.

    Example:
        >>> def change(self, row):
        ...     return [Remove(case=each.case, user=each.user) for each in row.present]
    """

    case: Case
    user: User


def by_user(found: Iterable[PresentAssignment]) -> Mapping[int, Sequence[PresentAssignment]]:
    """Return the assignments of each user, by primary key and in the order of the cases' keys."""
    lists = defaultdict(list)
    for each in sorted(found, key=lambda each: each.case.id):
        lists[each.user.id].append(each)
    return {user_id: tuple(each) for user_id, each in lists.items()}


def by_case(found: Iterable[PresentAssignment]) -> Mapping[int, Sequence[PresentAssignment]]:
    """Return the assignments to each case, by primary key and in the order of the users' keys."""
    lists = defaultdict(list)
    for each in sorted(found, key=lambda each: each.user.id):
        lists[each.case.id].append(each)
    return {case_id: tuple(each) for case_id, each in lists.items()}
