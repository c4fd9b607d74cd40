"""Validators in imports: vetoes hold in any order of chunks, beside other imports, in retries."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from importers import (
    Applied,
    Assign,
    AssignmentOf,
    Case,
    CaseRef,
    Change,
    Column,
    Directory,
    Effect,
    Importer,
    OwnChange,
    Role,
    Row,
    RowError,
    Transaction,
    UserRef,
    Validator,
)
from models.db import connection
from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.run.sample_validators import ROWS, limited, with_validators


async def test_an_import(world: EngineFixture) -> None:
    """The first rows of the file get the seats; what is refused is neither written nor mailed."""
    await world.put(("trv-001", "jill-001", "staff", 0))
    import_id = await with_validators(world, limited(2)).run(
        "assign", "trv-001,jack-001,,staff,1", "trv-001,jones-001,,staff,1"
    )

    assert await world.results(import_id) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("CASE_FULL",)),
    }
    assert await world.mails(import_id) == [(2, "SENT")]
    assert ("trv-001", "jones-001") not in await world.assignments()


@pytest.mark.parametrize("is_dry_run", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_chunks(world: EngineFixture, seed: int, is_dry_run: bool) -> None:
    """Who gets the last seat depends on the order of the file, not on that of the chunks."""
    rng = random.Random(seed)
    rows = rng.sample(ROWS, len(ROWS))
    whole = await with_validators(world, limited(2, clients=1)).run(
        "assign", *rows, is_dry_run=True
    )
    small = with_validators(world, limited(2, clients=1), chunk_rows=3)
    import_id = await small.upload("assign", *rows, is_dry_run=is_dry_run)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)

    assert await world.results(import_id) == await world.results(whole)
    assert {result.what for result in (await world.results(whole)).values()} == {
        "CREATED",
        "FAILED",
    }


async def test_two_imports_at_once(world: EngineFixture) -> None:
    """Two imports that want the last seat don't both get it."""
    limit = with_validators(world, limited(1))
    first = await limit.split("assign", "trv-001,jack-001,,staff,0", "trv-003,jack-001,,staff,0")
    second = await limit.split("assign", "trv-003,jill-001,,staff,0", "trv-001,jill-001,,staff,0")
    await asyncio.gather(limit.engine.run(first), limit.engine.run(second))
    async with connection() as db:
        counts = await db.fetch("SELECT case_id, count(*) FROM assignments GROUP BY 1")

    assert [count for _, count in counts] == [1, 1]
    assert (await limit.counts(first)).created + (await limit.counts(second)).created == 2


async def test_changes_of_other_kinds_are_undone(world: EngineFixture) -> None:
    """A veto of what was carried out already undoes it."""

    class NoNew(Validator):
        def check(self, effect: Effect, prepared: Any) -> None:
            if getattr(effect.change, "email", "").startswith("b"):
                raise RowError("email", "NOT_B", "may not begin with b.")

    header = "username,given_name"
    import_id = await with_validators(world, NoNew("no-new")).run(
        "add-users", "a@example.org,A", "b@example.org,B", "c@example.org,C", header=header
    )
    found = await world.fetch("SELECT email FROM users WHERE given_name <> '' ORDER BY 1")

    assert [result.what for result in (await world.results(import_id)).values()] == [
        "CREATED", "FAILED", "CREATED",
    ]  # fmt: skip
    assert [row[0] for row in found] == ["a@example.org", "c@example.org"]


async def test_a_retry_asks_again(world: EngineFixture) -> None:
    """A row that was refused passes when there is a seat again."""
    await world.put(("trv-001", "jill-001", "staff", 0))
    limit = with_validators(world, limited(1))
    import_id = await limit.run("assign", "trv-001,jack-001,,staff,0")
    await limit.run("remove", "jill-001,trv-001")
    await limit.retry(import_id)

    assert await limit.results(import_id) == {2: Result("CREATED")}


class CasesPerUser(Validator):
    """Let a user be on two cases in each role."""

    together = "user"

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Counter[Any]:
        users = {change.user.id for change in changes if isinstance(change, Assign)}
        return Counter(await directory.count_cases(users))

    def check(self, effect: Effect, prepared: Counter[Any]) -> None:
        if effect.user and effect.after and prepared[effect.user.id, effect.after.role.key] >= 2:
            raise RowError("user", "BUSY", "is on two cases in this role already.")

    def note(self, effect: Effect, prepared: Counter[Any]) -> None:
        if effect.user and effect.after:
            prepared[effect.user.id, effect.after.role.key] += 1


@pytest.mark.parametrize("seed", range(3))
async def test_rows_about_one_user(world: EngineFixture, seed: int) -> None:
    """A validator may count by user as well, what is stored and what the file adds."""
    rng = random.Random(seed)
    await world.put(("trv-001", "jill-001", "staff", 0))
    rows = [row for row in rng.sample(ROWS, len(ROWS)) if "staff" in row]
    small = with_validators(world, CasesPerUser("cases-per-user"), chunk_rows=3)
    import_id = await small.upload("assign", *rows)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)
    counts = Counter(user for _, user in await world.assignments())
    codes = [each.codes for each in (await world.results(import_id)).values()]

    assert counts == dict.fromkeys(["jack-001", "jones-001", "jill-001"], 2)
    assert codes.count(("BUSY",)) == 3


