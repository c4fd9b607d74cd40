"""Limits over chunks, files and hours are exact: with many workers, in dry runs, in retries."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from importers import (
    Change,
    Effect,
    RowError,
    RunningImport,
    Validator,
    ValidatorDirectory,
    testing,
)
from importers.builtin.assign import AssignUsers
from importers.builtin.remove import RemoveUsers
from tests.importers.engine_fixture import CASES, USERS, EngineFixture, Result
from tests.importers.run.sample_validators import with_validators
from tests.importers.run.test_vetoes import Marked

PAIRS = [(case, user) for case in CASES for user in USERS]
REMOVALS = [f"{user},{case}" for case, user in PAIRS]
NEW_USERS = [f"u{number}@example.org,Jo" for number in range(9)]
USERS_HEADER = "username,given_name"
OPEN = [case for case, is_open in CASES.items() if is_open]
ENABLED = [user for user, is_enabled in USERS.items() if is_enabled]
ASSIGNMENTS = [f"{case},{user},,staff,0" for case in OPEN for user in ENABLED]


class Caps(Validator):
    """Limit what the app's imports do within an hour, and what one import does."""

    together = "app"

    @dataclass(frozen=True)
    class Settings:
        noun: str
        outcome: str
        hourly: int | None = None
        of_import: int | None = None

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> Any:
        return {
            "hourly": Counter(await directory.count_changes(timedelta(hours=1))),
            "of_import": Counter(await directory.count_import_changes()),
        }

    def check(self, effect: Effect, prepared: Any) -> None:
        key = (self.settings.noun, self.settings.outcome)
        for name, counts in prepared.items():
            limit = getattr(self.settings, name)
            if limit is not None and (effect.noun, effect.outcome) == key and counts[key] >= limit:
                raise RowError(None, "TOO_MANY", "The limit is {limit}.", limit=limit)

    def note(self, effect: Effect, prepared: Any) -> None:
        for counts in prepared.values():
            counts[effect.noun, effect.outcome] += 1


def caps(noun: str, outcome: str, **limits: int) -> Caps:
    return Caps("caps", Caps.Settings(noun, outcome, **limits))


async def assign_all(world: EngineFixture) -> None:
    await world.put(*((case, user, "staff", 0) for case, user in PAIRS))


@pytest.mark.parametrize("is_dry_run", [False, True])
@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_chunks(world: EngineFixture, seed: int, is_dry_run: bool) -> None:
    """The first rows of the file pass up to the limit, in a dry run as in earnest."""
    await assign_all(world)
    rng = random.Random(seed)
    rows = rng.sample(REMOVALS, len(REMOVALS))
    small = with_validators(world, caps("assignment", "REMOVED", hourly=5), chunk_rows=3)
    import_id = await small.upload("remove", *rows, is_dry_run=is_dry_run)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)

    assert await small.results(import_id) == {
        number: Result("REMOVED") if number < 7 else Result("FAILED", codes=("TOO_MANY",))
        for number in range(2, len(rows) + 2)
    }


async def test_several_imports_at_once(world: EngineFixture) -> None:
    """However many workers run them at the same time, the app loses no more than it may."""
    await assign_all(world)
    made = with_validators(world, caps("assignment", "REMOVED", hourly=5), chunk_rows=2)
    imports = [await made.split("remove", *REMOVALS[start::4]) for start in range(4)]
    await asyncio.gather(*(made.persevere(import_id) for import_id in imports))
    counts = [await made.counts(import_id) for import_id in imports]

    assert sum(each.removed for each in counts) == 5
    assert len(await made.assignments()) == len(PAIRS) - 5


async def test_an_hour(world: EngineFixture) -> None:
    """What was done before the hour, or in another app, does not count."""
    await assign_all(world)
    made = with_validators(world, caps("assignment", "REMOVED", hourly=5))
    first = await made.run("remove", *REMOVALS[:5])
    full = await made.run("remove", REMOVALS[5])
    await made.execute("UPDATE assignment_history SET changed_at = now() - interval '61 min'")
    later = await made.run("remove", REMOVALS[5], name="later")

    assert (await made.counts(first)).removed == 5
    assert await made.results(full) == {2: Result("FAILED", codes=("TOO_MANY",))}
    assert (await made.counts(later)).removed == 1


