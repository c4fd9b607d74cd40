"""The size, the order and the number of chunks that run at once make no difference."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from zlib import crc32

import pytest
from asyncpg import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import Assign, CaseRef, Importer, Row, UserRef
from importers.sdk.entities import Role
from tests.importers.engine_fixture import CASES, PAIRS, USERS, EngineFixture, Result

START = [("trv-003", "jack-001", "staff", 0), ("trv-004", "jill-001", "clients", 1)]


async def reset(world: EngineFixture) -> None:
    """Bring the assignments back to where they were, and forget the imports."""
    await world.execute("TRUNCATE assignments, assignment_history, mails, import_rows")
    await world.put(*START)


async def told(world: EngineFixture, import_id: int) -> tuple[Any, ...]:
    """Read everything that an import has come to."""
    return (
        await world.counts(import_id),
        await world.results(import_id),
        await world.errors(import_id),
        await world.assignments(),
        await world.history(import_id),
        await world.mails(import_id),
    )


async def at_once(world: EngineFixture, import_id: int, workers: int) -> None:
    """Let several workers run the import's chunks at the same time."""
    await world.engine.split(import_id)
    while (await world.counts(import_id)).status == "PROCESSING":
        world.queue.messages.clear()
        await asyncio.gather(*[world.engine.run(import_id) for _ in range(workers)])
    await world.queue.enqueue_send_mails()
    await world.drain()


def random_file(seed: int, type_: str, count: int, world: EngineFixture) -> list[str]:
    """Write rows about few cases and users, so that many repeat or contradict others."""
    rng = random.Random(seed)
    cases = [*CASES, *map(world.case_id, CASES), "trv-1"]
    users = [*USERS, *map(world.user_id, USERS), "", "jones-1"]
    rows = []
    for _ in range(count):
        case, user = rng.choice(cases), rng.choice(users)
        role = rng.choice(["staff", "role::staff", "clients", "", "boss"])
        notify = rng.choice(["0", "1", "", "yes"])
        rows.append(
            {
                "assign": f"{case},{user},,{role},{notify}",
                "modify": f"{case},{user},{role},{notify}",
                "remove": f"{user},{case}",
            }[type_]
        )
    return rows


@pytest.mark.parametrize(
    "rows",
    [
        [f"{n}{'x' * 500_000},jack-001,,staff,0" for n in range(40)],
        ["x" * 500_000 + ",b,,c,0"] * 40,
    ],
    ids=["different", "repeated"],
)
async def test_long_rows(world: EngineFixture, rows: list[str]) -> None:
    """A chunk of long rows has fewer of them, so that memory stays flat, also when they repeat
    each other or are tried again."""
    largest = "SELECT max(octet_length(payload)) FROM import_chunks WHERE import_id = $1"
    import_id = await world.split("assign", *rows)
    [[first]] = await world.fetch(largest, import_id)
    await world.queue.enqueue_run(import_id)
    await world.drain()
    counts = await world.counts(import_id)
    await world.request_retry(import_id)
    await world.engine.split(import_id)
    [[again]] = await world.fetch(largest, import_id)

    assert (counts.total, counts.failed) == (40, 40)
    assert max(first, again) < 10_000_000
    await world.queue.enqueue_run(import_id)
    await world.drain()
    assert await world.counts(import_id) == counts


@pytest.mark.parametrize("type_", ["assign", "modify", "remove"])
@pytest.mark.parametrize("size", [1, 3, 7])
async def test_any_order(world: EngineFixture, type_: str, size: int) -> None:
    """Chunks of any size, run in any order, come to what one chunk of all rows comes to."""
    rows = random_file(7, type_, 60, world)
    await reset(world)
    expected = await told(world, await world.run(type_, *rows))
    await reset(world)
    small = world.with_engine(chunk_rows=size)
    import_id = await small.split(type_, *rows)
    for _ in range(100):
        await small.queue.enqueue_run(import_id)
    await small.drain(random.Random(size))

    assert await told(small, import_id) == expected


