"""Columns whose cells name something that is looked up: cases, users and roles."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from importers.sdk.cells.choices import mapped_words, no_choice
from importers.sdk.cells.meant import meant_email
from importers.sdk.cells.spreadsheet import damaged
from importers.sdk.cells.suggestions import Advice, advise
from importers.sdk.columns import Column, only_trims
from importers.sdk.errors import RowError, shorten
from importers.sdk.node_id import could_be_node_id, encode_node_id, has_node_id
from importers.sdk.plugin import Setting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Self

    from importers.sdk.cells.suggestions import Noun
    from importers.sdk.directory import Directory
    from importers.sdk.entities import Case, Role, User

T = TypeVar("T")

TAG_IDS = "Tag ID"
"""The key space of columns that name cases and users, and of those that give new ones a name.

A row can name by its Tag ID what another row of the file gives that Tag ID to."""


class Reference(Column[T]):
    """A column whose cells are keys of things that are stored; the value is what was found.

    All keys of a chunk are looked up at once. A plugin looks up things of its own in a subclass
    that overrides `resolve`, and `unknown` for a better message than that the key is unknown.

    Example:
        >>> class Desk(Reference[int]):
        ...     async def resolve(self, directory, keys):
        ...         found = await directory.fetch(
        ...             "SELECT code, id FROM acme_desks WHERE app_id = $1 AND code = ANY($2)",
        ...             directory.app_id,
        ...             list(keys),
        ...         )
        ...         return {row["code"]: row["id"] for row in found}
    """

    # A look-up of a plugin's own can find either.
    _may_name: ClassVar[frozenset[str]] = frozenset({"case", "user"})

    @only_trims
    def parse(self, text: str) -> Any:
        """Return the key to look up."""
        return text

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, T]:
        """Look up keys, in a number of queries that does not grow with the number of keys.

        Args:
            directory: what is stored of the app.
            keys: what `parse` has returned, each once.

        Returns:
            what each key finds; keys that find nothing are left out.
        """
        raise NotImplementedError

    async def unknown(self, directory: Directory, keys: Sequence[str]) -> Mapping[str, RowError]:
        """Say what is wrong with keys that `resolve` left out.

        Args:
            directory: what is stored of the app, to find what was meant.
            keys: sorted; there can be as many as a chunk has rows, so bound what you look up.

        Returns:
            an error for each of them, with None as its column.
        """
        return {
            key: RowError(None, "NOT_FOUND", "'{text}' is unknown.", text=shorten(key))
            for key in keys
        }

    def refusal(self, value: T) -> RowError | None:
        """Say why what was found can't be used, if so; the row then fails, whatever it asks for.

        Shown together with the row's other errors. A row that would change nothing is not refused:
        what is in effect already stays unchanged.

        Args:
            value: what `resolve` has found.
        """
        return None

    def _may_refuse(self, values: Iterable[T | None]) -> bool:
        """Tell at once that nothing is refused, without asking for each; True says nothing."""
        return type(self).refusal is not Reference.refusal

    def _is_exact(self) -> bool:
        return True

    def group_key(self, value: T) -> str:
        """Name what was found in one way only, whichever key found it."""
        return repr(value)

    def is_plain(self, key: str) -> bool:
        """Tell whether the key itself is the `group_key` of what it finds, if anything.

        Such keys need no look-up when a file is split into chunks. False is always right.
        """
        return False

    def _are_plain(self, keys: Collection[str]) -> bool:
        """Tell at once that all keys are plain, without asking for each; False says nothing."""
        return False


class CaseRef(Reference["Case"]):
    """A case by its Tag ID, or by the `id` that the API shows for it; the value is a `Case`.

    If a cell is both, the Tag ID wins. Unknown ones fail, with a suggestion.

    Args:
        must_be_open: refuse closed cases, whatever the row would change. `Assign` and `Modify`
            refuse them in any event, but only when the row has no other errors.

    Example:
        >>> matter = CaseRef(required=True, example="trv-001")
    """

    _may_name = frozenset({"case"})
    _key_space = TAG_IDS

    def __init__(self, *, must_be_open: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.must_be_open = must_be_open

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Case]:
        """Find the cases."""
        return await directory.cases(keys)

    async def unknown(self, directory: Directory, keys: Sequence[str]) -> Mapping[str, RowError]:
        """Suggest Tag IDs that look alike."""
        return await unknown_ids(directory, "case", keys)

    def refusal(self, value: Case) -> RowError | None:
        """Refuse a closed case."""
        return case_closed(value) if self.must_be_open and not value.is_active else None

    def _may_refuse(self, values: Iterable[Case | None]) -> bool:
        kind = type(self)
        is_own = kind.refusal is not CaseRef.refusal or kind.resolve is not CaseRef.resolve
        return is_own or (self.must_be_open and not _all_active(values))

    def group_key(self, value: Case) -> str:
        """Return the Tag ID."""
        return value.tag_id or f"#{value.id}"

    def is_plain(self, key: str) -> bool:
        """Take every key but an ID for a Tag ID, unless a plugin looks cases up in its own way."""
        return type(self).resolve is CaseRef.resolve and not could_be_node_id("Case", key)

    def _are_plain(self, keys: Collection[str]) -> bool:
        kind = type(self)
        is_own = kind.is_plain is not CaseRef.is_plain or kind.resolve is not CaseRef.resolve
        return not is_own and not has_node_id("Case", keys)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        yield from (case.tag_id for case in cases if case.tag_id)
        yield from (encode_node_id("Case", case.id) for case in cases)


class UserRef(Reference["User"]):
    """A user by Tag ID or the API's `id`, or else by e-mail address; the value is a `User`.

    Args:
        by: `tag` for Tag IDs and the API's IDs (if a cell is both, the Tag ID wins), `email` for
            addresses (in any case).
        must_be_active: refuse disabled users, whatever the row would change. `Assign` refuses them
            in any event, but only when the row has no other errors.

    Example:
        >>> person = UserRef(required=True, by="email", example="jo@example.org")
    """

    _may_name = frozenset({"user"})
    _key_space = TAG_IDS

    def __init__(
        self, *, by: Literal["tag", "email"] = "tag", must_be_active: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.by = by
        self.must_be_active = must_be_active

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, User]:
        """Find the users."""
        if self.by == "email":
            return await directory.users_by_email(keys)
        return await directory.users(keys)

    async def unknown(self, directory: Directory, keys: Sequence[str]) -> Mapping[str, RowError]:
        """Suggest Tag IDs that look alike."""
        if self.by == "email":
            return await _unknown_addresses(directory, keys)
        return await unknown_ids(directory, "user", keys)

    def refusal(self, value: User) -> RowError | None:
        """Refuse a disabled user."""
        return user_disabled(value) if self.must_be_active and not value.is_active else None

    def _may_refuse(self, values: Iterable[User | None]) -> bool:
        kind = type(self)
        is_own = kind.refusal is not UserRef.refusal or kind.resolve is not UserRef.resolve
        return is_own or (self.must_be_active and not _all_active(values))

    def group_key(self, value: User) -> str:
        """Return the Tag ID."""
        return value.tag_id or f"#{value.id}"

    def is_plain(self, key: str) -> bool:
        """Take every key but IDs for a Tag ID; none where cells are addresses, or by a plugin."""
        is_own = type(self).resolve is not UserRef.resolve
        return self.by == "tag" and not is_own and not could_be_node_id("User", key)

    def _are_plain(self, keys: Collection[str]) -> bool:
        kind = type(self)
        is_own = kind.is_plain is not UserRef.is_plain or kind.resolve is not UserRef.resolve
        return self.by == "tag" and not is_own and not has_node_id("User", keys)

    def _specimens(self, cases: Sequence[Case], users: Sequence[User]) -> Iterable[str]:
        if self.by == "email":
            emails = [user.email for user in users]
            return [*emails, *map(str.upper, emails)]
        tags = [user.tag_id for user in users if user.tag_id]
        return [*tags, *(encode_node_id("User", user.id) for user in users)]


class RoleRef(Reference["Role"]):
    """A role of the app; the value is a `Role`.

    Args:
        choices: what cells may hold, and the role's key that each stands for, or `setting("seats")`
            for a setting that has such a table; None for the app's own keys, of which `role::staff`
            is read as `staff`.

    Example:
        >>> seat = RoleRef(choices={"lead": "staff", "guest": "default"})
    """

    # Rows about one role can run at the same time.
    _may_name = frozenset[str]()

    def __init__(
        self, *, choices: Mapping[str, str] | Setting | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._setting = choices if isinstance(choices, Setting) else None
        self._keys = {} if isinstance(choices, Setting) else choices

    def _with_settings(self, settings: Any) -> Self:
        if self._setting is None:
            return self
        column = copy(self)
        column._keys = keys = self._setting.read(settings, mapped_words)
        if column.example not in keys:
            column.example = next(iter(keys))
        return column

    def parse(self, text: str) -> Any:
        """Return the role's key."""
        if self._keys is None:
            return text.removeprefix("role::")
        if text not in self._keys:
            raise no_choice(text, list(self._keys))
        return self._keys[text]

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Role]:
        """Find the app's roles."""
        roles = await directory.roles()
        return {key: roles[key] for key in keys if key in roles}

    async def unknown(self, directory: Directory, keys: Sequence[str]) -> Mapping[str, RowError]:
        """Name the app's roles."""
        roles = sorted(await directory.roles())
        if self._keys is None:
            return {key: no_choice(key, roles) for key in keys}
        # The importer's word stands for a role that the app lacks; the file is right.
        return {
            key: RowError(
                None,
                "NO_SUCH_ROLE",
                "stands for the role '{role}', which the app does not have.",
                role=shorten(key),
            )
            for key in keys
        }

    def choices_for(self, roles: Sequence[str]) -> Sequence[str]:
        """List the cells that are read."""
        return list(roles) if self._keys is None else list(self._keys)


