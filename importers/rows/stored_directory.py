"""The directory of what is stored: references are looked up in PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from importers.isolation.plugin_connection import refuse_end
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
from importers.sdk.node_id import could_be_node_id, decode_node_id, has_node_id
from models.assignment import assignments_of, count_assignments, present_assignments
from models.case import find_cases
from models.db import is_misuse
from models.similar_tags import find_similar_tags
from models.user import find_users, find_users_by_email, find_users_by_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence, Set

    from asyncpg import Connection

    from models.case import CaseRecord
    from models.user import UserRecord
    from models.write_one import Side

E = TypeVar("E", Case, User)


class OneByOne:
    """A connection that each takes for a while, as `async with shared as db`.

    Plugins may gather their look-ups, and a sign of life may be due as they do.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Connection:
        await self._turn.acquire()
        return self._db

    async def __aexit__(self, *_: object) -> None:
        self._turn.release()

    async def keep_alive(self) -> None:
        """Send something, so that the transaction is not ended for its silence."""
        # A look-up is on its way: there is no silence. And it may be waiting for this sign.
        if self._turn.locked():
            return
        async with self as db:
            try:
                await db.execute("SELECT 1")
            except Exception as error:
                # A statement that a plugin has sent by itself is on its way: there is no silence.
                if not is_misuse(error, db):
                    raise


