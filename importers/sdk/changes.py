"""What a row can ask for: values that a plugin returns and the engine carries out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from importers.sdk.entities import Case, Role, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from asyncpg import Connection

    from importers.sdk.errors import RowError

Key = tuple[str | int | None, ...]
Intent = tuple[str | int | None, ...]
Outcome = Literal["CREATED", "UPDATED", "REMOVED", "UNCHANGED"]
AtWorst = Literal["adds", "changes", "removes"]

EFFECTS: Sequence[AtWorst] = ("adds", "changes", "removes")
"""What a row may do at worst, from the least to the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Put a user on a case.

    Fails on a closed case, for a disabled user, and when the user is on the case already in
    another way; changes nothing when the user is on it in just this way.

    Args:
        case: the case.
        user: the user.
        role: what the user is on the case.
        notify: send the user a mail; it is stored as well.

    Example:
        >>> def change(self, row):
        ...     return Assign(case=row.matter, user=row.person, role=row.seat, notify=row.mail)
    """

    _at_worst: ClassVar[AtWorst] = "adds"

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
        notify: the new choice of mails; None keeps the present one.

    Example:
        >>> def change(self, row):
        ...     return Modify(case=row.matter, user=row.person, notify=False)
    """

    _at_worst: ClassVar[AtWorst] = "changes"

    case: Case
    user: User
    role: Role | None = None
    notify: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take a user off a case, closed or not; changes nothing when the user is not on it.

    Args:
        case: the case.
        user: the user.

    Example:
        >>> def change(self, row):
        ...     return Remove(case=row.matter, user=row.person)
    """

    _at_worst: ClassVar[AtWorst] = "removes"

    case: Case
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Put a user back on a case as before, or take the user off it; of imports that undo others.

    Fails when the assignment is not as the other import has left it. Closed cases and disabled
    users are no obstacle: it only takes something back.

    Args:
        case: the case.
        user: the user.
        role: what the user was on the case; None if the user was not on it.
        notify: whether the row that put the user there asked for a mail.
        present_role: what the user is on the case since the import; None if not on it.
        present_notify: likewise.
    """

    _at_worst: ClassVar[AtWorst] = "removes"

    case: Case
    user: User
    role: Role | None
    notify: bool
    present_role: Role | None
    present_notify: bool


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Ask for nothing, and say why; None asks for nothing without a word.

    The row passes, as `UNCHANGED`; to have it fail, raise `RowError`.

    Args:
        message: what the admin should know, written on the row.

    Example:
        >>> def change(self, row):
        ...     if row.person.email.endswith("@example.org"):
        ...         return Unchanged("is one of us")
        ...     return Remove(case=row.matter, user=row.person)
    """

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """The transaction of a chunk, in which `OwnChange.apply` carries changes out.

    The results of the rows are written in it as well: whatever becomes of the worker, both are
    kept or neither.

    Args:
        db: an asyncpg connection; its transaction is the engine's to end.
        app_id: the app of the import; whatever is read or written must be of this app.
        import_id: the import.
        is_dry_run: whether all of it will be undone. There is no need to ask, but for what can't
            be undone.

    Example:
        >>> async def close_desks(codes, transaction):
        ...     await transaction.db.execute(
        ...         "UPDATE acme_desks SET is_open = false WHERE app_id = $1 AND code = ANY($2)",
        ...         transaction.app_id,
        ...         codes,
        ...     )
    """

    db: Connection
    app_id: int
    import_id: int
    is_dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a change of an own kind has made of a record: what was there, and what is there now.

    Plans, history and undo rest on it: a plan is applied only where both sides are still the same,
    and the inverse of a change is made of it. So both sides also have what tells the record from
    others, unless the case and the user do.

    Args:
        before: the fields that were changed, as they were; None when the record was created.
        after: the same fields as they are now; None when the record was removed. Values on both
            sides are texts, numbers, truth values and None.
        case_id: primary key of the case that it is about, if it is about one.
        user_id: primary key of the user that it is about, likewise.

    Example:
        >>> difference = Difference(before={"floor": 1}, after={"floor": 2})
    """

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    case_id: int | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change of an own kind has done, as `OwnChange.apply` answers.

    Args:
        outcome: `UNCHANGED` for what was in effect already.
        message: what the admin should know although all is well.
        warnings: what the admin should look at; each is the value that it is about just as the row
            gave it, from which the engine finds the column, or None for the row as a whole, and
            what may be wrong.
        difference: what it has changed. Without it, a dry run of the import can't be applied as a
            plan, and the change can't be undone.

    Example:
        >>> answer = Applied("CREATED", "is the last desk on this floor")
    """

    outcome: Outcome
    message: str | None = None
    warnings: tuple[tuple[object, RowError], ...] = ()
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a change of an own kind can't be made, as `OwnChange.apply` answers; its row fails.

    Args:
        reasons: one or several; each is the value at fault just as the row gave it, from which the
            engine finds the column, or None for the row as a whole, and what is wrong.

    Example:
        >>> def answer(change):
        ...     return Refused(((change.desk, RowError(None, "TAKEN", "is somebody else's.")),))
    """

    reasons: tuple[tuple[object, RowError], ...]


