"""Where references are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from importers.entity import Case, Role, User


class Directory(Protocol):
    """The cases, users and roles of one app. Keys that find nothing are left out of the answers."""

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        """Find cases by Tag ID, else by ID."""

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by Tag ID, else by ID."""

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by e-mail address, in any case."""

    async def roles(self) -> Mapping[str, Role]:
        """Return all roles by key."""

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find Tag IDs of cases that look like unknown ones."""

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find Tag IDs of users that look like unknown ones."""
