"""Chunks that the database makes itself: of a plan's rows, and of those that undo an import."""

from __future__ import annotations

import orjson

from tests.importers.engine_fixture import Counts, EngineFixture, Result

# Rows about one pair, more than a chunk has, between those about others: a chain of two chunks.
CHAINED = [
    "trv-001,jack-001,,staff,0",
    "trv-003,jack-001,,staff,0",
    "trv-001,jack-001,,staff,0",
    "trv-001,jack-001,,staff,0",
    "nowhere,jack-001,,staff,0",
    "trv-004,jones-001,,staff,0",
]


async def chunks(world: EngineFixture, import_id: int) -> list[tuple[list[int], bool]]:
    """Return the numbers of each chunk's rows, and whether it is chained to the one before it."""
    rows = await world.fetch(
        "SELECT payload, is_chained FROM import_chunks WHERE import_id = $1 ORDER BY number",
        import_id,
    )
    return [(orjson.loads(row["payload"].split(b"\n")[0]), row["is_chained"]) for row in rows]


async def test_a_plan_keeps_chains(small: EngineFixture) -> None:
    """Rows about one pair, in chunks that are chained, are so again, without those that failed."""
    plan = await small.with_engine(chunk_rows=2).run("assign", *CHAINED, is_dry_run=True)
    planned = await small.results(plan)
    # Cut anew, all of them would fit into one chunk.
    world = small.with_engine(chunk_rows=100)

    applied = await world.request_apply(plan)
    await world.engine.split(applied)

    found = await chunks(world, applied)
    passed = sorted(number for numbers, _ in found for number in numbers)
    assert passed == [number for number, result in planned.items() if result.what != "FAILED"]
    assert max(len(numbers) for numbers, _ in found) == 2
    assert sum(is_chained for _, is_chained in found) == 1
    await world.drain()
    assert await world.results(applied) == {number: planned[number] for number in passed}


async def test_a_plan_of_an_older_version(small: EngineFixture) -> None:
    """Rows that do not say where they were planned are read, and cut again."""
    plan = await small.run("assign", *CHAINED, is_dry_run=True)
    await small.execute("UPDATE import_rows SET plan_chunk = NULL WHERE id & 3 = 3")

    applied = await small.apply_plan(plan)

    counts = await small.counts(applied)
    assert (counts.passed, counts.created) == ((await small.counts(plan)).passed, 3)
    assert len(await small.assignments()) == 3


async def test_undone_names(small: EngineFixture) -> None:
    """Cases and users are named as the API names them, whatever their Tag IDs have in them."""
    done = await small.run("assign", "trv-001,jack-001,,staff,1", "trv-003,jones-001,,staff,0")
    await small.execute("UPDATE users SET tag_id = NULL WHERE tag_id = 'jack-001'")
    await small.execute("UPDATE cases SET tag_id = NULL WHERE tag_id = 'trv-001'")
    await small.execute("UPDATE users SET tag_id = E'a\"b\\\\c/é' WHERE tag_id = 'jones-001'")

    undone = await small.undo(done)

    assert await small.cells(undone, 2, 3) == [
        ["assignment", "trv-003", 'a"b\\c/é', "", "", "staff", "0", "", "", "", ""],
        [
            "assignment", small.case_id("trv-001"), small.user_id("jack-001"),
            "", "", "staff", "1", "", "", "", "",
        ],
    ]  # fmt: skip
    assert await small.results(undone) == dict.fromkeys((2, 3), Result("REMOVED"))


async def test_undos_in_chunks(small: EngineFixture) -> None:
    """An undo has chunks of the engine's size, none of them chained."""
    world = small.with_engine(chunk_rows=2)
    cases = ("trv-001", "trv-003", "trv-004")
    done = await world.run("assign", *(f"{case},jack-001,,staff,0" for case in cases))

    undone = await world.request_undo(done)
    await world.engine.split(undone)

    assert await chunks(world, undone) == [([2, 3], False), ([4], False)]
    await world.drain()
    assert await world.counts(undone) == Counts("PROCESSED", 3, 3, 0, 0, 0, 0, 3, 0)
    assert await world.assignments() == {}
