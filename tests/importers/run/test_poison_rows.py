"""A row that ends the worker which runs it fails alone, and accidents are blamed on no row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest

from importers import Assign, Case, FailedRow, Row
from importers.builtin.assign import AssignUsers
from importers.isolation.attempts import MOST_ATTEMPTS
from importers.isolation.guard import Guard, PluginError
from importers.run.plan_rows import plan_rows
from importers.sdk.columns import Column
from importers.sdk.errors import RetryableError
from tests.importers.engine_fixture import HEADERS, Counts, EngineFixture, Result

if TYPE_CHECKING:
    from importers.run.chunk_context import ChunkContext, DatabaseStore

ROWS = [f"trv-001,{user}-001,,staff,0" for user in ("jack", "jones", "jill")] + [
    f"trv-00{case},{user}-001,,staff,0" for case, user in [(3, "jack"), (3, "jones"), (4, "jack")]
]
FAILED = Result("FAILED", codes=("IMPORTER_ERROR",))


class DeathError(BaseException):
    """Stands for the end of a worker: nothing that comes after it is done."""


@pytest.fixture(autouse=True)
def death_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it pass the guard, which stops what can be stopped."""
    call = Guard.call

    def passing(guard: Guard, function: Any, *arguments: Any) -> Any:
        try:
            return call(guard, function, *arguments)
        except PluginError as error:
            if isinstance(error.__cause__, DeathError):
                raise error.__cause__ from None
            raise

    monkeypatch.setattr(Guard, "call", passing)


class Mortal(AssignUsers):
    """Assigns, after calling a hook with each row, and another with each cell of a column."""

    remark = Column[str](example="x", help="Anything.")

    def __init__(self, hook: Callable[[int], None]) -> None:
        super().__init__("mortal")
        self._hook = hook

    def change(self, row: Row) -> Any:
        """Do it."""
        self._hook(row.number)
        return super().change(row)


class DeadlyColumn(Column[str]):
    """Ends the worker that reads a certain cell."""

    def parse(self, text: str) -> str:
        """Read it."""
        if text == "deadly":
            raise DeathError
        return text


class MortalCell(Mortal):
    """An importer with such a column."""

    remark = DeadlyColumn(example="x", help="Anything.")


async def deaths_of(world: EngineFixture, import_id: int) -> int:
    """Run an import to its end; tell how many workers that has cost."""
    deaths = 0
    while (await world.counts(import_id)).status == "PROCESSING":
        await world.execute("UPDATE import_chunks SET attempted_at = now() - interval '1 minute'")
        try:
            await world.engine.run(import_id)
        except DeathError:
            deaths += 1
    return deaths


def dying_at(*numbers: int) -> Callable[[int], None]:
    def hook(number: int) -> None:
        if number in numbers:
            raise DeathError

    return hook


