"""Messages lost, doubled or late, and workers that die, change nothing in the end."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from importers import Applied, Assign, Case, OwnChange, Row, RowError, Unchanged, User
from importers.builtin.assign import AssignUsers
from importers.isolation.attempts import MOST_ATTEMPTS
from importers.run.run_chunk import _write_results, next_chunk, run_chunk
from importers.sdk.errors import RetryableError
from models.chunk import give_back
from models.database_url import credentials
from models.db import connection
from models.waiting import silent_imports
from tests.importers.engine_fixture import HEADERS, Counts, EngineFixture, Result

ROWS = [
    "trv-001,jack-001,,staff,1",
    "trv-001,jones-001,,staff,1",
    "trv-003,jack-001,,staff,1",
    "trv-003,jones-001,,clients,0",
    "trv-001,jack-001,,staff,1",
    "trv-002,jack-001,,staff,0",
    "trv-004,jill-001,,staff,1",
    "trv-004,jack-001,,clients,0",
]
COUNTS = Counts("PROCESSED", 8, 7, 1, 0, 6, 0, 0, 1)
MAILED = [2, 3, 4, 8]


class Hooked(AssignUsers):
    """Assigns, after doing something else."""

    def __init__(self, hook: Callable[[Row], Any]) -> None:
        super().__init__("hooked")
        self._hook = hook

    def change(self, row: Row) -> Assign:
        """Do it."""
        return self._hook(row) or super().change(row)


async def hooked(
    world: EngineFixture, hook: Callable[[Row], Any], *rows: str, **options: Any
) -> tuple[EngineFixture, int]:
    """Cut a file whose importer calls a hook."""
    other = world.with_engine(hooked=Hooked(hook), **options)
    return other, await other.split("hooked", *rows, header=HEADERS["assign"])


async def age(world: EngineFixture, seconds: int = 60) -> None:
    """Let time go by for everything that the sweeper looks at."""
    for statement in (
        "UPDATE imports SET notified_at = notified_at - $1::int * interval '1 s',"
        " split_at = split_at - $1::int * interval '1 s'",
        "UPDATE import_chunks SET attempted_at = attempted_at - $1::int * interval '1 s'",
    ):
        await world.execute(statement, seconds)


async def test_doubled_messages(small: EngineFixture) -> None:
    """Every message may come many times, in any order."""
    import_id = await small.upload("assign", *ROWS)
    for _ in range(5):
        await small.queue.enqueue_split(import_id)
        await small.queue.enqueue_run(import_id)
        await small.queue.enqueue_send_mails()
    await small.drain(random.Random(1))

    assert await small.counts(import_id) == COUNTS
    assert [row for row, _ in await small.mails(import_id)] == MAILED
    assert len(small.transport.sent) == 4
    assert len(await small.history(import_id)) == 6


@pytest.mark.parametrize("workers", [2, 12])
async def test_doubled_messages_at_once(world: EngineFixture, workers: int) -> None:
    """Every message may come to many workers at the same moment; a chunk that many reach for is
    not taken for one that kills its workers."""
    for _ in range(5):
        await world.execute("TRUNCATE assignments, assignment_history, mails, import_rows")
        import_id = await world.upload("assign", *ROWS)
        await asyncio.gather(*[world.engine.split(import_id) for _ in range(workers)])
        await asyncio.gather(*[world.engine.run(import_id) for _ in range(workers)])
        await asyncio.gather(*[world.engine.send_mails() for _ in range(workers)])

        assert await world.counts(import_id) == COUNTS
        assert await world.mails(import_id) == [(row, "SENT") for row in MAILED]


async def test_late_messages(small: EngineFixture) -> None:
    """What comes for a finished import does nothing."""
    import_id = await small.run("assign", *ROWS)
    before = await small.fetchrow("SELECT * FROM imports")
    await small.engine.split(import_id)
    await small.engine.run(import_id)
    await small.engine.split(404)
    await small.engine.run(404)

    assert await small.fetchrow("SELECT * FROM imports") == before
    assert list(small.queue.messages) == []


async def test_the_sweeper_finds_an_import_that_was_not_cut(small: EngineFixture) -> None:
    """When the broker has lost the first message, a sweep enqueues it again."""
    import_id = await small.upload("assign", *ROWS)
    await small.engine.sweep()
    too_early = list(small.queue.messages)
    await age(small)
    await small.engine.sweep()
    enqueued = list(small.queue.messages)
    await small.drain()

    assert (too_early, enqueued) == ([], [("split", (import_id,))])
    assert await small.counts(import_id) == COUNTS


async def test_the_sweeper_finds_chunks(small: EngineFixture) -> None:
    """When the broker was emptied in the middle, a sweep enqueues them again, once a while."""
    import_id = await small.split("assign", *ROWS)
    await small.engine.run(import_id)
    small.queue.messages.clear()
    await age(small)
    await small.engine.sweep()
    await small.engine.sweep()
    enqueued = [name for name, _ in small.queue.messages]
    await small.drain()

    assert enqueued.count("run") == 1
    assert set(enqueued) <= {"run", "send_mails"}
    assert await small.counts(import_id) == COUNTS


async def test_the_sweeper_leaves_alone_what_is_worked_on(small: EngineFixture) -> None:
    """An import one of whose chunks was tried a moment ago is not enqueued; nor a finished one."""
    import_id = await small.split("assign", *ROWS)
    await small.run("remove", "jack-001,trv-004")
    await age(small)
    await small.execute("UPDATE import_chunks SET attempted_at = now() WHERE number = 0")
    async with connection() as db:
        busy = await silent_imports(db, silent_for=10)
        silent = await silent_imports(db, silent_for=-1)

    assert busy == ([], [])
    assert silent == ([], [import_id])


async def test_the_sweeper_and_mails(world: EngineFixture) -> None:
    """Mails that wait are enqueued; those whose time has not come are not."""
    import_id = await world.split("assign", *ROWS)
    await world.engine.run(import_id)
    world.queue.messages.clear()
    await world.engine.sweep()
    enqueued = list(world.queue.messages)
    world.queue.messages.clear()
    await world.execute("UPDATE mails SET next_attempt_at = now() + interval '1 minute'")
    await world.engine.sweep()

    assert enqueued == [("send_mails", ())]
    assert list(world.queue.messages) == []


async def test_a_killed_connection(small: EngineFixture, module_database_url: str) -> None:
    """A chunk whose connection is lost in the middle leaves nothing behind and is run again."""
    killed: list[int] = []

    def kill(row: Row) -> None:
        if row.number == 4 and not killed:
            killed.append(terminate(module_database_url))

    world, import_id = await hooked(small, kill, *ROWS)
    with pytest.raises(RetryableError):
        await world.persevere(import_id, stubborn=False)
    left = (await world.counts(import_id), await world.history(import_id))
    rows = sorted(await world.results(import_id))
    attempts = await world.fetch("SELECT attempts FROM import_chunks")
    await world.queue.enqueue_run(import_id)
    await world.drain()

    assert killed == [1]
    assert 4 not in rows
    assert len(left[1]) == left[0].created
    assert {row["attempts"] for row in attempts} == {0}
    assert await world.counts(import_id) == COUNTS
    assert len(await world.history(import_id)) == 6


def terminate(url: str) -> int:
    """End every connection that is in a transaction; return their number."""
    ended: list[int] = []

    async def end() -> None:
        db = await asyncpg.connect(**credentials(url))
        ended.append(
            await db.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )
        )
        await db.close()

    thread = threading.Thread(target=asyncio.run, args=(end(),))
    thread.start()
    thread.join()
    return ended[0]


async def test_a_chunk_that_fails_hard_is_set_aside(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk that has stopped its worker so many times fails, and the other rows go on."""

    class DeadlyError(BaseException):
        pass

    async def write(*arguments: Any) -> None:
        if any(result.number == 3 and result.outcome for result in arguments[-1].results):
            raise DeadlyError
        await _write_results(*arguments)

    monkeypatch.setattr("importers.run.run_chunk._write_results", write)
    world, import_id = await hooked(small, lambda _: None, *ROWS)
    deaths = 0
    for _ in range(20):
        await age(world)
        try:
            await world.engine.run(import_id)
        except DeadlyError:
            deaths += 1
    world.queue.messages.clear()
    results = await world.results(import_id)
    messages = {e["message"] for errors in (await world.errors(import_id)).values() for e in errors
                if e["code"] == "IMPORTER_ERROR"}  # fmt: skip

    assert deaths == MOST_ATTEMPTS
    assert results[3] == Result("FAILED", codes=("IMPORTER_ERROR",))
    assert messages == {
        f"These rows could not be run in {MOST_ATTEMPTS} attempts; the worker's log says why."
    }
    assert (await world.counts(import_id)).status == "PROCESSED"
    assert (await world.counts(import_id)).created >= 4


