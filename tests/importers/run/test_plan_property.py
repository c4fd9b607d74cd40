"""A dry run says just what the import itself then does, whatever the file and the state."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.row import changes_of, row_key
from tests.importers.engine_fixture import CASES, USERS, EngineFixture

PAIRS = st.tuples(st.sampled_from([*CASES, "trv-9"]), st.sampled_from([*USERS, "jack-9"]))
ROLES = st.sampled_from(["staff", "clients", "nobody"])
ASSIGN = st.builds(
    lambda pair, role, mail: f"{pair[0]},{pair[1]},,{role},{mail}",
    PAIRS,
    ROLES,
    st.sampled_from("01"),
)
MODIFY = st.builds(
    lambda pair, role, mail: f"{pair[0]},{pair[1]},{role},{mail}",
    PAIRS,
    ROLES | st.just(""),
    st.sampled_from(["0", "1", ""]),
)
REMOVE = PAIRS.map(lambda pair: f"{pair[1]},{pair[0]}")
MODIFY_CASE = st.builds(
    lambda case, status, about: f"{case},{status},,{about}",
    st.sampled_from([*CASES]),
    st.sampled_from(["0", "1", ""]),
    st.sampled_from(["", "x", "y"]),
)
FILES = st.one_of(
    st.tuples(st.just("assign"), st.lists(ASSIGN, min_size=1, max_size=8)),
    st.tuples(st.just("modify"), st.lists(MODIFY, min_size=1, max_size=8)),
    st.tuples(st.just("remove"), st.lists(REMOVE, min_size=1, max_size=8)),
    st.tuples(st.just("modify-cases"), st.lists(MODIFY_CASE, min_size=1, max_size=4)),
)


async def rows(world: EngineFixture, import_id: int) -> list[Any]:
    found = await world.fetch(
        "SELECT * FROM import_rows WHERE id > $1 AND id < $2 ORDER BY id",
        row_key(import_id, 0),
        row_key(import_id + 1, 0),
    )
    return [(row["status"], row["outcome"], *changes_of(row)) for row in found]


async def state(world: EngineFixture) -> Any:
    cases = await world.fetch("SELECT id, is_active, about FROM cases ORDER BY id")
    return await world.assignments(), [tuple(case) for case in cases]


# The state goes on from one example to the next, which makes it the richer.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(FILES, min_size=1, max_size=4))
async def test_plan(world: EngineFixture, files: list[tuple[str, list[str]]]) -> None:
    """Each row of a dry run has the changes of the same row of the import, and changes nothing."""
    for type_, lines in files:
        before = await state(world)
        plan = await world.run(type_, *lines, is_dry_run=True)
        assert await state(world) == before
        done = await world.run(type_, *lines)

        assert await rows(world, plan) == await rows(world, done)
