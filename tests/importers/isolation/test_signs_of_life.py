"""A transaction is not idle while a plugin waits, and no statement of the plugin's meets a sign."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

import importers.isolation.signs_of_life
from importers import Applied, Assign, Case, CaseRef, Importer, OwnChange, RoleRef, Row, UserRef
from importers.isolation.guard import Guard, guarded_await, guarding
from importers.sdk.directory import Directory
from tests.importers.engine_fixture import EngineFixture, Result

IDLE = "SELECT set_config('idle_in_transaction_session_timeout', '150ms', true)"


@pytest.fixture(autouse=True)
def quick_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let signs follow each other quickly."""
    monkeypatch.setattr(importers.isolation.signs_of_life, "_SIGN_SECONDS", 0.02)


async def test_signs_while_a_coroutine_waits() -> None:
    """They are sent as long as the plugin waits, and never while it takes a step."""
    sent, is_sending, enough = [], False, asyncio.Event()

    async def send() -> None:
        nonlocal is_sending
        is_sending = True
        await asyncio.sleep(0)
        is_sending = False
        sent.append("sign")
        if len(sent) == 3:
            enough.set()

    async def work() -> list[bool]:
        seen = []
        while not enough.is_set():
            await asyncio.sleep(0)
            seen.append(is_sending)
        return seen

    with guarding(Guard("importer 'x'", keep_alive=send)):
        assert not any(await guarded_await(work()))
    assert len(sent) == 3


async def test_a_sign_that_fails_is_left_to_the_next_statement() -> None:
    """The plugin's answer is not lost with it."""
    failed = asyncio.Event()

    async def send() -> None:
        failed.set()
        raise ConnectionError("gone")

    async def work() -> str:
        await failed.wait()
        return "answer"

    with guarding(Guard("importer 'x'", keep_alive=send)):
        assert await guarded_await(work()) == "answer"


class FarAway(CaseRef):
    """Asks a slow server, and the database before and after."""

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Case]:
        """Wait for longer than PostgreSQL bears with a silent transaction."""
        await directory.fetch(IDLE)
        await asyncio.sleep(0.5)
        return await directory.cases(keys)


class FromFarAway(Importer):
    """Puts people on cases that a slow server knows."""

    label = "Far away"
    case_id = FarAway(required=True)
    person = UserRef(required=True)
    role = RoleRef(default="staff")

    def change(self, row: Row) -> Any:
        """Put the user on the case."""
        return Assign(case=row.case_id, user=row.person, role=row.role)


async def test_a_look_up_that_waits_for_something_else(world: EngineFixture) -> None:
    """While the file is cut, and while its rows run, the transaction lives on."""
    engine = world.with_engine(far=FromFarAway("far"))

    import_id = await engine.run("far", "trv-001,jack-001", header="case_id,person")

    assert await world.results(import_id) == {2: Result("CREATED")}


class SlowChange(OwnChange):
    """Asks a slow server as it is carried out."""

    __slots__ = ()

    @property
    def keys(self) -> Sequence[tuple[str | int, ...]]:
        """All are about the same."""
        return (("slow", 1),)

    def wish(self) -> tuple[str]:
        """Ask for the same."""
        return ("slow",)

    @classmethod
    async def apply(cls, changes: Sequence[SlowChange], transaction: Any) -> list[Applied]:
        """Wait, between two statements."""
        await transaction.db.execute(IDLE)
        await asyncio.sleep(0.5)
        await transaction.db.execute("SELECT 1")
        return [Applied("CREATED") for _ in changes]


class Slowly(Importer):
    """Makes slow changes."""

    label = "Slowly"
    case_id = CaseRef(required=True)

    def change(self, row: Row) -> Any:
        """Make one."""
        return SlowChange()


async def test_a_change_that_waits_for_something_else(world: EngineFixture) -> None:
    """So it does while a change of an own kind is carried out."""
    engine = world.with_engine(slowly=Slowly("slowly"))

    import_id = await engine.run("slowly", "trv-001", header="case_id")

    assert await world.results(import_id) == {2: Result("CREATED")}


class Gathering(CaseRef):
    """Asks for several things at the same time."""

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Case]:
        """Gather queries of its own with look-ups."""
        fetches = [directory.fetch("SELECT $1::int AS n", number) for number in range(9)]
        cases, _, *rows = await asyncio.gather(
            directory.cases(keys), directory.users(keys), *fetches
        )
        assert [row[0]["n"] for row in rows] == list(range(9))
        return cases


async def test_look_ups_at_the_same_time(world: EngineFixture) -> None:
    """`asyncio.gather` works: they wait for each other."""

    class Gathers(FromFarAway):
        case_id = Gathering(required=True)

    engine = world.with_engine(gathers=Gathers("gathers"))

    import_id = await engine.run("gathers", "trv-001,jack-001", header="case_id,person")

    assert await world.results(import_id) == {2: Result("CREATED")}


async def test_a_look_up_that_takes_too_long_to_group_rows(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is not refused: its rows run one after another."""
    monkeypatch.setattr("importers.isolation.guard.AWAIT_SECONDS", 0.7)
    asked: list[int] = []

    class SlowFirst(CaseRef):
        async def resolve(self, directory: Directory, keys: Collection[str]) -> Any:
            asked.append(len(keys))
            if len(asked) < 3:  # by the first rows of the file, and to group them all
                await asyncio.sleep(60)
            return await directory.cases(keys)

    class Slow(FromFarAway):
        case_id = SlowFirst(required=True)

    engine = world.with_engine(chunk_rows=1, slow=Slow("slow"))
    rows = ["trv-001,jack-001", "trv-003,jack-001"]

    import_id = await engine.run("slow", *rows, header="case_id,person")

    assert asked == [2, 2, 1, 1]
    assert await world.results(import_id) == {2: Result("CREATED"), 3: Result("CREATED")}
