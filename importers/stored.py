"""The directory that is the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from importers.entity import Case, Role, User
from importers.node_id import could_be_node_id, decode_node_id
from models.case import find_cases
from models.neighbour import neighbours
from models.user import find_users, find_users_by_email

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Connection

E = TypeVar("E", Case, User)


class StoredDirectory:
    """Look references up in PostgreSQL, within one transaction, for one app."""

    def __init__(self, db: Connection, app_id: int) -> None:
        self._db = db
        self._app_id = app_id
        self._roles: dict[str, Role] | None = None

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        """Find cases by Tag ID, else by ID."""
        ids = _ids("Case", keys)
        found = await find_cases(self._db, self._app_id, tags=list(keys), ids=list(ids.values()))
        return _by_key(keys, ids, [Case(**record._asdict()) for record in found])

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by Tag ID, else by ID."""
        ids = _ids("User", keys)
        found = await find_users(self._db, self._app_id, tags=list(keys), ids=list(ids.values()))
        return _by_key(keys, ids, [User(**record._asdict()) for record in found])

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by e-mail address, in any case."""
        found = await find_users_by_email(self._db, self._app_id, list(keys))
        by_email = {record.email.lower(): User(**record._asdict()) for record in found}
        return {key: by_email[key.lower()] for key in keys if key.lower() in by_email}

    async def roles(self) -> Mapping[str, Role]:
        """Return all roles by key, read once."""
        if self._roles is None:
            rows = await self._db.fetch(
                "SELECT id, key, label FROM roles WHERE app_id = $1", self._app_id
            )
            self._roles = {row["key"]: Role(**row) for row in rows}
        return self._roles

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find Tag IDs of cases that look like unknown ones."""
        return await neighbours(self._db, self._app_id, "cases", keys)

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find Tag IDs of users that look like unknown ones."""
        return await neighbours(self._db, self._app_id, "users", keys)


def _ids(kind: str, keys: Collection[str]) -> dict[str, int]:
    decoded = ((key, decode_node_id(key)) for key in keys if could_be_node_id(kind, key))
    return {key: node[1] for key, node in decoded if node and node[0] == kind}


def _by_key(keys: Collection[str], ids: Mapping[str, int], found: Sequence[E]) -> dict[str, E]:
    """Give each key what it names: a Tag ID match wins over an ID."""
    by_tag = {entity.tag_id: entity for entity in found}
    by_id = {entity.id: entity for entity in found} if ids else {}
    named = {key: by_id[key_of_id] for key, key_of_id in ids.items() if key_of_id in by_id}
    return named | {key: by_tag[key] for key in keys if key in by_tag}
