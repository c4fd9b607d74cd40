"""Cases, users, roles and assignments as an importer sees them."""

from __future__ import annotations

from dataclasses import dataclass


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
