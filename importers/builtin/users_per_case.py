"""Limit how many users a case has in one role."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from importers import Assign, Change, Directory, Effect, Modify, RowError, Validator

if TYPE_CHECKING:
    from collections.abc import Sequence

Seats = Counter[tuple[int, str]]
"""How many users a case has in a role, by the case's primary key and the role's key."""


class UsersPerCase(Validator):
    """Limit how many users a case has in each role."""

    together: ClassVar[Literal["case"]] = "case"

    @dataclass(frozen=True)
    class Settings:
        """How many users a case may have in a role.

        Args:
            limit: in each role that `roles` does not name; None for no limit.
            roles: key of a role → limit in this role.
        """

        limit: int | None = None
        roles: dict[str, int] = field(default_factory=dict)

        def __post_init__(self) -> None:
            if self.limit is None and not self.roles:
                raise ValueError("it limits nothing; set 'limit', or 'roles'")
            if any(limit < 0 for limit in (self.limit or 0, *self.roles.values())):
                raise ValueError("a limit can't be below 0")

        def of(self, role: str) -> int | None:
            """Return how many users a case may have in a role; None for no limit."""
            return self.roles.get(role, self.limit)

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Seats:
        """Count the users who are on the chunk's cases now."""
        cases = {change.case.id for change in changes if isinstance(change, Assign | Modify)}
        return Counter(await directory.count_users(cases))

    def check(self, effect: Effect, prepared: Seats) -> None:
        """Refuse an effect that puts one user too many into a role."""
        if not (effect.case and effect.after):
            return
        role = effect.after.role.key
        if effect.before and effect.before.role.key == role:
            return
        limit = self.settings.of(role)
        taken = prepared[effect.case.id, role]
        if limit is not None and taken >= limit:
            raise RowError(
                "case",
                "CASE_FULL",
                "has {taken} users in the role '{role}', and may have {limit}.",
                taken=taken,
                role=role,
                limit=limit,
            )

    def note(self, effect: Effect, prepared: Seats) -> None:
        """Count a user who gets a role, and one who leaves a role."""
        if effect.case and effect.before:
            prepared[effect.case.id, effect.before.role.key] -= 1
        if effect.case and effect.after:
            prepared[effect.case.id, effect.after.role.key] += 1