@pytest.mark.parametrize("type_", ["assign", "modify", "remove"])
async def test_at_the_same_time(world: EngineFixture, type_: str) -> None:
    """Chunks that several workers run at once come to the same."""
    rows = random_file(11, type_, 80, world)
    await reset(world)
    expected = await told(world, await world.run(type_, *rows))
    await reset(world)
    small = world.with_engine(chunk_rows=4)
    import_id = await small.upload(type_, *rows)
    await at_once(small, import_id, workers=4)

    assert await told(small, import_id) == expected


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    type_=st.sampled_from(["assign", "modify", "remove"]),
    seed=st.integers(0, 10_000),
    count=st.integers(1, 40),
    cut=st.tuples(st.integers(1, 9), st.integers(1, 3)),
)
async def test_any_file(
    world: EngineFixture, type_: str, seed: int, count: int, cut: tuple[int, int]
) -> None:
    """Any file, any chunk size, any number of workers: the same as one chunk and one worker."""
    size, workers = cut
    rows = random_file(seed, type_, count, world)
    await reset(world)
    expected = await told(world, await world.run(type_, *rows))
    await reset(world)
    small = world.with_engine(chunk_rows=size)
    import_id = await small.upload(type_, *rows)
    await at_once(small, import_id, workers)

    assert await told(small, import_id) == expected


@pytest.mark.parametrize("workers", [1, 3])
async def test_a_chain(world: EngineFixture, workers: int) -> None:
    """A pair that is repeated more often than a chunk has rows makes a chain of chunks; each
    knows what the ones before it did."""
    small = world.with_engine(chunk_rows=7)
    rows = ["trv-001,jack-001,,staff,1"] * 50
    rows[30] = "trv-001,jack-001,,clients,1"
    import_id = await small.split("assign", *rows)
    chunks = await small.fetch("SELECT is_chained FROM import_chunks ORDER BY number")
    await at_once(small, import_id, workers)
    results = await small.results(import_id)

    assert sum(row["is_chained"] for row in chunks) == 7
    assert results.pop(2) == Result("CREATED")
    assert results.pop(32) == Result("FAILED", codes=("CONFLICTS_WITH_ROW",))
    assert set(results.values()) == {Result("UNCHANGED", "repeats row 2")}
    assert await small.mails(import_id) == [(2, "SENT")]


async def test_a_chain_of_failed_rows(world: EngineFixture) -> None:
    """Rows that repeat a failed one fail alike at the end of a chain as well."""
    small = world.with_engine(chunk_rows=2)
    import_id = await small.run("assign", *["trv-002,jack-001,,staff,0"] * 9)
    errors = await small.errors(import_id)

    assert len(errors) == 9
    assert {error["code"] for found in errors.values() for error in found} == {"CASE_CLOSED"}
    assert (await small.counts(import_id)).status == "FAILED"


async def test_a_chained_chunk_waits(world: EngineFixture) -> None:
    """No worker gets a chained chunk before the one it is chained to is done."""
    small = world.with_engine(chunk_rows=2)
    import_id = await small.split("assign", *["trv-001,jack-001,,staff,0"] * 6)
    done = []
    for _ in range(3):
        await small.engine.run(import_id)
        done.append(sorted(await small.results(import_id)))

    assert done == [[2, 3], [2, 3, 4, 5], [2, 3, 4, 5, 6, 7]]


