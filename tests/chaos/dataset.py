"""The cases, users and assignments that a file names; each file has its own."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import NamedTuple

from asyncpg import Connection

USERS = 40
_DISABLED = 4
ROLES = ("staff", "clients", "default")

Pair = tuple[str, str]
"""Tag IDs of a case and a user."""


class State(NamedTuple):
    """A user's assignment to a case."""

    role: str
    notify: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Cases, users and assignments of one file, by Tag ID.

    Args:
        prefix: of all their Tag IDs; each file has its own.
        case_keys, user_keys: primary keys.
        present: the assignments before anything is imported.
    """

    prefix: str
    open_cases: list[str]
    closed_cases: list[str]
    active_users: list[str]
    disabled_users: list[str]
    case_keys: dict[str, int]
    user_keys: dict[str, int]
    present: dict[Pair, State]

    def api_id(self, case: str) -> str:
        """Return the ID that the API shows for a case."""
        return base64.b64encode(f"Case:{self.case_keys[case]}".encode()).decode()

    def pairs(self, kind: str, random: Random) -> list[Pair]:
        """Return all pairs of a kind, shuffled: `open`, `closed` (case) or `disabled` (user)."""
        cases = self.closed_cases if kind == "closed" else self.open_cases
        users = self.disabled_users if kind == "disabled" else self.active_users
        found = list(product(cases, users))
        random.shuffle(found)
        return found


async def insert_dataset(
    db: Connection, prefix: str, cases: int, random: Random, *, share: float
) -> Dataset:
    """Insert cases and users, a tenth of them closed or disabled, and assignments.

    Args:
        share: of all pairs, the part that is assigned already.
    """
    case_tags = [f"{prefix}-c{number:04}" for number in range(cases)]
    user_tags = [f"{prefix}-u{number:02}" for number in range(USERS)]
    closed = case_tags[: max(1, cases // 10)]
    disabled = user_tags[:_DISABLED]
    case_keys = await db.fetch(
        "INSERT INTO cases (app_id, tag_id, is_active)"
        " SELECT 1, t, t <> ALL($2) FROM unnest($1::text[]) t RETURNING tag_id, id",
        case_tags,
        closed,
    )
    user_keys = await db.fetch(
        "INSERT INTO users (app_id, tag_id, email, is_active)"
        " SELECT 1, t, t || '@example.org', t <> ALL($2) FROM unnest($1::text[]) t"
        " RETURNING tag_id, id",
        user_tags,
        disabled,
    )
    present = {
        pair: State(random.choice(ROLES), notify=False)
        for pair in product(case_tags, user_tags)
        if random.random() < share
    }
    dataset = Dataset(
        prefix=prefix,
        open_cases=case_tags[len(closed) :],
        closed_cases=closed,
        active_users=user_tags[_DISABLED:],
        disabled_users=disabled,
        case_keys=dict(case_keys),
        user_keys=dict(user_keys),
        present=present,
    )
    await _assign(db, dataset)
    return dataset


async def _assign(db: Connection, dataset: Dataset) -> None:
    roles = dict(await db.fetch("SELECT key, id FROM roles WHERE app_id = 1"))
    await db.copy_records_to_table(
        "assignments",
        columns=("app_id", "case_id", "user_id", "role_id", "notify"),
        records=[
            (1, dataset.case_keys[case], dataset.user_keys[user], roles[state.role], state.notify)
            for (case, user), state in dataset.present.items()
        ],
    )


async def reopen(db: Connection, prefix: str) -> None:
    """Open the closed cases and enable the disabled users, so that a retry of their rows passes."""
    await db.execute("UPDATE cases SET is_active = true WHERE tag_id LIKE $1 || '-%'", prefix)
    await db.execute("UPDATE users SET is_active = true WHERE tag_id LIKE $1 || '-%'", prefix)
