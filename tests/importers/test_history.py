"""The history of random imports, from its first change on, leads to what is stored."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.importers.engine_fixture import CASES, USERS, EngineFixture
from tests.importers.test_chunks import random_file

TYPES = ["assign", "assign", "modify", "remove", "modify-users", "modify-cases", "add-users"]
FIELDS = {
    "cases": ("tag_id", "about", "is_active", "date_opened"),
    "users": ("tag_id", "email", "given_name", "family_name", "locale", "zoneinfo", "is_active"),
}
EMPTY = {"given_name": "", "family_name": "", "is_active": True}


def rows_of(type_: str, seed: int, world: EngineFixture) -> list[str]:
    """Write a file of a type, about few cases and users."""
    chance = random.Random(seed)
    if type_ in {"assign", "modify", "remove"}:
        return random_file(seed, type_, 12, world)
    name, day = chance.choice(["", "Jo", "Jane"]), chance.choice(["", "01/31/2026", "02/13/2026"])
    state = chance.choice(["", "0", "1"])
    number = chance.randrange(5)
    return {
        "modify-users": [f"{user},{name},,{chance.choice(['', 'es'])},,,{state}" for user in USERS],
        "modify-cases": [f"{case},{state},{day},{name}" for case in CASES],
        "add-users": [f"new{number}@example.org,{name},,,,new-{number}"],
    }[type_]


async def stored(world: EngineFixture, table: str) -> dict[int, dict[str, Any]]:
    columns = ", ".join(FIELDS[table])
    rows = await world.fetch(f"SELECT id, {columns} FROM {table} WHERE app_id = $1", world.app_id)
    found = {row["id"]: {name: row[name] for name in FIELDS[table]} for row in rows}
    for each in found.values():
        if each.get("date_opened"):
            each["date_opened"] = each["date_opened"].isoformat()
    return found


async def replayed_assignments(world: EngineFixture) -> dict[tuple[int, int], tuple[int, bool]]:
    """Make every change in turn; each has to find what it says was there before."""
    state: dict[tuple[int, int], tuple[int, bool]] = {}
    for row in await world.fetch("SELECT * FROM assignment_history ORDER BY id"):
        pair = row["case_id"], row["user_id"]
        before, after = (
            None if row[f"{side}_role_id"] is None
            else (row[f"{side}_role_id"], row[f"{side}_notify"])
            for side in ("before", "after")
        )  # fmt: skip
        assert state.get(pair) == before != after
        if after is None:
            del state[pair]
        else:
            state[pair] = after
    return state


def replay_fields(state: dict[int, dict[str, Any]], row: Any, key: int, names: Any) -> None:
    """Make one change of a case or user."""
    before, after = json.loads(row["before"] or "null"), json.loads(row["after"])
    if before is None:
        assert key not in state
        state[key] = {name: EMPTY.get(name) for name in names} | after
        return
    assert {name: state[key][name] for name in before} == before != after
    assert before.keys() == after.keys()
    state[key] |= after


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    files=st.lists(st.tuples(st.sampled_from(TYPES), st.integers(0, 99)), min_size=2, max_size=8),
    order=st.integers(0, 9),
    size=st.sampled_from([2, 5, 1_000]),
)
async def test_history_leads_to_the_present(
    world: EngineFixture, files: list[tuple[str, int]], order: int, size: int
) -> None:
    """Imports that run among each other leave changes, each of which begins where the one before
    ended: made in turn, they lead to the assignments, cases and users as they are."""
    await world.execute("TRUNCATE assignments, assignment_history, entity_history, import_rows")
    await world.execute("DELETE FROM users WHERE email LIKE 'new%'")
    entities = {table: await stored(world, table) for table in FIELDS}
    several = world.with_engine(chunk_rows=size)
    for type_, seed in files:
        import_id = await several.upload(type_, *rows_of(type_, seed, world))
        await several.queue.enqueue_split(import_id)
    await several.drain(random.Random(order))

    for row in await world.fetch("SELECT * FROM entity_history ORDER BY id"):
        table = "cases" if row["user_id"] is None else "users"
        replay_fields(entities[table], row, row["case_id"] or row["user_id"], FIELDS[table])
    present = await world.fetch("SELECT case_id, user_id, role_id, notify FROM assignments")

    assert await replayed_assignments(world) == {
        (row[0], row[1]): (row[2], row[3]) for row in present
    }
    assert entities == {table: await stored(world, table) for table in FIELDS}
