"""Files whose headers are not those of their type, and uploads that say what they mean."""

from __future__ import annotations

import json
from typing import Any

from tests.importers.engine_fixture import Counts, EngineFixture

HEADER = "Matter,Person,Role,Notes"
MAPPING = {
    "columns": {"matter": "case_id", "Person": "user_id", "Role": "case_role_id"},
    "ignored": ["Notes"],
}


async def run(
    world: EngineFixture,
    *rows: str,
    header: str = HEADER,
    mapping: dict[str, Any] = MAPPING,
    **options: Any,
) -> int:
    """Import a file under a mapping."""
    import_id = await world.upload("assign", *rows, header=header, **options)
    await world.execute(
        "UPDATE imports SET header_mapping = $2 WHERE id = $1", import_id, json.dumps(mapping)
    )
    await world.queue.enqueue_split(import_id)
    await world.drain()
    return import_id


async def warnings(world: EngineFixture, import_id: int) -> list[str]:
    """Return the codes of an import's warnings."""
    row = await world.fetchrow("SELECT warnings FROM imports WHERE id = $1", import_id)
    return [each["code"] for each in json.loads(row["warnings"])]


async def test_a_mapped_file(world: EngineFixture) -> None:
    """Rows are read under the mapping; errors name the type's columns, a warning the ignored."""
    import_id = await run(world, "trv-001,jack-001,staff,x", "trv-001,nobody,staff,y")
    errors = await world.fetchrow("SELECT errors FROM import_rows WHERE status = 2")

    assert await world.counts(import_id) == Counts("PROCESSED", 2, 1, 1, 0, 1, 0, 0, 0)
    assert [each["column"] for each in json.loads(errors["errors"])] == ["user_id"]
    assert await warnings(world, import_id) == ["IGNORED_COLUMNS"]


async def test_a_retry(world: EngineFixture) -> None:
    """A retry reads under the same mapping; cells go by the file's names and by the type's."""
    import_id = await run(world, "trv-001,nobody,staff,x", "trv-001,noone,staff,y", "a,b,c,d")
    await world.retry(import_id, {2: {"person": "jack-001"}, 3: {"user_id": "jill-001"}})
    whole = {"Matter": "trv-003", "Person": "jones-001", "Role": "staff", "Notes": ""}
    await world.retry(import_id, {4: whole})

    assert await world.counts(import_id) == Counts("PROCESSED", 3, 3, 0, 0, 3, 0, 0, 0)


async def test_a_retry_under_swapped_names(world: EngineFixture) -> None:
    """A name that the file and the type give to two columns means the type's, as in errors."""
    swapped = {"columns": {"case_id": "user_id", "user_id": "case_id"}, "ignored": []}
    header = "user_id,case_id,case_role_id"
    import_id = await run(world, "trv-001,nobody,staff", header=header, mapping=swapped)
    await world.retry(import_id, {2: {"user_id": "jack-001"}})

    assert (await world.counts(import_id)).created == 1


async def test_a_plan(world: EngineFixture) -> None:
    """A plan is applied under the mapping of its dry run."""
    plan = await run(world, "trv-001,jack-001,staff,x", is_dry_run=True)
    import_id = await world.apply_plan(plan)

    assert (await world.counts(import_id)).created == 1
    assert await warnings(world, import_id) == ["IGNORED_COLUMNS"]


async def test_a_header_that_does_not_fit(world: EngineFixture) -> None:
    """A mapping of headers that the file lacks refuses it."""
    import_id = await world.upload("assign", "trv-001,jack-001,,staff,0")
    await world.execute(
        "UPDATE imports SET header_mapping = $2 WHERE id = $1", import_id, json.dumps(MAPPING)
    )
    await world.queue.enqueue_split(import_id)
    await world.drain()
    row = await world.fetchrow("SELECT status, errors FROM imports WHERE id = $1", import_id)

    assert row["status"] == "FAILED"
    assert [each["code"] for each in json.loads(row["errors"])] == ["NO_SUCH_HEADER"] * 4
