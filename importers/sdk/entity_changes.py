"""Changes of users and cases themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from importers.sdk.cells.suggestions import bare_tag
from importers.sdk.changes import Applied, Difference, OwnChange, Refused
from importers.sdk.entity_errors import differ, similar_tag, tag_error, taken_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from importers.sdk.changes import Intent, Key, Outcome, Transaction
    from importers.sdk.entities import Case, User
    from importers.sdk.errors import RowError
    from models.write_one import Table

# Functions of `models` are imported where they are used: `import importers` loads this module, and
# of other packages none, so that a plugin's test starts at once.

_user_details = attrgetter("given_name", "family_name", "locale", "zoneinfo", "tag_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser(OwnChange):
    """Create a user; changes nothing when the app has just this user already.

    Fails when a user has the address, with other details, or another user the Tag ID. The columns
    that address and Tag ID come from need `is_key=True`.

    Args:
        email: the address, unique in the app in any case.
        given_name: the first name.
        family_name: the last name.
        locale: a BCP 47 tag.
        zoneinfo: an IANA name.
        tag_id: the Tag ID, unique in the app.

    Example:
        >>> change = AddUser(email="jo@example.org", given_name="Jo", tag_id="smith-001")
    """

    taken: ClassVar[Mapping[str, tuple[str, str]]] = {
        "user-email": ("email", "EMAIL_TAKEN"),
        "user-tag": ("tag_id", "TAG_TAKEN"),
    }

    email: str
    given_name: str = ""
    family_name: str = ""
    locale: str | None = None
    zoneinfo: str | None = None
    tag_id: str | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The address, and the Tag ID if there is one."""
        return (("user-email", self.email.lower()), *_tag_key("user-tag", self.tag_id))

    def wish(self) -> Intent:
        """Return all values; addresses in any case are the same."""
        return ("AddUser", self.email.lower(), *_user_details(self))

    @classmethod
    async def apply(
        cls, changes: Sequence[AddUser], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Insert the users in the order of their addresses, then look at what was there."""
        from models.write_many import find_by_email, find_by_tag, insert_many  # noqa: PLC0415

        db, app_id = transaction.db, transaction.app_id
        twins = await _twins("users", changes, transaction)
        # Two imports that add the same users insert them in the same order, and so don't deadlock.
        ordered = sorted(changes, key=lambda change: change.email.lower())
        rows = list(map(attrgetter(*cls.__slots__), ordered))
        created = await insert_many(db, app_id, "users", cls.__slots__, rows, key="email")
        others = [change for change in changes if change.email not in created]
        by_email = await find_by_email(db, app_id, [change.email for change in others])
        tags = {change.tag_id for change in others if change.tag_id}
        by_tag = await find_by_tag(db, app_id, "users", tags)
        return [
            Applied(
                "CREATED",
                warnings=similar_tag("user", change.tag_id, twins),
                difference=_created(change, user_id=created[change.email]),
            )
            if change.email in created
            else _not_added(change, by_email.get(change.email), by_tag.get(change.tag_id or ""))
            for change in changes
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyUser(OwnChange):
    """Change a user. None keeps what is stored.

    Columns that the user and a new Tag ID come from need `is_key=True`.

    Args:
        user: the user.
        given_name: the first name.
        family_name: the last name.
        locale: a BCP 47 tag.
        zoneinfo: an IANA name.
        tag_id: a Tag ID for a user who has none; one that is set is permanent.
        is_active: False disables the user, True enables the user again.

    Example:
        >>> def change(self, row):
        ...     return ModifyUser(user=row.person, is_active=False)
    """

    taken: ClassVar[Mapping[str, tuple[str, str]]] = {"user-tag": ("tag_id", "TAG_TAKEN")}

    user: User
    given_name: str | None = None
    family_name: str | None = None
    locale: str | None = None
    zoneinfo: str | None = None
    tag_id: str | None = None
    is_active: bool | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The user, and the Tag ID if there is one."""
        return (("user", self.user.id), *_tag_key("user-tag", self.tag_id))

    def wish(self) -> Intent:
        """Return all values."""
        return ("ModifyUser", self.user.id, *_user_details(self), self.is_active)

    @classmethod
    async def apply(
        cls, changes: Sequence[ModifyUser], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Lock the users in the order of their keys, and change those that differ."""
        from models.write_many import find_by_tag, lock_many  # noqa: PLC0415

        db, app_id = transaction.db, transaction.app_id
        present = await lock_many(db, app_id, "users", [change.user.id for change in changes])
        tags = {change.tag_id for change in changes if change.tag_id}
        owners = await find_by_tag(db, app_id, "users", tags)
        refused: dict[int, Refused] = {}
        for change in changes:
            owner = owners.get(change.tag_id or "")
            error = tag_error(change.tag_id, present[change.user.id]["tag_id"], owner)
            if error:
                refused[change.user.id] = Refused(((change.tag_id, error),))
        wanted = {
            change.user.id: _given(change) for change in changes if change.user.id not in refused
        }
        new_tags = [change for change in changes if present[change.user.id]["tag_id"] is None]
        twins = await _twins("users", new_tags, transaction)
        updated = await _update("users", wanted, present, transaction)
        return [
            refused.get(change.user.id)
            or _updated(
                updated.get(change.user.id),
                similar_tag("user", change.tag_id, twins),
                user_id=change.user.id,
            )
            for change in changes
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCase(OwnChange):
    """Create a case; changes nothing when the app has just this case already.

    Fails when a case has the Tag ID, with other details. The column that the Tag ID comes from
    needs `is_key=True`.

    Args:
        tag_id: the Tag ID, unique in the app, and permanent.
        about: what the case is about.
        is_active: False for a case that is closed from the start.
        date_opened: the day on which it was opened.

    Example:
        >>> change = AddCase(tag_id="trv-901", about="Smith v. Harbor Freight Lines")
    """

    taken: ClassVar[Mapping[str, tuple[str, str]]] = {"case-tag": ("tag_id", "TAG_TAKEN")}

    tag_id: str
    about: str
    is_active: bool = True
    date_opened: date | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The Tag ID."""
        return (("case-tag", self.tag_id),)

    def wish(self) -> Intent:
        """Return all values."""
        day = self.date_opened.isoformat() if self.date_opened else None
        return "AddCase", self.tag_id, self.about, self.is_active, day

    @classmethod
    async def apply(
        cls, changes: Sequence[AddCase], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Insert the cases in the order of their Tag IDs, then look at what was there."""
        from models.write_many import find_by_tag, insert_many  # noqa: PLC0415

        db, app_id = transaction.db, transaction.app_id
        twins = await _twins("cases", changes, transaction)
        # Two imports that add the same cases insert them in the same order, and so don't deadlock.
        ordered = sorted(changes, key=attrgetter("tag_id"))
        rows = list(map(attrgetter(*cls.__slots__), ordered))
        created = await insert_many(db, app_id, "cases", cls.__slots__, rows, key="tag_id")
        others = {change.tag_id for change in changes} - created.keys()
        by_tag = await find_by_tag(db, app_id, "cases", others)
        return [
            Applied(
                "CREATED",
                warnings=similar_tag("case", change.tag_id, twins),
                difference=_created(change, case_id=created[change.tag_id]),
            )
            if change.tag_id in created
            else _not_added(change, None, by_tag.get(change.tag_id))
            for change in changes
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyCase(OwnChange):
    """Change a case. None keeps what is stored; a Tag ID can't be changed.

    The column that the case comes from needs `is_key=True`.

    Args:
        case: the case.
        about: what the case is about.
        is_active: False closes the case, True opens it again.
        date_opened: the day on which it was opened.

    Example:
        >>> def change(self, row):
        ...     return ModifyCase(case=row.matter, is_active=False)
    """

    case: Case
    about: str | None = None
    is_active: bool | None = None
    date_opened: date | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The case."""
        return (("case", self.case.id),)

    def wish(self) -> Intent:
        """Return all values."""
        day = self.date_opened.isoformat() if self.date_opened else None
        return "ModifyCase", self.case.id, self.about, self.is_active, day

    @classmethod
    async def apply(cls, changes: Sequence[ModifyCase], transaction: Transaction) -> list[Applied]:
        """Lock the cases in the order of their keys, and change those that differ."""
        from models.write_many import lock_many  # noqa: PLC0415

        wanted = {change.case.id: _given(change) for change in changes}
        present = await lock_many(transaction.db, transaction.app_id, "cases", wanted)
        updated = await _update("cases", wanted, present, transaction)
        return [_updated(updated.get(change.case.id), case_id=change.case.id) for change in changes]


ENTITY_CHANGES = frozenset({AddUser, ModifyUser, AddCase, ModifyCase})
"""The kinds of change of users and cases themselves."""


def entity_specimens(
    cases: Sequence[Case], users: Sequence[User]
) -> Iterator[tuple[OwnChange, Outcome]]:
    """Make changes of all these kinds, for validators to be tried on, each with its outcome."""
    for case in cases:
        yield ModifyCase(case=case, about="x"), "UPDATED"
        yield ModifyCase(case=case, is_active=False), "UPDATED"
    for user in users:
        yield ModifyUser(user=user, given_name="x"), "UPDATED"
        yield ModifyUser(user=user, is_active=False), "UPDATED"
    yield AddCase(tag_id="kit-1", about="x"), "CREATED"
    yield AddUser(email="kit@example.org"), "CREATED"


def _tag_key(kind: str, tag_id: str | None) -> tuple[Key, ...]:
    return ((kind, tag_id),) if tag_id else ()


def _values(change: OwnChange) -> dict[str, Any]:
    # `dataclasses.fields` would find out anew for each of many thousand changes.
    names: tuple[str, ...] = change.__slots__
    return {name: getattr(change, name) for name in names}


def _given(change: ModifyUser | ModifyCase) -> dict[str, Any]:
    """Return the columns that the change says something of."""
    return {
        name: value
        for name, value in _values(change).items()
        if value is not None and name not in ("user", "case")
    }


def _not_added(
    change: AddUser | AddCase, same: Mapping[str, Any] | None, owner: Mapping[str, Any] | None
) -> Applied | Refused:
    """Say why nothing was inserted: `same` has the address, `owner` the Tag ID."""
    stored = same or owner
    values = {name: value for name, value in _values(change).items() if name != "email"}
    is_case = isinstance(change, AddCase)
    other = {name: stored[name] for name in values if stored and differ(stored[name], values[name])}
    if stored and (same or is_case) and not other:
        return Applied("UNCHANGED")
    reasons: list[tuple[object, RowError]] = []
    if same and isinstance(change, AddUser):
        reasons.append((change.email, taken_error("EMAIL_TAKEN", "user", "e-mail address", other)))
    if owner and is_case:
        reasons.append((change.tag_id, taken_error("TAG_TAKEN", "case", "Tag ID", other)))
    elif owner and not (same and same["id"] == owner["id"]):
        email = {"email": owner["email"]}
        reasons.append((change.tag_id, taken_error("TAG_TAKEN", "user", "Tag ID", email)))
    return Refused(tuple(reasons))


async def _twins(
    table: Table, changes: Sequence[AddUser | AddCase | ModifyUser], transaction: Transaction
) -> Mapping[str, str]:
    """Return stored Tag IDs that are much like the new ones, by these."""
    from models.twin_tags import find_twin_tags  # noqa: PLC0415

    tags = {change.tag_id for change in changes if change.tag_id}
    db, app_id, import_id = transaction.db, transaction.app_id, transaction.import_id
    found = await find_twin_tags(db, app_id, table, tags, import_id=import_id)
    # The database takes `trv-1-11` for `trv-11-1`.
    return {
        tag: twin
        for tag, twins in found.items()
        for twin in sorted(twins, reverse=True)
        if bare_tag(twin) == bare_tag(tag)
    }


async def _update(
    table: Table,
    wanted: Mapping[int, Mapping[str, Any]],
    present: Mapping[int, Mapping[str, Any]],
    transaction: Transaction,
) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Write what differs from what is there.

    Returns:
        by primary key, the changed fields as they were and as they are.
    """
    from models.write_many import update_many  # noqa: PLC0415

    changed = {}
    for key, values in wanted.items():
        new = {name: to for name, to in values.items() if differ(present[key][name], to)}
        if new:
            changed[key] = new
    await update_many(transaction.db, transaction.app_id, table, changed, present)
    return {
        key: (
            {name: storable_value(present[key][name]) for name in values},
            storable_fields(values),
        )
        for key, values in changed.items()
    }


def _updated(
    sides: tuple[dict[str, Any], dict[str, Any]] | None,
    warnings: tuple[tuple[object, RowError], ...] = (),
    *,
    case_id: int | None = None,
    user_id: int | None = None,
) -> Applied:
    if sides is None:
        return Applied("UNCHANGED")
    before, after = sides
    difference = Difference(before=before, after=after, case_id=case_id, user_id=user_id)
    return Applied("UPDATED", warnings=warnings, difference=difference)


def _created(
    change: AddUser | AddCase, *, case_id: int | None = None, user_id: int | None = None
) -> Difference:
    names: tuple[str, ...] = change.__slots__
    after = {
        name: value.isoformat() if type(value) is date else value
        for name in names
        if (value := getattr(change, name)) is not None and value != ""
    }
    return Difference(before=None, after=after, case_id=case_id, user_id=user_id)


def storable_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored values as JSON can hold them."""
    return {name: storable_value(value) for name, value in values.items()}


def storable_value(value: Any) -> Any:
    """Return a stored value as JSON can hold it."""
    return value.isoformat() if isinstance(value, date) else value