async def test_rows_apart_are_not_chained(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without repeats is cut as it stands: no chunk has to wait for another."""
    # Python's own hash is another one in each process; three of these rows may share a remainder.
    monkeypatch.setattr(
        "importers.split.grouping.hash", lambda key: crc32(repr(key).encode()), raising=False
    )
    small = world.with_engine(chunk_rows=2)
    await small.split("assign", *PAIRS[:7])
    chunks = await small.fetch("SELECT number, is_chained FROM import_chunks ORDER BY number")

    assert [row["number"] for row in chunks] == list(range(len(chunks)))
    assert len(chunks) >= 4
    assert not any(row["is_chained"] for row in chunks)


async def test_rows_that_could_not_be_read_are_told_too(world: EngineFixture) -> None:
    """Rows that name nobody end up together and fail, wherever they were in the file."""
    small = world.with_engine(chunk_rows=3)
    rows = [",,,,", "x", "trv-001,jack-001,,staff,0", "1,2,3,4,5,6"] * 4
    import_id = await small.run("assign", *rows)
    counts = await small.counts(import_id)

    assert (counts.total, counts.passed, counts.failed) == (12, 4, 8)


@pytest.mark.parametrize("count", [3, 4, 6, 7])
async def test_round_numbers(world: EngineFixture, count: int) -> None:
    """A file that fills its chunks to the last row is read to its end, and no further."""
    small = world.with_engine(chunk_rows=3)
    import_id = await small.run("assign", *[f"trv-001,u-{n},,staff,0" for n in range(count)])

    assert (await small.counts(import_id)).total == count
    assert sorted(await small.results(import_id)) == list(range(2, count + 2))


class Teams(Importer):
    """Puts two users on a case, by one row."""

    label = "Teams"
    case_id = CaseRef(required=True)
    lead_id = UserRef(required=True)
    help_id = UserRef()

    role: Role

    def change(self, row: Row) -> list[Assign]:
        """Put both on the case."""
        people = [user for user in (row.lead_id, row.help_id) if user]
        return [Assign(case=row.case_id, user=user, role=self.role) for user in people]


async def test_several_users_a_row(world: EngineFixture) -> None:
    """Rows that meet in either of two columns are compared, in whatever chunk they were."""
    teams = Teams("teams")
    teams.role = Role(id=world.roles["staff"], key="staff")
    small = world.with_engine(chunk_rows=1, teams=teams)
    rows = [
        "trv-001,jack-001,jill-001",
        "trv-003,jack-001,",
        "trv-001,jones-001,jack-001",
        "trv-001,jones-001,",
        "trv-001,gone-001,jack-001",
        "trv-001,jack-001,jack-001",
    ]
    import_id = await small.upload("teams", *rows, header="case_id,lead_id,help_id")
    await at_once(small, import_id, workers=3)

    assert await small.results(import_id) == {
        2: Result("CREATED"),
        3: Result("CREATED"),
        4: Result("CREATED", "repeats row 2"),
        5: Result("UNCHANGED", "repeats row 4"),
        6: Result("FAILED", codes=("USER_DISABLED",)),
        7: Result("UNCHANGED", "repeats row 2"),
    }
    assert await small.history(import_id) == [
        (2, "trv-001", "jack-001", None, None, "staff", 0),
        (2, "trv-001", "jill-001", None, None, "staff", 0),
        (3, "trv-003", "jack-001", None, None, "staff", 0),
        (4, "trv-001", "jones-001", None, None, "staff", 0),
    ]


def record_statements(patch: pytest.MonkeyPatch) -> list[str]:
    """Note what is sent to PostgreSQL from now on."""
    sent: list[str] = []

    def recorded(method: Any) -> Any:
        async def record(self: Connection, statement: str, *args: Any, **options: Any) -> Any:
            sent.append(statement)
            return await method(self, statement, *args, **options)

        return record

    for name in ("fetch", "fetchrow", "fetchval", "execute", "copy_records_to_table"):
        patch.setattr(Connection, name, recorded(getattr(Connection, name)))
    return sent


@pytest.mark.parametrize("type_", ["assign", "modify", "remove"])
async def test_statements_are_bounded(
    world: EngineFixture, type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk takes so many statements, however many rows it has."""
    # After 0.2 s of work an engine would also look which other imports wait.
    world = world.with_engine(clock=lambda: 0.0)
    counted = []
    for count in (4, 400):
        await world.execute("TRUNCATE assignments")
        await world.execute(
            """
            INSERT INTO users (app_id, tag_id, email)
            SELECT $1, 'u-' || n, 'u' || n || '@x.org' FROM generate_series(0, 399) AS n
            ON CONFLICT DO NOTHING
            """,
            world.app_id,
        )
        if type_ != "assign":
            await world.execute(
                "INSERT INTO assignments (app_id, case_id, user_id, role_id)"
                " SELECT $1, $2, id, $3 FROM users WHERE tag_id LIKE 'u-%'",
                world.app_id,
                world.cases["trv-001"],
                world.roles["clients"],
            )
        cells = {
            "assign": "trv-001,u-{n},,staff,1",
            "modify": "trv-001,u-{n},staff,1",
            "remove": "u-{n},trv-001",
        }[type_]
        bad = [cells.replace("u-{n}", f"v-{n}") for n in range(count // 4)]
        import_id = await world.split(type_, *[cells.format(n=n) for n in range(count)], *bad)
        with monkeypatch.context() as patch:
            sent = record_statements(patch)
            await world.engine.run(import_id)
        counted.append(len(sent))

        assert (await world.counts(import_id)).passed == count

    assert counted[0] == counted[1]
    assert counted[0] < 30
