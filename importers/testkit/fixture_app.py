"""A world in memory that importers are tried on, in place of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from importers.sdk.directory import MOST_ASSIGNMENTS, TooManyAssignmentsError
from importers.sdk.entities import (
    Assignment,
    Case,
    PresentAssignment,
    Role,
    User,
    by_case,
    by_user,
)
from importers.sdk.node_id import encode_node_id
from models.assignment import Present

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import timedelta

    from importers.sdk.changes import Outcome
    from importers.sdk.directory import EffectNoun, RunningImport
    from importers.sdk.records.record import Record
    from models.assignment import Pair

E = TypeVar("E", Case, User)
Fetch = Callable[..., "Sequence[Mapping[str, Any]]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """An assignment that is there before the import.

    Args:
        case: Tag ID of the case.
        user: Tag ID of the user.
        role: key of the role.
        notify: the stored choice of mails.

    Example:
        >>> world = World(assignments=[Assigned(case="trv-002", user="jack-001", role="staff")])
    """

    case: str
    user: str
    role: str
    notify: bool = False


def _no_tables(query: str, *_arguments: Any) -> Sequence[Mapping[str, Any]]:
    raise LookupError(f"say with World(fetch=…) what this query finds: {query}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The cases, users, roles and assignments that an importer is tried on.

    Args:
        cases: without it, the open cases `trv-001` and `trv-002`, and `closed-001`.
        users: without it, `jack-001` (jack@example.org), `jones-001` (jo@example.org), and
            `gone-001` (gone@example.org), who is disabled.
        roles: without it, `clients`, `staff` and `default`.
        assignments: without it, `jones-001` is on `trv-001` as `clients`.
        changed: what has changed before the import, in the app and in the time that a validator
            looks back: `Effect.noun` and outcome → how many changes.
        records: those that the plugin's own tables have, if it declares them.
        fetch: answers `Directory.fetch`, given the query and its arguments, with what a plugin's
            own tables hold: a list of dicts.

    Example:
        >>> World(cases=[Case(id=1, tag_id="m-1")]).cases[0].tag_id
        'm-1'
    """

    cases: Sequence[Case] = (
        Case(id=1, tag_id="trv-001"),
        Case(id=2, tag_id="trv-002"),
        Case(id=3, tag_id="closed-001", is_active=False),
    )
    users: Sequence[User] = (
        User(id=1, tag_id="jack-001", email="jack@example.org"),
        User(id=2, tag_id="jones-001", email="jo@example.org"),
        User(id=3, tag_id="gone-001", email="gone@example.org", is_active=False),
    )
    roles: Sequence[Role] = (
        Role(id=1, key="clients", label="Clients"),
        Role(id=2, key="staff", label="Staff"),
        Role(id=3, key="default", label="Default"),
    )
    assignments: Sequence[Assigned] = field(
        default=(Assigned(case="trv-001", user="jones-001", role="clients"),)
    )
    changed: Mapping[tuple[EffectNoun, Outcome], int] = field(default_factory=dict)
    records: Sequence[Record] = ()
    fetch: Fetch = _no_tables

    def present(self) -> dict[Pair, Present]:
        """Return the assignments as the engine knows them: by primary keys alone."""
        cases = {case.tag_id: case.id for case in self.cases}
        users = {user.tag_id: user.id for user in self.users}
        roles = {role.key: role.id for role in self.roles}
        found = {}
        for each in self.assignments:
            try:
                pair = cases[each.case], users[each.user]
                found[pair] = Present(roles[each.role], each.notify)
            except KeyError as error:
                raise LookupError(f"{each} is of something that is not in the world") from error
        return found


class WorldDirectory:
    """A directory of what is in a world; it suggests every Tag ID.

    Args:
        current: the assignments as they are by now; None for those of the world.
    """

    app_id = 1

    def __init__(self, world: World, current: Mapping[Pair, Present] | None = None) -> None:
        self._world = world
        self._current = world.present() if current is None else current
        self._roles = {role.id: role for role in world.roles}

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        return self._world.fetch(query, *arguments)

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        return _found("Case", keys, self._world.cases)

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        return _found("User", keys, self._world.users)

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        by_email = {user.email.lower(): user for user in self._world.users}
        return {key: by_email[key.lower()] for key in keys if key.lower() in by_email}

    async def users_by_name(self, keys: Collection[str]) -> Mapping[str, Sequence[User]]:
        # The users of a world have no names.
        return {}

    async def roles(self) -> Mapping[str, Role]:
        return {role.key: role for role in self._world.roles}

    async def assignments(self, pairs: Collection[Pair]) -> Mapping[Pair, Assignment]:
        return {
            pair: Assignment(role=self._roles[state.role_id], notify=state.notify)
            for pair, state in self._current.items()
            if pair in pairs
        }

    async def cases_of(
        self, user_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        return by_user(self._present(1, user_ids))

    async def users_of(
        self, case_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        return by_case(self._present(0, case_ids))

    def _present(self, side: int, ids: Collection[int]) -> list[PresentAssignment]:
        found = [(*pair, state) for pair, state in self._current.items() if pair[side] in ids]
        if len(found) > MOST_ASSIGNMENTS:
            raise TooManyAssignmentsError
        cases = {case.id: case for case in self._world.cases}
        users = {user.id: user for user in self._world.users}
        return [
            PresentAssignment(
                case=cases[case_id],
                user=users[user_id],
                role=self._roles[state.role_id],
                notify=state.notify,
            )
            for case_id, user_id, state in found
        ]

    async def count_users(self, case_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        return self._counted(0, case_ids)

    async def count_cases(self, user_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        return self._counted(1, user_ids)

    def _counted(self, side: int, ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        return Counter(
            (pair[side], self._roles[state.role_id].key)
            for pair, state in self._current.items()
            if pair[side] in ids
        )

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return dict.fromkeys(keys, tuple(case.tag_id for case in self._world.cases if case.tag_id))

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return dict.fromkeys(keys, tuple(user.tag_id for user in self._world.users if user.tag_id))


class WorldCountingDirectory(WorldDirectory):
    """The same for validators.

    Args:
        unseen: effects of the running import so far.
    """

    def __init__(
        self,
        world: World,
        current: Mapping[Pair, Present] | None = None,
        running_import: RunningImport | None = None,
        unseen: Mapping[tuple[EffectNoun, Outcome], int] = {},
    ) -> None:
        super().__init__(world, current)
        self.running_import = running_import
        self._unseen = unseen

    async def count_changes(self, within: timedelta) -> Counter[tuple[EffectNoun, Outcome]]:
        return Counter(self._world.changed) + Counter(self._unseen)

    async def count_import_changes(self) -> Counter[tuple[EffectNoun, Outcome]]:
        return Counter(self._unseen)


def _found(kind: str, keys: Collection[str], known: Sequence[E]) -> dict[str, E]:
    by_id = {encode_node_id(kind, entity.id): entity for entity in known}
    by_name = by_id | {entity.tag_id: entity for entity in known if entity.tag_id}
    return {key: by_name[key] for key in keys if key in by_name}