class OwnChange:
    """The base of the kinds of change that plugins bring, and of those of users and cases.

    Subclasses are frozen dataclasses, which say with `keys` what they are about. The engine leaves
    repeats out, groups a chunk's changes by class, and has each class carry out its own in
    `apply`, in the transaction that holds the rows' results as well.

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

    # Without it, subclasses with slots would have a `__dict__` all the same.
    __slots__ = ()

    taken: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """For a kind of key that a single field makes, such as `desk`: the name of this field, and the
    code of the error when an earlier row has the key and differs, e.g.
    `{"desk": ("desk", "DESK_TAKEN")}`. Other kinds fail the row as a whole, with
    `CONFLICTS_WITH_ROW`."""

    @property
    def keys(self) -> Sequence[Key]:
        """What the change is about, one or several: each a tuple of a word for the kind, then texts
        or numbers, such as `("desk", "2-14")`.

        Of rows that share a key the first one is applied; later ones repeat or contradict it. Rows
        are found to share a key only if a column that it is made of has `is_key`, or is the
        importer's only one for cases or for users.
        """
        raise NotImplementedError

    def wish(self) -> Intent:
        """Return what is asked for: a later row with the same keys and wish is a repeat.

        By default these are all fields. Override it when fields can differ in form and mean the
        same. A tuple of a word, then texts or numbers.
        """
        values: Any = (getattr(self, each.name) for each in fields(self))  # type: ignore[arg-type]
        return (type(self).__name__, *map(_plain, values))

    @classmethod
    async def apply(
        cls, changes: Sequence[Self], transaction: Transaction
    ) -> Sequence[Applied | Refused]:
        """Carry changes out, in a number of statements that does not grow with theirs.

        It may be called again after what it did was undone: for a dry run, for a row of which
        another change has failed, or for the row at fault after an error.

        Args:
            changes: of this class, in the order of the file; no two of them share a key.
            transaction: where to write, and for which app. Take locks and write in the order of
                the keys, so that two imports can't deadlock, and never commit.

        Returns:
            what became of each change, in their order.
        """
        raise NotImplementedError

    @classmethod
    def inverse(
        cls, difference: Difference, case: Case | None, user: User | None
    ) -> OwnChange | None:
        """Make the change that takes back what a change of this class has done.

        An import is undone by another one, with a row for each change. Several of a record, as
        retries make them, are one difference. A change that finds the record otherwise than the
        import has left it must refuse, with the code `CHANGED_SINCE`. The class must be at the top
        of its module, where the engine finds it again by its name.

        Args:
            difference: what the change has changed.
            case: the case that it is about, if it is about one.
            user: likewise.

        Returns:
            a change of this class or of another; None, as by default, if there is none. Then the
            row of the undo fails with `NOT_REVERSIBLE`.

        Raises:
            RowError: why this one can't be taken back.
        """
        return None

    @classmethod
    def _carrier(cls) -> type[OwnChange]:
        """Return the class whose `apply` carries the change out, with those of its other kinds."""
        return cls

    @property
    def _origin(self) -> type:
        """The class whose `inverse` takes the change back."""
        return type(self)


def _plain(value: object) -> str | int | None:
    """Make a value comparable across chunks, which hand intents on as JSON."""
    if isinstance(value, Case | User | Role):
        return value.id
    return value if isinstance(value, str | bool | None) else str(value)


AssignmentChange = Assign | Modify | Remove | Restore
"""Every kind of change of an assignment; `importers.run.rules` has a rule for each."""

Change = Assign | Modify | Remove | Restore | OwnChange
"""Every kind of change that the engine carries out; those of users and cases, such as `AddUser`,
are `OwnChange`s."""

Answer = Change | Unchanged
"""What `Importer.change` may return, one or several; or None."""
