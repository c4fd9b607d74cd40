"""Validators, and importers whose changes they judge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from importers import (
    Assign,
    CaseRef,
    Effect,
    Importer,
    RoleRef,
    Row,
    RowError,
    UserRef,
    Validator,
)
from importers.builtin.users_per_case import UsersPerCase
from tests.importers.engine_fixture import EngineFixture

Settings = UsersPerCase.Settings


def limited(limit: int | None = None, **roles: int) -> UsersPerCase:
    return UsersPerCase("users-per-case", Settings(limit=limit, roles=roles))


def with_validators(
    world: EngineFixture, *validators: Validator, chunk_rows: int | None = None
) -> EngineFixture:
    made = world.with_engine(chunk_rows=chunk_rows)
    return replace(made, engine=replace(made.engine, validators=validators))


class Wall(Validator):
    """Keep a user away from cases."""

    def check(self, effect: Effect, prepared: Any) -> None:
        if effect.user and effect.user.tag_id == "jones-001" and effect.after:
            raise RowError("user", "WALLED", "is behind a wall.", "jack-001")


class Notary(Validator):
    """Note all that passes, for the tests."""

    def __init__(self) -> None:
        super().__init__("notary")
        self.noted: list[Effect] = []

    def note(self, effect: Effect, prepared: Any) -> None:
        self.noted.append(effect)


class Couples(Importer):
    """Put two users on a case."""

    label = "Couples"
    case_id = CaseRef(required=True)
    first = UserRef(required=True)
    second = UserRef()
    role = RoleRef(required=True)

    def change(self, row: Row) -> list[Assign]:
        """Assign both."""
        users = [user for user in (row.first, row.second) if user]
        return [Assign(case=row.case_id, user=user, role=row.role) for user in users]


ROWS = [
    f"{case},{user},,{role},0"
    for role in ("staff", "clients")
    for case in ("trv-001", "trv-003", "trv-004")
    for user in ("jack-001", "jones-001", "jill-001")
]