@pytest.mark.parametrize("query", ["", "SELECT $1::int"])
async def test_what_looks_like_the_database(world: EngineFixture, query: str) -> None:
    """A file that is not there, or a query with too few arguments, is no outage of PostgreSQL."""

    class Lost(Validator):
        async def prepare(self, changes: Sequence[Change], directory: Directory) -> None:
            if not query:
                raise FileNotFoundError("acme.conf")
            await directory.fetch(query)

    lost = with_validators(world, Lost("lost"))
    import_id = await lost.run("assign", "trv-003,jack-001,,staff,0")

    assert await lost.results(import_id) == {2: Result("FAILED", codes=("VALIDATOR_ERROR",))}


async def test_a_query_that_takes_long(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life are due while it runs; neither waits for the other for ever."""
    monkeypatch.setattr("importers.isolation.signs_of_life._SIGN_SECONDS", 0.02)

    class Slow(Validator):
        async def prepare(self, changes: Sequence[Change], directory: Directory) -> None:
            for _ in range(3):
                await directory.fetch("SELECT pg_sleep(0.1)")

    slow = with_validators(world, Slow("slow"))
    import_id = await slow.run("assign", "trv-003,jack-001,,staff,0")

    assert await slow.results(import_id) == {2: Result("CREATED")}


async def test_a_query_that_fails(world: EngineFixture, caplog: pytest.LogCaptureFixture) -> None:
    """A validator whose table is not there refuses; rows keep errors of their own, and a retry
    leaves rows alone that have passed."""

    class Lost(Validator):
        async def prepare(self, changes: Sequence[Change], directory: Directory) -> None:
            await directory.fetch("SELECT * FROM nowhere WHERE app_id = $1", directory.app_id)

    rows = ["trv-001,jack-001,,staff,0", "trv-001,jack-001,,clients,0", "nobody,jack-001,,staff,0"]
    import_id = await world.run("assign", *rows)
    before = await world.results(import_id)
    lost = with_validators(world, Lost("lost"))
    await lost.retry(import_id)
    other = await lost.run("assign", "trv-003,jack-001,,staff,0", "nobody,jack-001,,staff,0")

    assert await world.results(import_id) == before
    assert await lost.results(other) == {
        2: Result("FAILED", codes=("VALIDATOR_ERROR",)),
        3: Result("FAILED", codes=("NOT_FOUND",)),
    }
    assert (await lost.counts(import_id)).passed == 1
    assert "nowhere" in caplog.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(OwnChange):
    """Mark a case, or fail."""

    case: Case
    text: str

    @property
    def keys(self) -> list[tuple[str, int]]:
        return [("mark", self.case.id)]

    @classmethod
    async def apply(cls, changes: Sequence[Mark], transaction: Transaction) -> list[Applied]:
        if any(change.text == "bad" for change in changes):
            raise ValueError("bad")
        return [Applied("UNCHANGED") for _ in changes]


class Marked(Importer):
    """Put users on cases and mark these, looking at what is there."""

    label = "Marked"
    case_id = CaseRef(required=True)
    user_id = UserRef(required=True)
    text = Column[str](required=True)
    present = AssignmentOf("case_id", "user_id")

    def change(self, row: Row) -> list[Any]:
        """Do both."""
        roles = Role(id=self.settings, key="staff")
        return [
            Assign(case=row.case_id, user=row.user_id, role=roles),
            *([Mark(case=row.case_id, text=row.text)] if row.text != "-" else []),
        ]


@pytest.mark.parametrize("is_dry_run", [False, True])
async def test_halves_know_of_each_other(world: EngineFixture, is_dry_run: bool) -> None:
    """When rows are narrowed down to the one that fails, what was done for others is no race, and
    counts, in a dry run too."""
    made = world.with_engine(marked=Marked("marked", world.roles["staff"]))
    made = replace(made, engine=replace(made.engine, validators=(limited(1),)))
    import_id = await made.run(
        "marked",
        "trv-001,jack-001,-",
        "trv-003,jack-001,ok",
        "trv-001,jones-001,-",
        "trv-004,jack-001,bad",
        header="case_id,user_id,text",
        is_dry_run=is_dry_run,
    )

    assert await made.results(import_id) == {
        2: Result("CREATED"),
        3: Result("CREATED"),
        4: Result("FAILED", codes=("CASE_FULL",)),
        5: Result("FAILED", codes=("IMPORTER_ERROR",)),
    }


async def test_a_tag_id_like_the_id_of_another(world: EngineFixture) -> None:
    """What a dry run has undone is noted of the very case and user, whatever Tag IDs there are."""
    await world.execute(
        "INSERT INTO cases (app_id, tag_id) VALUES ($1, $2)", world.app_id, world.case_id("trv-001")
    )
    made = with_validators(world, limited(1), chunk_rows=1)
    import_id = await made.run(
        "assign", "trv-001,jack-001,,staff,0", "trv-001,jones-001,,staff,0", is_dry_run=True
    )

    assert await made.results(import_id) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("CASE_FULL",)),
    }
