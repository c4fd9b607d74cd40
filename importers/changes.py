"""What a row can ask for: values that a plugin returns and the engine carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importers.entity import Case, Role, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Put a user on a case.

    Fails on a closed case, for a disabled user, and when the user is on the case already in
    another way; changes nothing when the user is on it in just this way.

    Args:
        case: the case.
        user: the user.
        role: what the user is on the case.
        notify: send the user a mail.
    """

    case: Case
    user: User
    role: Role
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Modify:
    """Change how a user is on a case; fails when the user is not on it, or it is closed.

    Args:
        case: the case.
        user: the user.
        role: the new role; None keeps the present one.
        notify: the new choice; None keeps the present one.
    """

    case: Case
    user: User
    role: Role | None = None
    notify: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take a user off a case; changes nothing when the user is not on it.

    Args:
        case: the case.
        user: the user.
    """

    case: Case
    user: User


Change = Assign | Modify | Remove
"""Every kind of change that the engine carries out."""
