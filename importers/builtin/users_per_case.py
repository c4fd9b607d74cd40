"""Limit how many users a case has in one role."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from importers import Assign, Change, Directory, Effect, Modify, RowError, Validator

if TYPE_CHECKING:
    from collections.abc import Sequence

Seats = Counter[tuple[int, str]]


class UsersPerCase(Validator):
    """Limit how many users a case has in each role."""

    together: ClassVar[Literal["case"]] = "case"

    @dataclass(frozen=True)
    class Settings:
        """How many users there may be.

        Args:
            limit: in any role that `roles` does not name; without it these are not limited.
            roles: key of a role → how many in this role.
        """

        limit: int | None = None
        roles: dict[str, int] = field(default_factory=dict)

        def __post_init__(self) -> None:
            if self.limit is None and not self.roles:
                raise ValueError("it limits nothing; set 'limit', or 'roles'")
            if any(limit < 0 for limit in (self.limit or 0, *self.roles.values())):
                raise ValueError("a limit can't be below 0")

        def of(self, role: str) -> int | None:
            """Return how many users may have a role."""
            return self.roles.get(role, self.limit)

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Seats:
        """Count who is on the cases now."""
        cases = {change.case.id for change in changes if isinstance(change, Assign | Modify)}
        return Counter(await directory.count_users(cases))

    def check(self, effect: Effect, prepared: Seats) -> None:
        """Refuse a user for whom there is no seat."""
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
                f"has {taken} users in the role '{role}', and may have {limit}.",
            )

    def note(self, effect: Effect, prepared: Seats) -> None:
        """Count a user who comes, and one who goes."""
        if effect.case and effect.before:
            prepared[effect.case.id, effect.before.role.key] -= 1
        if effect.case and effect.after:
            prepared[effect.case.id, effect.after.role.key] += 1