class StoredDirectory:
    """Look references up for one app, within one transaction, as `Directory` describes.

    Args:
        db: the transaction's connection; shared, if others send statements on it meanwhile.
    """

    def __init__(self, db: Connection | OneByOne, app_id: int) -> None:
        self._shared = db if isinstance(db, OneByOne) else OneByOne(db)
        self._app_id = app_id
        self._roles: dict[str, Role] | None = None

    @property
    def app_id(self) -> int:
        return self._app_id

    async def keep_alive(self) -> None:
        """Send something, so that the transaction is not ended for its silence."""
        await self._shared.keep_alive()

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        """Read rows of a plugin's own tables; a query that fails does not end the transaction."""
        refuse_end(query)
        async with self._shared as db:
            try:
                async with db.transaction():
                    # Ends with the savepoint.
                    await db.execute("SET LOCAL transaction_read_only = on")
                    return list(await db.fetch(query, *arguments))
            except Exception as error:
                if is_misuse(error, db):
                    raise ValueError(f"the query can't be sent: {error}") from error
                raise

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        ids = _ids("Case", keys)
        async with self._shared as db:
            found = await find_cases(db, self._app_id, tags=list(keys), ids=list(ids.values()))
        return _by_key(keys, ids, _cases(found))

    async def cases_by_id(self, ids: Collection[int]) -> Mapping[int, Case]:
        """Find cases by primary key, whatever Tag IDs there are."""
        async with self._shared as db:
            found = await find_cases(db, self._app_id, tags=[], ids=list(ids))
        return {case.id: case for case in _cases(found)}

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        ids = _ids("User", keys)
        async with self._shared as db:
            found = await find_users(db, self._app_id, tags=list(keys), ids=list(ids.values()))
        return _by_key(keys, ids, _users(found))

    async def users_by_id(self, ids: Collection[int]) -> Mapping[int, User]:
        """Find users by primary key, whatever Tag IDs there are."""
        async with self._shared as db:
            found = await find_users(db, self._app_id, tags=[], ids=list(ids))
        return {user.id: user for user in _users(found)}

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        async with self._shared as db:
            found = await find_users_by_email(db, self._app_id, list(keys))
        by_email = {user.email.lower(): user for user in _users(found)}
        return {key: by_email[key.lower()] for key in keys if key.lower() in by_email}

    async def users_by_name(self, keys: Collection[str]) -> Mapping[str, Sequence[User]]:
        async with self._shared as db:
            found = await find_users_by_name(db, self._app_id, list(keys))
        return {name: _users(records) for name, records in found.items()}

    async def roles(self) -> Mapping[str, Role]:
        """Return all roles by key, read once."""
        if self._roles is None:
            query = "SELECT id, key, label FROM roles WHERE app_id = $1"
            async with self._shared as db:
                rows = await db.fetch(query, self._app_id)
            self._roles = {row["key"]: Role(**row) for row in rows}
        return self._roles

    async def assignments(
        self, pairs: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], Assignment]:
        async with self._shared as db:
            found = await present_assignments(db, pairs, lock=False)
        roles = await self._roles_by_id({state.role_id for state in found.values()})
        return {
            pair: Assignment(role=roles[state.role_id], notify=state.notify)
            for pair, state in found.items()
        }

    async def cases_of(
        self, user_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        found = await self._assignments_of("user_id", user_ids)
        return by_user(found)

    async def users_of(
        self, case_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        found = await self._assignments_of("case_id", case_ids)
        return by_case(found)

    async def _assignments_of(self, column: Side, ids: Collection[int]) -> list[PresentAssignment]:
        async with self._shared as db:
            found = await assignments_of(db, self._app_id, column, ids, most=MOST_ASSIGNMENTS + 1)
        if len(found) > MOST_ASSIGNMENTS:
            raise TooManyAssignmentsError
        roles = await self._roles_by_id({each.role_id for each in found})
        # One object for each case and user, however many assignments it has.
        cases = {case.id: case for case in _cases({each.case for each in found})}
        users = {user.id: user for user in _users({each.user for each in found})}
        return [
            PresentAssignment(
                case=cases[case.id], user=users[user.id], role=roles[role_id], notify=notify
            )
            for case, user, role_id, notify in found
        ]

    async def _roles_by_id(self, needed: Set[int]) -> Mapping[int, Role]:
        """Return the app's roles by primary key, those that are needed among them.

        Each statement sees what is committed by then, so an assignment may have a role that was
        created after the roles were read. Roles are never deleted.
        """
        roles = {role.id: role for role in (await self.roles()).values()}
        if needed <= roles.keys():
            return roles
        self._roles = None
        return {role.id: role for role in (await self.roles()).values()}

    async def count_users(self, case_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        async with self._shared as db:
            return await count_assignments(db, self._app_id, "case_id", case_ids)

    async def count_cases(self, user_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        async with self._shared as db:
            return await count_assignments(db, self._app_id, "user_id", user_ids)

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        async with self._shared as db:
            return await find_similar_tags(db, self._app_id, "cases", keys)

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        async with self._shared as db:
            return await find_similar_tags(db, self._app_id, "users", keys)


def _cases(found: Iterable[CaseRecord]) -> list[Case]:
    return [Case(id=key, tag_id=tag, is_active=is_active) for key, tag, is_active in found]


def _users(found: Iterable[UserRecord]) -> list[User]:
    return [
        User(id=key, tag_id=tag, email=email, is_active=is_active)
        for key, tag, email, is_active in found
    ]


def _ids(kind: str, keys: Collection[str]) -> dict[str, int]:
    # Decoding is slow beside a look at a key's first characters, and that beside one at all texts;
    # nearly all keys are Tag IDs.
    if not has_node_id(kind, keys):
        return {}
    decoded = ((key, decode_node_id(key)) for key in keys if could_be_node_id(kind, key))
    return {key: node[1] for key, node in decoded if node and node[0] == kind}


def _by_key(keys: Collection[str], ids: Mapping[str, int], found: Sequence[E]) -> dict[str, E]:
    """Return what each key names: of two, what has it as its Tag ID wins over what has it as ID."""
    by_tag = {entity.tag_id: entity for entity in found}
    by_id = {entity.id: entity for entity in found} if ids else {}
    named = {key: by_id[key_of_id] for key, key_of_id in ids.items() if key_of_id in by_id}
    return named | {key: by_tag[key] for key in keys if key in by_tag}