@pytest.mark.parametrize(
    ("deadly", "deaths"),
    [pytest.param([5], 3, id="one row"), pytest.param([2, 7], 5, id="two rows")],
)
async def test_deadly_rows(
    world: EngineFixture, deadly: list[int], deaths: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that ends its worker three times fails alone; a second one costs two workers more."""
    other = world.with_engine(mortal=Mortal(dying_at(*deadly)))
    import_id = await other.split("mortal", *ROWS, header=HEADERS["assign"])
    found = await deaths_of(other, import_id)
    results = await other.results(import_id)

    assert found == deaths
    assert [number for number, result in results.items() if result == FAILED] == deadly
    assert (await other.counts(import_id)).created == len(ROWS) - len(deadly)
    assert f"ends its worker on row {deadly[0]}" in caplog.text
    assert await other.fetch("SELECT * FROM chunk_trials") == []


async def test_a_deadly_cell(world: EngineFixture) -> None:
    """It is found as well when it is the cell that ends whoever reads it."""
    other = world.with_engine(mortal=MortalCell(dying_at()))
    rows = [f"{row},{'deadly' if number == 3 else 'fine'}" for number, row in enumerate(ROWS)]
    import_id = await other.split("mortal", *rows, header=f"{HEADERS['assign']},remark")
    await deaths_of(other, import_id)

    assert (await other.results(import_id))[5] == FAILED
    assert (await other.counts(import_id)).created == len(ROWS) - 1


async def test_a_deadly_cell_among_the_first_rows(world: EngineFixture) -> None:
    """It is found as well in a file of several chunks, whose first rows are read before it is
    cut."""
    other = world.with_engine(mortal=MortalCell(dying_at()), chunk_rows=2)
    rows = [f"{row},{'deadly' if number == 0 else 'fine'}" for number, row in enumerate(ROWS)]
    import_id = await other.upload("mortal", *rows, header=f"{HEADERS['assign']},remark")
    with pytest.raises(DeathError):
        await other.engine.split(import_id)
    await other.engine.split(import_id)
    await deaths_of(other, import_id)

    assert (await other.results(import_id))[2] == FAILED
    assert (await other.counts(import_id)).created == len(ROWS) - 1


class MortalKey(Mortal):
    """An importer whose rows are grouped by such a column."""

    remark = DeadlyColumn(example="x", help="Anything.", is_key=True)


async def test_a_deadly_key(world: EngineFixture) -> None:
    """A file that ends each worker which cuts it into chunks is refused after some of them."""
    other = world.with_engine(mortal=MortalKey(dying_at()))
    rows = [f"{row},deadly" for row in ROWS]
    import_id = await other.upload("mortal", *rows, header=f"{HEADERS['assign']},remark")
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(DeathError):
            await other.engine.split(import_id)
    await other.engine.split(import_id)
    errors = (await other.fetchrow("SELECT errors FROM imports"))["errors"]

    assert await other.counts(import_id) == Counts("FAILED", 0, 0, 0, 0, 0, 0, 0, 0)
    assert "IMPORTER_ERROR" in errors


async def test_outages_while_a_file_is_cut(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the database goes away while a file is cut, that is not the file's fault."""
    other = world.with_engine(mortal=Mortal(dying_at()))
    import_id = await other.upload("mortal", *ROWS, header=HEADERS["assign"])
    with monkeypatch.context() as patch:
        patch.setattr("importers.split.file_rows.open_table", lose_connection)
        for _ in range(2 * MOST_ATTEMPTS):
            with pytest.raises(RetryableError):
                await other.engine.split(import_id)
    await other.engine.split(import_id)
    await deaths_of(other, import_id)

    assert (await other.counts(import_id)).created == len(ROWS)


async def test_nothing_but_deadly_rows(world: EngineFixture) -> None:
    """A chunk of which every row ends its worker comes to an end, too."""
    rows = [f"trv-00{case},{user}-001,,staff,0" for case in (1, 3, 4)
            for user in ("jack", "jones", "jill")]  # fmt: skip
    other = world.with_engine(mortal=Mortal(dying_at(*range(2, 30))))
    import_id = await other.split("mortal", *rows, header=HEADERS["assign"])
    found = await deaths_of(other, import_id)

    assert found <= MOST_ATTEMPTS + 2 * 10
    assert await other.counts(import_id) == Counts("FAILED", 9, 0, 9, 0, 0, 0, 0, 0)


class MortalGroup(Mortal):
    """The same for whole groups."""

    group_by, at_worst = "case_id", "adds"
    every_row = None  # type: ignore[assignment]

    def change_group(self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Do it, row by row."""
        for row in rows:
            self._hook(row.number)
            yield row, Assign(case=key, user=row.user_id, role=row.case_role_id)


async def test_a_deadly_group(world: EngineFixture) -> None:
    """Rows of a group are not tried alone, as it would not be whole: its chunk is given up."""
    other = world.with_engine(mortal=MortalGroup(dying_at(3)))
    import_id = await other.split("mortal", *ROWS, header=HEADERS["assign"])

    assert await deaths_of(other, import_id) == MOST_ATTEMPTS
    assert set((await other.results(import_id)).values()) == {FAILED}
    assert await other.assignments() == {}


async def test_accidents(world: EngineFixture) -> None:
    """Workers that die now here, now there are no row's fault, and cost none."""
    deaths = iter([3, 4, 2])
    fate = {"at": next(deaths)}

    def hook(number: int) -> None:
        if number == fate["at"]:
            fate["at"] = next(deaths, 0)
            raise DeathError

    other = world.with_engine(mortal=Mortal(hook))
    import_id = await other.split("mortal", *ROWS, header=HEADERS["assign"])

    assert await deaths_of(other, import_id) == 3
    assert (await other.counts(import_id)).created == len(ROWS)


async def test_a_lost_database_is_no_death(world: EngineFixture) -> None:
    """A trial that ends because the database does condemns nothing."""
    fate = {"calls": 0}

    def hook(number: int) -> None:
        fate["calls"] += number == 4
        if number == 4 and fate["calls"] < 3:
            raise DeathError

    other = world.with_engine(mortal=Mortal(hook))
    import_id = await other.split("mortal", *ROWS, header=HEADERS["assign"])
    with pytest.MonkeyPatch.context() as patch:
        for expected in (DeathError, DeathError, RetryableError):
            await other.execute("UPDATE import_chunks SET attempted_at = NULL")
            if expected is RetryableError:
                patch.setattr("importers.run.poison_rows.plan_rows", lose_connection)
            with pytest.raises(expected):
                await other.engine.run(import_id)
    found = await deaths_of(other, import_id)

    assert found == 0
    assert (await other.counts(import_id)).created == len(ROWS)


async def test_a_database_lost_between_two_rows(world: EngineFixture) -> None:
    """A row that was tried alone and did no harm is not condemned if the database goes then."""
    fate = {"calls": 0}

    def hook(number: int) -> None:
        fate["calls"] += number == 4
        if number == 4 and fate["calls"] < 3:
            raise DeathError

    async def plan_and_lose_connection(context: ChunkContext, *arguments: Any) -> None:
        await plan_rows(context, *arguments)
        store = cast("DatabaseStore", context.store)
        with suppress(asyncpg.PostgresError, OSError):
            await store.db.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    other = world.with_engine(mortal=Mortal(hook))
    import_id = await other.split("mortal", *ROWS, header=HEADERS["assign"])
    with pytest.MonkeyPatch.context() as patch:
        for expected in (DeathError, DeathError, RetryableError):
            await other.execute("UPDATE import_chunks SET attempted_at = NULL")
            if expected is RetryableError:
                patch.setattr("importers.run.poison_rows.plan_rows", plan_and_lose_connection)
            with pytest.raises(expected):
                await other.engine.run(import_id)
    found = await deaths_of(other, import_id)

    assert found == 0
    assert (await other.counts(import_id)).created == len(ROWS)


def lose_connection(*_: Any, **__: Any) -> None:
    raise asyncpg.ConnectionDoesNotExistError("connection was closed")
