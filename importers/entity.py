"""What the cells of a file refer to: cases, users and roles as an importer sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of the app.

    Args:
        id: its primary key.
        tag_id: the name that the organisation gave it, if any.
        is_active: False when it is closed.
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
    """

    id: int
    key: str
    label: str = ""
