"""Cases, users, roles and assignments as an importer sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of the app.

    Args:
        id: its primary key.
        tag_id: the name that the organisation gave it, if any.
        is_active: False when it is closed.

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
        tag_id: the name that the organisation gave the user, if any.
        email: the address, unique in the app.
        is_active: False when the user is disabled.

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
        key: what files call it, e.g. `staff`.
        label: what menus call it, e.g. `Staff`.

    Example:
        >>> Role(id=2, key="staff", label="Staff").key
        'staff'
    """

    id: int
    key: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """How a user is on a case.

    Args:
        role: what the user is on the case.
        notify: the stored choice of mails.

    Example:
        >>> Assignment(role=Role(id=2, key="staff")).notify
        False
    """

    role: Role
    notify: bool = False