async def test_a_deadly_chunk_holds_nobody_up(
    small: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks that were tried least come first, and each try is counted though nothing is kept."""

    class DeadlyError(BaseException):
        pass

    async def write(*arguments: Any) -> None:
        if any(result.number == 2 for result in arguments[-1].results):
            raise DeadlyError
        await _write_results(*arguments)

    monkeypatch.setattr("importers.run.run_chunk._write_results", write)
    rows = [f"trv-001,jones-001,,staff,{n % 2}" for n in range(2, 11)]
    world, import_id = await hooked(small, lambda _: None, "trv-003,jack-001,,staff,0", *rows)
    await world.execute("UPDATE import_chunks SET number = number + 10")
    await world.execute(
        "UPDATE import_chunks SET number = 0 WHERE position('trv-003'::bytea IN payload) > 0"
    )
    with pytest.raises(DeadlyError):
        await world.engine.run(import_id)
    (attempts,) = await world.fetch("SELECT attempts FROM import_chunks WHERE number = 0")
    await world.engine.run(import_id)
    done = sorted(await world.results(import_id))

    assert attempts[0] == 1
    assert 2 not in done
    assert len(done) > 0


async def test_a_chunk_that_is_locked_is_left_alone(
    world: EngineFixture, module_database_url: str
) -> None:
    """The row lock is the lease: while one worker has it, another finds nothing to do."""
    import_id = await world.split("assign", *ROWS)
    other = await asyncpg.connect(**credentials(module_database_url))
    async with other.transaction():
        await other.execute("SELECT 1 FROM import_chunks FOR UPDATE")
        await world.engine.run(import_id)
        meanwhile = await world.results(import_id)
    await other.close()
    await world.engine.run(import_id)

    assert meanwhile == {}
    assert await world.counts(import_id) == COUNTS


async def test_many_reach_for_a_chunk(world: EngineFixture) -> None:
    """Workers that choose the same chunk before one of them begins with it don't use it up."""
    import_id = await world.split("assign", *ROWS)
    claims = [await next_chunk(import_id) for _ in range(2 * MOST_ATTEMPTS)]
    ends = [
        await run_chunk(import_id, claim, world.engine.importers) for claim in claims[::-1] if claim
    ]

    assert [end is not None for end in ends] == [True] + [False] * (2 * MOST_ATTEMPTS - 1)
    assert await world.counts(import_id) == COUNTS


async def test_an_exception_of_a_row_fails_that_row(world: EngineFixture) -> None:
    """An importer that fails on one row fails it alone; the text is for the log."""

    def fail(row: Row) -> None:
        if row.number == 3:
            raise KeyError("secret")

    other, import_id = await hooked(world, fail, *ROWS)
    await other.engine.run(import_id)

    assert (await other.results(import_id))[3] == Result("FAILED", codes=("IMPORTER_ERROR",))
    assert "secret" not in str(await other.errors(import_id))
    assert (await other.counts(import_id)).passed == 6


async def test_a_database_error_lands_on_its_row(
    world: EngineFixture, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that the database refuses fails alone, and so do rows that repeat it."""

    async def pass_all(_: Any, rows: Any, __: Any) -> Any:
        return rows

    monkeypatch.setattr("importers.run.plan_rows.fail_foreign", pass_all)

    def misname(row: Row) -> Assign | None:
        if row.number in (4, 6):
            return Assign(case=Case(id=10**9), user=row.user_id, role=row.case_role_id)
        return None

    rows = [row for row in ROWS if not row.startswith("trv-002")]
    rows[4] = rows[2]
    other, import_id = await hooked(world, misname, *rows)
    await other.engine.run(import_id)
    results = await other.results(import_id)

    assert results[4] == Result("FAILED", codes=("NOT_WRITTEN",))
    assert results[6] == Result("FAILED", codes=("NOT_WRITTEN",))
    assert (await other.errors(import_id))[4][0]["message"] == (
        "The database refused this row; the worker's log says why."
    )
    assert "the database refused row 4" in caplog.text
    assert await other.counts(import_id) == Counts("PROCESSED", 7, 5, 2, 0, 5, 0, 0, 0)
    assert [row[0] for row in await other.history(import_id)] == [2, 3, 5, 7, 8]


async def test_a_user_unknown_to_us(world: EngineFixture) -> None:
    """A plugin that makes up a user fails its row, not the chunk."""

    def misname(row: Row) -> Assign:
        return Assign(case=row.case_id, user=User(id=10**9), role=row.case_role_id)

    other, import_id = await hooked(world, misname, "trv-001,jack-001,,staff,0")
    await other.engine.run(import_id)

    assert await other.results(import_id) == {2: Result("FAILED", codes=("IMPORTER_ERROR",))}
    assert (await other.counts(import_id)).status == "FAILED"


async def test_a_slow_importer(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """An importer that takes its time for a chunk, though not for a row, keeps its transaction: it
    is never silent for more than 500 rows, and PostgreSQL ends none that is not silent."""
    silences: list[int] = [0]
    execute = asyncpg.Connection.execute

    async def heard(db: asyncpg.Connection, statement: str, *values: Any, **options: Any) -> str:
        silences.append(0)
        return str(await execute(db, statement, *values, **options))

    def count_row(row: Row) -> None:
        silences[-1] += 1

    slow, import_id = await hooked(
        world, count_row, *["trv-001,jack-001,,staff,0"] * 1_500, chunk_rows=2_000
    )
    monkeypatch.setattr(asyncpg.Connection, "execute", heard)
    await slow.engine.run(import_id)

    assert sum(silences) == 1_500
    assert max(silences) <= 500
    assert await slow.counts(import_id) == Counts("PROCESSED", 1_500, 1_500, 0, 0, 1, 0, 0, 1_499)


@pytest.mark.parametrize(
    ("limit", "attempts"),
    [pytest.param(60.0, 0, id="at once"), pytest.param(0.0, 1, id="after a long time")],
)
async def test_a_lost_transaction_is_counted_when_it_was_long(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, limit: float, attempts: int
) -> None:
    """Only a chunk that may itself be why PostgreSQL has ended its transaction is blamed for it."""
    monkeypatch.setattr("importers.isolation.attempts.BLAMELESS_SECONDS", limit)
    monkeypatch.setattr("importers.run.run_chunk.stored_layout", _lose_connection)
    import_id = await world.split("assign", "trv-001,jack-001,,staff,0")
    with pytest.raises(RetryableError):
        await world.engine.run(import_id)

    assert [row["attempts"] for row in await world.fetch("SELECT attempts FROM import_chunks")] == [
        attempts
    ]


def _lose_connection(*_: Any) -> None:
    raise asyncpg.ConnectionDoesNotExistError("connection was closed")


@pytest.mark.parametrize("limit", [0.0, 60.0])
async def test_a_deadlock_is_blamed_on_nobody(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """However late it comes and however often, it does not count; neither is more taken back than
    was counted."""

    def lock(*_: Any) -> None:
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    import_id = await world.split("assign", "trv-001,jack-001,,staff,0")
    await world.execute("UPDATE import_chunks SET attempts = 4")
    with monkeypatch.context() as patch:
        patch.setattr("importers.isolation.attempts.BLAMELESS_SECONDS", limit)
        patch.setattr("importers.run.run_chunk.stored_layout", lock)
        for _ in range(3):
            with pytest.raises(RetryableError):
                await world.engine.run(import_id)

    assert await world.fetch("SELECT attempts FROM import_chunks") == [(4,)]


async def test_short_outages(world: EngineFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often PostgreSQL goes away for a moment while a chunk runs, its rows are not given
    up."""
    import_id = await world.split("assign", "trv-001,jack-001,,staff,0")
    away: list[Exception] = []

    async def give(*arguments: Any) -> None:
        if away:
            raise away.pop()
        await give_back(*arguments)

    monkeypatch.setattr("importers.run.run_chunk.give_back", give)
    for _ in range(MOST_ATTEMPTS + 1):
        away.append(OSError("refused"))
        with monkeypatch.context() as patch:
            patch.setattr("importers.run.run_chunk.stored_layout", _lose_connection)
            with pytest.raises(RetryableError):
                await world.engine.run(import_id)
        await world.execute("UPDATE import_chunks SET attempted_at = attempted_at - interval '2 s'")
    await world.engine.run(import_id)

    assert await world.results(import_id) == {2: Result("CREATED")}


@pytest.mark.parametrize("character", ["\x00", "\ud800"])
@pytest.mark.parametrize("kind", [RowError, Unchanged, Applied])
async def test_texts_that_can_not_be_stored(
    world: EngineFixture, character: str, kind: type
) -> None:
    """Whatever a plugin puts into a message, its row has it, and no other row suffers."""
    text = f"a{character}b"

    @dataclass(frozen=True, slots=True)
    class Told(OwnChange):
        keys = (("told",),)

        @classmethod
        async def apply(cls, changes: Any, transaction: Any) -> Any:
            return [Applied("CREATED", text)]

    def answer(row: Row) -> Any:
        if row.number > 2:
            return None
        if kind is RowError:
            raise RowError(None, "ODD", text, text)
        return Unchanged(text) if kind is Unchanged else Told()

    odd, import_id = await hooked(
        world, answer, "trv-001,jack-001,,staff,0", "trv-003,jack-001,,staff,0"
    )
    await odd.engine.run(import_id)
    told = await world.fetch("SELECT coalesce(message, errors::text) FROM import_rows ORDER BY id")

    assert (await odd.results(import_id))[3] == Result("CREATED")
    assert "a\ufffdb" in told[0][0]