async def test_retries_of_an_import(world: EngineFixture) -> None:
    """A limit for one import holds over all of its runs; other imports have their own."""
    made = with_validators(world, caps("assignment", "CREATED", of_import=3), chunk_rows=2)
    first = await made.run("assign", *ASSIGNMENTS[:5])
    await made.retry(first)
    second = await made.run("assign", *ASSIGNMENTS[5:8])

    assert (await made.counts(first)).created == 3
    assert (await made.counts(second)).created == 3


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_users(world: EngineFixture, is_dry_run: bool) -> None:
    """Changes of users and cases count as well, over chunks that a dry run has undone."""
    made = with_validators(world, caps("user", "CREATED", hourly=4, of_import=7), chunk_rows=2)
    import_id = await made.run("add-users", *NEW_USERS, header=USERS_HEADER, is_dry_run=is_dry_run)

    assert (await made.counts(import_id)).created == 4
    assert [each.what for each in (await made.results(import_id)).values()] == (
        ["CREATED"] * 4 + ["FAILED"] * 5
    )


@pytest.mark.parametrize("is_atomic", [False, True])
async def test_plans(world: EngineFixture, is_atomic: bool) -> None:
    """What was only planned is not counted when it is applied."""
    made = with_validators(world, caps("assignment", "CREATED", of_import=6), chunk_rows=2)
    if is_atomic:
        import_id = await made.run("assign", *ASSIGNMENTS[:6], is_atomic=True)
    else:
        dry = await made.run("assign", *ASSIGNMENTS[:6], is_dry_run=True)
        import_id = await made.apply_plan(dry, "applied")

    assert (await made.counts(import_id)).created == 6


class Clerk(Validator):
    """Writes down what it learns of the import."""

    together = "app"

    def __init__(self) -> None:
        super().__init__("clerk")
        self.running: list[RunningImport | None] = []
        self.counts: list[dict[Any, int]] = []

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> None:
        self.running.append(directory.running_import)
        self.counts.append(dict(await directory.count_import_changes()))


async def test_the_running_import(world: EngineFixture) -> None:
    """A validator knows whose rows it judges, and what chunks before have done."""
    clerk = Clerk()
    made = with_validators(world, clerk, chunk_rows=2)
    rows = [ASSIGNMENTS[0], ASSIGNMENTS[1], "nobody,jack-001,,staff,0", ASSIGNMENTS[2]]
    import_id = await made.run("assign", *rows, name="May")

    assert clerk.running == 2 * [RunningImport(id=import_id, name="May", type="assign", rows=4)]
    assert clerk.counts == [{}, {("assignment", "CREATED"): 2}]


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_parts_of_a_chunk(world: EngineFixture, is_dry_run: bool) -> None:
    """When rows are narrowed down to the one that fails, those before it count once."""
    made = world.with_engine(marked=Marked("marked", world.roles["staff"]))
    limit = caps("assignment", "CREATED", of_import=3)
    made = replace(made, engine=replace(made.engine, validators=(limit,)))
    import_id = await made.run(
        "marked",
        "trv-001,jack-001,-",
        "trv-003,jack-001,-",
        "trv-004,jack-001,bad",
        "trv-001,jones-001,-",
        "trv-003,jones-001,-",
        header="case_id,user_id,text",
        is_dry_run=is_dry_run,
    )

    assert [each.what for each in (await made.results(import_id)).values()] == [
        "CREATED", "CREATED", "FAILED", "CREATED", "FAILED",
    ]  # fmt: skip


def test_in_memory() -> None:
    """The test world counts what it is told of, and what the file has done so far."""
    reports = testing.run_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\n"
        "trv-002,jack-001,staff\ntrv-002,jones-001,staff\ntrv-001,jack-001,staff\n",
        validators=[caps("assignment", "CREATED", hourly=12, of_import=2)],
        world=testing.World(changed={("assignment", "CREATED"): 10}),
    )
    (removal,) = testing.run_importer(
        RemoveUsers,
        "user_id,case_id\njones-001,trv-001\n",
        validators=[caps("assignment", "REMOVED", hourly=12)],
        world=testing.World(changed={("assignment", "REMOVED"): 12}),
    )

    assert [report.get("outcome") for report in reports] == ["CREATED", "CREATED", None]
    assert removal["errors"][0]["code"] == "TOO_MANY"


@pytest.mark.parametrize(
    "validator",
    [caps("assignment", "REMOVED", hourly=1), caps("user", "CREATED", of_import=1)],
    ids=["hourly", "of an import"],
)
def test_conformance(validator: Caps) -> None:
    """A validator that counts copes with every effect."""
    testing.check_validator(validator)
