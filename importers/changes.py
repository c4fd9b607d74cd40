"""What a row can ask for: values that a plugin returns and the engine carries out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from importers.entity import Case, Role, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from asyncpg import Connection

    from importers.errors import RowError

Key = tuple[str | int | None, ...]
Wish = tuple[str | int | None, ...]
Outcome = Literal["CREATED", "UPDATED", "REMOVED", "UNCHANGED"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """The transaction of the chunk that a change of an own kind is carried out in.

    Args:
        db: an asyncpg connection; its transaction is the engine's to end.
        app_id: the app of the import; whatever is read or written must be of this app.
        import_id: the import.
        is_dry_run: whether all of it will be undone.
    """

    db: Connection
    app_id: int
    import_id: int
    is_dry_run: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change of an own kind has done.

    Args:
        outcome: `CREATED`, `UPDATED`, `REMOVED` or `UNCHANGED`.
        message: what the admin should know although all is well.
    """

    outcome: Outcome
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a change of an own kind can't be made.

    Args:
        reasons: each with the value at fault as the row gave it, from which the engine finds the
            column; None for the row as a whole.
    """

    reasons: tuple[tuple[object, RowError], ...]


class OwnChange:
    """The base of kinds of change beside those to assignments.

    Subclasses are frozen dataclasses. The engine groups a chunk's changes by class and has each
    class carry out its own, in the transaction that holds the rows' results as well.

    Example:
        >>> @dataclass(frozen=True, slots=True, kw_only=True)
        ... class BookDesk(OwnChange):
        ...     desk: str
        ...
        ...     @property
        ...     def keys(self):
        ...         return (("desk", self.desk),)
        ...
        ...     @classmethod
        ...     async def apply(cls, changes, transaction):
        ...         return [Applied("CREATED") for change in changes]
    """

    __slots__ = ()

    taken: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """For kinds of key that a single field makes: the field, and the code of the error when an
    earlier row has the key. Other kinds fail the row as a whole, with `CONFLICTS_WITH_ROW`."""

    @property
    def keys(self) -> Sequence[Key]:
        """What the change is about, one or several: each a tuple of a word for the kind, then texts
        or numbers, such as `("desk", "2-14")`.

        Of rows that share a key the first one is applied; later ones repeat or contradict it. Rows
        are found to share a key only if a column that it is made of has `is_key`, or is the
        importer's only one for cases or for users.
        """
        raise NotImplementedError

    def wish(self) -> Wish:
        """Return what is asked for: a later row with the same keys and wish is a repeat."""
        values: Any = (getattr(self, each.name) for each in fields(self))  # type: ignore[arg-type]
        return (type(self).__name__, *map(_plain, values))

    @classmethod
    async def apply(
        cls, changes: Sequence[Self], transaction: Transaction
    ) -> Sequence[Applied | Refused]:
        """Carry changes out, in a number of statements that does not grow with theirs.

        No two of the changes share a key. May be called again after what it did was undone. Take
        locks and write in one order, that of the keys, so that two imports can't deadlock.

        Returns:
            what became of each change, in their order.
        """
        raise NotImplementedError


def _plain(value: object) -> str | int | None:
    """Make a value comparable across chunks, which hand wishes over as JSON."""
    if isinstance(value, Case | User | Role):
        return value.id
    return value if isinstance(value, str | bool | None) else str(value)


Change = Assign | Modify | Remove | OwnChange
"""Every kind of change that the engine carries out."""