def _all_active(found: Iterable[Case | User | None]) -> bool:
    return all(entity is None or entity.is_active for entity in found)


def case_closed(case: Case) -> RowError:
    """Return the error of a change of a closed case."""
    if case.tag_id:
        template = "the case '{case}' is closed; reopen it first."
        return RowError(None, "CASE_CLOSED", template, case=case.tag_id)
    return RowError(None, "CASE_CLOSED", "the case is closed; reopen it first.")


def user_disabled(user: User) -> RowError:
    """Return the error of an assignment of a disabled user."""
    if name := user.tag_id or user.email:
        template = "the user '{user}' is disabled; enable the user first."
        return RowError(None, "USER_DISABLED", template, user=name)
    return RowError(None, "USER_DISABLED", "the user is disabled; enable the user first.")


async def _unknown_addresses(directory: Directory, keys: Sequence[str]) -> dict[str, RowError]:
    addresses = {key: meant_email(key) or "" for key in keys}
    by_email = await directory.users_by_email(set(addresses.values()) - {""})
    by_tag = await directory.users(keys)
    errors = {}
    for key, address in addresses.items():
        meant = by_tag[key].email if key in by_tag else address if address in by_email else None
        hint = "; that is the Tag ID of the user with '{suggestion}'." if key in by_tag else "."
        if meant and key not in by_tag:
            hint = "; did you mean '{suggestion}'?"
        template = "no user has the e-mail address '{text}'" + hint
        errors[key] = RowError(None, "NOT_FOUND", template, meant, text=shorten(key))
    return errors


async def unknown_ids(directory: Directory, noun: Noun, keys: Sequence[str]) -> dict[str, RowError]:
    """Return the error of each unknown Tag ID or ID, with what was meant where that is sure.

    Args:
        directory: what is stored of the app.
        noun: what the column names.
        keys: sorted.
    """
    advice = await advise(directory, noun, keys)
    return {key: _unknown_id(noun, key, advice.get(key)) for key in keys}


def _unknown_id(noun: Noun, key: str, advice: Advice | None) -> RowError:
    if advice is None and (damage := damaged(key)):
        return damage
    advice = advice or Advice()
    template = "no {noun} has the Tag ID or ID '{text}'" + advice.hint
    params = {"noun": noun, "text": shorten(key), **advice.params}
    return RowError(None, "NOT_FOUND", template, advice.suggestion, **params)
