"""People who leave, while others put them on new cases.

LEAVERS_RACE_ROUNDS=200 lets each race be run so often.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from importers import Importer
from importers.run import apply, chunk_context
from models.database_url import credentials
from tests.importers.engine_fixture import EngineFixture
from tests.importers.run.sample_movers import Emptying, Leaving, Moving
from tests.importers.run.test_races import follows

ROUNDS = int(os.environ.get("LEAVERS_RACE_ROUNDS", "8"))
_PAUSE = 0.02

Pair = tuple[int, int]


@dataclass
class Timeline:
    """When assignments were inserted, and when those of which users, or cases, were read last."""

    rng: random.Random
    inserted: dict[Pair, float] = field(default_factory=dict)
    settled: dict[tuple[str, int], float] = field(default_factory=dict)

    async def pause(self) -> None:
        """Let the others go on."""
        await asyncio.sleep(self.rng.random() * _PAUSE)

    def after_write(self, write_edits: Callable[..., Awaitable[None]]) -> Any:
        """Note what an import has inserted, before it is committed."""

        async def written(db: Any, app_id: int, import_id: int, edits: Any) -> None:
            await write_edits(db, app_id, import_id, edits)
            pairs = [(edit.case_id, edit.user_id) for edit in edits if edit.before is None]
            self.inserted |= dict.fromkeys(pairs, time.monotonic())
            await self.pause()

        return written

    def around_reading(self, read_again: Callable[..., Awaitable[Any]]) -> Any:
        """Note when all assignments of users, or cases, are known and locked."""

        async def read(context: Any, seen: Any, *arguments: Any, **options: Any) -> Any:
            await self.pause()
            found = await read_again(context, seen, *arguments, **options)
            locked = time.monotonic()
            whole = ((table, each) for table, ids in seen.wholes.items() for each in ids)
            self.settled |= dict.fromkeys(whole, locked)
            await self.pause()
            return found

        return read

    def survivors(self, pairs: set[Pair]) -> dict[Pair, float]:
        """Return what should be gone: assigned before its user, or its case, was read last."""
        return {
            pair: self.inserted.get(pair, 0.0)
            for pair in pairs
            for key in (("cases", pair[0]), ("users", pair[1]))
            if key in self.settled and self.inserted.get(pair, 0.0) < self.settled[key]
        }


_INSERT = """
    WITH made AS (
      INSERT INTO assignments (app_id, case_id, user_id, role_id) VALUES ($1, $2, $3, $4)
      ON CONFLICT DO NOTHING RETURNING app_id, case_id, user_id, role_id)
    INSERT INTO assignment_history (app_id, case_id, user_id, after_role_id, import_id, row)
    SELECT *, 0, 0 FROM made
"""


async def assign_directly(url: str, world: EngineFixture, line: Timeline) -> None:
    """Assign a few users, as another program would, each in a transaction of its own."""
    other = await asyncpg.connect(**credentials(url))
    role = world.roles["default"]
    try:
        for _ in range(4):
            await line.pause()
            case = line.rng.choice(list(world.cases.values()))
            user = line.rng.choice(list(world.users.values()))
            with suppress(asyncpg.DeadlockDetectedError):
                async with other.transaction():
                    status = await other.execute(_INSERT, world.app_id, case, user, role)
                    if status == "INSERT 0 1":
                        line.inserted[case, user] = time.monotonic()
                    await line.pause()
    finally:
        await other.close()


async def race(
    url: str, world: EngineFixture, importer: Importer, line: Timeline, rows: Sequence[str]
) -> int:
    """Run a file while others assign those that it is about; return the import."""
    rng = line.rng
    pairs = [(case, user) for case in world.cases for user in world.users]
    await world.put(*[(*pair, "staff", 0) for pair in rng.sample(pairs, 6)])
    made = world.with_engine(any=importer, chunk_rows=rng.choice([10, 20, 40]))
    import_ids = [await made.split("any", *rows, header=",".join(importer.columns))]
    for type_, cells in (("assign", "{0},{1},,clients,0"), ("modify", "{0},{1},default,")):
        chosen = rng.sample(pairs, 6)
        import_ids.append(await made.split(type_, *[cells.format(*pair) for pair in chosen]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apply, "read_again", line.around_reading(apply.read_again))
        patch.setattr(chunk_context, "write_edits", line.after_write(chunk_context.write_edits))
        await asyncio.gather(
            *[made.persevere(import_id) for import_id in import_ids],
            *[assign_directly(url, world, line) for _ in range(2)],
        )
    assert (await made.counts(import_ids[0])).failed == 0
    return import_ids[0]


@pytest.mark.parametrize("importer", [Leaving("any"), Emptying("any")], ids=["users", "cases"])
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_nobody_is_left_behind(
    world: EngineFixture, module_database_url: str, importer: Importer, seed: int
) -> None:
    """No leaver is on a case that was assigned before the leaver's chunk was committed."""
    line = Timeline(random.Random(seed))
    tags = list(world.users if "person" in importer.columns else world.cases)
    chosen = line.rng.sample(tags, line.rng.randint(1, 4))
    await race(module_database_url, world, importer, line, chosen)
    rows = await world.fetch("SELECT case_id, user_id FROM assignments")
    pairs = [(case, user) for case in world.cases for user in world.users]

    assert line.settled
    assert line.survivors({(row[0], row[1]) for row in rows}) == {}
    assert [pair for pair in pairs if not await follows(world, pair)] == []


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_nothing_gets_lost_on_the_way(
    world: EngineFixture, module_database_url: str, seed: int
) -> None:
    """When one takes over the cases of another, all of them arrive."""
    line = Timeline(random.Random(seed))
    old, new = line.rng.sample(["jack-001", "jones-001", "jill-001"], 2)
    await world.set_active("cases", "trv-002", is_active=True)
    moved = await race(module_database_url, world, Moving("any"), line, [f"{old},{new}"])
    rows = await world.fetch("SELECT case_id, user_id FROM assignments")
    history = await world.fetch(
        "SELECT case_id, user_id, import_id, after_role_id FROM assignment_history ORDER BY id"
    )
    last = max((at for at, row in enumerate(history) if row["import_id"] == moved), default=-1)
    present: dict[Pair, bool] = {}
    for row in history[: last + 1]:
        present[row["case_id"], row["user_id"]] = row["after_role_id"] is not None
    left = [row["case_id"] for row in history
            if row["import_id"] == moved and row["user_id"] == world.users[old]]  # fmt: skip
    survivors = line.survivors({(row[0], row[1]) for row in rows if row[1] == world.users[old]})

    assert survivors == {}
    assert [case for case in left if not present.get((case, world.users[new]), True)] == []
    pairs = [(case, user) for case in world.cases for user in world.users]
    assert [pair for pair in pairs if not await follows(world, pair)] == []
