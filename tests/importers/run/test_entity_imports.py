"""Files that create and change users and cases, from the upload to what is stored."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest
from asyncpg import Connection

from api.demo.load import create_demo
from importers.plugins.sample_file import sample_csv
from importers.sdk.node_id import encode_node_id
from importers.undo.undo_import import UNDO
from tests.importers.engine_fixture import Counts, EngineFixture, Result

USER = "email, given_name, family_name, locale, zoneinfo, tag_id, is_active::int"
CASE = "tag_id, is_active::int, date_opened::text, about"


async def user(world: EngineFixture, email: str) -> tuple[Any, ...]:
    query = f"SELECT {USER} FROM users WHERE app_id = $1 AND email = $2"
    return tuple(await world.fetchrow(query, world.app_id, email))


async def case(world: EngineFixture, tag: str) -> tuple[Any, ...]:
    query = f"SELECT {CASE} FROM cases WHERE app_id = $1 AND tag_id = $2"
    return tuple(await world.fetchrow(query, world.app_id, tag))


async def everything(world: EngineFixture) -> tuple[Any, ...]:
    users = await world.fetch(
        f"SELECT {USER} FROM users WHERE app_id = $1 ORDER BY 1, 6", world.app_id
    )
    cases = await world.fetch(
        f"SELECT {CASE} FROM cases WHERE app_id = $1 ORDER BY 1", world.app_id
    )
    return list(map(tuple, users)), list(map(tuple, cases))


async def test_add_users(world: EngineFixture) -> None:
    """New users are created; what is taken fails on its column; what is there is unchanged."""
    rows = [
        "jo@example.org,Jo,Smith,sp,UTC,smith-001",
        "al@example.org,,,,,",
        "JACK-001@example.org,,,,,jack-001",
        "jack-001@example.org,Jack,,,,",
        "jones-001@example.org,,,,,smith-002",
        "jill-001@example.org,,,,,jones-001",
        "new@example.org,,,,,jones-001",
        "JO@example.org,Jo,Smith,es,UTC,smith-001",
        "jo2@example.org,,,,,smith-001",
    ]
    import_id = await world.run("add-users", *rows)

    assert await world.results(import_id) == {
        2: Result("CREATED"),
        3: Result("CREATED"),
        4: Result("UNCHANGED"),
        5: Result("FAILED", codes=("EMAIL_TAKEN",)),
        6: Result("FAILED", codes=("EMAIL_TAKEN",)),
        7: Result("FAILED", codes=("EMAIL_TAKEN", "TAG_TAKEN")),
        8: Result("FAILED", codes=("TAG_TAKEN",)),
        9: Result("UNCHANGED", "repeats row 2"),
        10: Result("FAILED", codes=("TAG_TAKEN",)),
    }
    columns = {
        row: [e["column"] for e in errors]
        for row, errors in (await world.errors(import_id)).items()
    }
    assert columns[7] == ["username", "host_tag_id"]
    assert await world.counts(import_id) == Counts("PROCESSED", 9, 4, 5, 0, 2, 0, 0, 2)
    assert await user(world, "jo@example.org") == (
        "jo@example.org", "Jo", "Smith", "es", "UTC", "smith-001", 1,
    )  # fmt: skip
    assert await user(world, "al@example.org") == ("al@example.org", "", "", None, None, None, 1)


async def test_names_in_another_unicode_form(world: EngineFixture) -> None:
    """A name is stored and compared as NFC, whatever the file and the database have."""
    decomposed = "zoe@example.org,Zoe\u0308,Mu\u0308ller,,,"
    first = await world.run("add-users", "zoe@example.org,Zo\u00eb,M\u00fcller,,,")
    again = await world.run("add-users", decomposed)
    await world.execute(
        "UPDATE users SET given_name = normalize(given_name, NFD) WHERE email = 'zoe@example.org'"
    )
    after = await world.run("add-users", decomposed)
    ids = await world.fetchrow("SELECT id FROM users WHERE email = 'zoe@example.org'")
    modified = await world.run(
        "modify-users", f"{encode_node_id('User', ids[0])},Zo\u00eb,M\u00fcller,,,,"
    )

    assert await world.results(first) == {2: Result("CREATED")}
    assert await world.results(again) == {2: Result("UNCHANGED")}
    assert await world.results(after) == {2: Result("UNCHANGED")}
    assert await world.results(modified) == {2: Result("UNCHANGED")}


async def test_what_is_different(world: EngineFixture) -> None:
    """A row of something that is there otherwise names the columns that differ, and both values."""
    await world.run("add-users", "jo@example.org,Jo,Smith,en,,smith-001")
    await world.run("add-cases", "m-1,1,01/31/2026,About")
    users = await world.run(
        "add-users", "jo@example.org,Jo,Smythe,,,smith-001", "al@example.org,,,,,smith-001"
    )
    cases = await world.run("add-cases", "m-1,0,,About")
    errors = await world.errors(users)

    assert [error["message"] for error in errors[2]] == [
        "Username: a user has this e-mail address already, with the family name 'Smith' and the "
        "language 'en'; to change that, use a file of type modify-users."
    ]
    assert [error["message"] for error in errors[3]] == [
        "Host Tag Id: row 2 of this file has it too."
    ]
    assert [error["message"] for error in (await world.errors(cases))[2]] == [
        "Tag Id: a case has this Tag ID already, with the status active and the day of opening "
        "'2026-01-31'; to change that, use a file of type modify-cases."
    ]


async def test_similar_tags(world: EngineFixture) -> None:
    """A new Tag ID that is much like one from before the import gets a warning, and is created."""
    users = await world.run(
        "add-users",
        "a@example.org,,,,,JACK-1",
        "b@example.org,,,,,new-001",
        "c@example.org,,,,,NEW-1",
        "e@example.org,,,,,jack-0-01",
        "jack-001@example.org,,,,,jack-001",
    )
    cases = await world.run("add-cases", "trv_0001,1,,x", "trv-0010,1,,x", is_dry_run=True)
    nobody = await world.run("add-users", "d@example.org,,,,,")
    key = (await world.fetchrow("SELECT id FROM users WHERE email = 'd@example.org'"))[0]
    changed = await world.run("modify-users", f"{encode_node_id('User', key)},,,,,Jones001,")

    assert {result.what for result in (await world.results(users)).values()} == {
        "CREATED",
        "UNCHANGED",
    }
    assert await world.warnings(users) == {
        2: [
            {
                "code": "SIMILAR_TAG",
                "message": "Host Tag Id: a user has the Tag ID 'jack-001', which differs from this "
                "one only in capitals, punctuation or zeros; is it the same one?",
                "column": "host_tag_id",
                "value": "JACK-1",
                "suggestion": None,
                "params": {"noun": "user", "tag": "jack-001"},
            }
        ]
    }
    assert list(await world.warnings(cases)) == [2]
    assert await world.warnings(nobody) == {}
    assert list(await world.warnings(changed)) == [2]


async def test_rows_that_complement_each_other(world: EngineFixture) -> None:
    """Two rows of one user that do not contradict each other are to be combined."""
    import_id = await world.run(
        "modify-users", "jack-001,Jack,,,,,", "jack-001,,Smith,,,,", "jack-001,Jim,,,,,"
    )
    says = "The row says something else of the same user than row 2;"
    errors = await world.errors(import_id)

    assert [error["message"] for error in errors[3]] == [f"{says} combine them into one row."]
    assert [error["message"] for error in errors[4]] == [f"{says} keep one of them."]


async def test_modify_users(world: EngineFixture) -> None:
    """Blank cells keep; a Tag ID can be set once, by one user."""
    await world.run("add-users", "jo@example.org,Jo,Smith,en,UTC,", "al@example.org,,,,,")
    ids = {row[0]: row[1] for row in await world.fetch("SELECT email, id FROM users")}
    jo, al = (encode_node_id("User", ids[f"{name}@example.org"]) for name in ("jo", "al"))
    import_id = await world.run(
        "modify-users",
        f"{jo},,Smythe,sp,,smith-001,0",
        f"{al},,,,,jack-001,",
        "jones-001,,,,,jones-002,",
        "jill-001,,,,,jill-001,1",
        "gone-001,,,,,,1",
        "gone-001,,,,,,0",
        "nobody,,,,,,0",
    )

    assert await world.results(import_id) == {
        2: Result("UPDATED"),
        3: Result("FAILED", codes=("TAG_TAKEN",)),
        4: Result("FAILED", codes=("TAG_PERMANENT",)),
        5: Result("UNCHANGED"),
        6: Result("UPDATED"),
        7: Result("FAILED", codes=("CONFLICTS_WITH_ROW",)),
        8: Result("FAILED", codes=("NOT_FOUND",)),
    }
    assert [error["column"] for error in (await world.errors(import_id))[4]] == ["host_tag_id"]
    assert await user(world, "jo@example.org") == (
        "jo@example.org", "Jo", "Smythe", "es", "UTC", "smith-001", 0,
    )  # fmt: skip
    assert (await user(world, "gone-001@example.org"))[-1] == 1


async def test_cases(world: EngineFixture) -> None:
    """Cases are created, and changed but for their Tag IDs."""
    created = await world.run(
        "add-cases",
        "a-1,,01/31/2026,Smith v. Jones",
        "a-2,0,,Appeal",
        "trv-001,1,,trv-001@example.org",
        "trv-003,0,,trv-003@example.org",
        "a-1,1,2026-01-31,Smith v. Jones",
        "a-2,1,,Appeal",
    )
    changed = await world.run(
        "modify-cases",
        "a-1,,,",
        "a-2,1,2026-02-01,",
        "trv-002,1,,Opened",
        "trv-001,0,,",
    )

    assert await world.results(created) == {
        2: Result("CREATED"),
        3: Result("CREATED"),
        4: Result("UNCHANGED"),
        5: Result("FAILED", codes=("TAG_TAKEN",)),
        6: Result("UNCHANGED", "repeats row 2"),
        7: Result("FAILED", codes=("TAG_TAKEN",)),
    }
    assert [each.what for each in (await world.results(changed)).values()] == [
        "UNCHANGED", "UPDATED", "UPDATED", "UPDATED",
    ]  # fmt: skip
    assert await case(world, "a-1") == ("a-1", 1, "2026-01-31", "Smith v. Jones")
    assert await case(world, "a-2") == ("a-2", 1, "2026-02-01", "Appeal")
    assert await case(world, "trv-002") == ("trv-002", 1, None, "Opened")
    assert await case(world, "trv-001") == ("trv-001", 0, None, "trv-001@example.org")


FILES = {
    "add-users": ["jo@example.org,Jo,,,,smith-001", "al@example.org,,,,,"],
    "modify-users": ["jack-001,Jack,,en,,,", "jill-001,,,,UTC,,0"],
    "add-cases": ["a-1,,01/31/2026,x", "a-2,0,,y"],
    "modify-cases": ["trv-001,0,,x", "trv-003,,01/31/2026,"],
}


@pytest.mark.parametrize("type_", FILES)
async def test_a_file_uploaded_again_changes_nothing(world: EngineFixture, type_: str) -> None:
    """Rows that are in effect are unchanged."""
    await world.run(type_, *FILES[type_])
    before = await everything(world)
    again = await world.run(type_, *FILES[type_])

    assert (await world.counts(again)).unchanged == 2
    assert await everything(world) == before


@pytest.mark.parametrize("type_", FILES)
async def test_dry_run(world: EngineFixture, type_: str) -> None:
    """A dry run says what the real run will come to, and changes nothing."""
    before = await everything(world)
    rehearsal = await world.run(type_, *FILES[type_], is_dry_run=True)
    untouched = await everything(world)
    real = await world.run(type_, *FILES[type_])

    assert untouched == before
    assert await world.results(rehearsal) == await world.results(real)
    assert (await world.counts(real)).unchanged == 0


async def test_retry(world: EngineFixture) -> None:
    """A corrected row is applied; one in conflict with a row that passed still fails."""
    import_id = await world.run(
        "add-users", "jo@example.org,,,,,a", "jo@example.org,Jo,,,,", "jack-001@example.org,x,,,,"
    )
    await world.retry(import_id)
    same = await world.results(import_id)
    await world.retry(import_id, {4: {"username": "new@example.org"}})
    modified = await world.run("modify-users", "jack-001,a,,,,,", "jack-001,b,,,,,")
    await world.retry(modified)

    assert [same[row].codes for row in (3, 4)] == [("EMAIL_TAKEN",)] * 2
    assert (await world.results(import_id))[4] == Result("CREATED")
    assert (await world.results(modified))[3].codes == ("CONFLICTS_WITH_ROW",)


def random_rows(type_: str, rng: random.Random, world: EngineFixture) -> list[str]:
    """Write rows about few things, so that many repeat or contradict others."""

    def row() -> str:
        name, tag = rng.choice(["", "x", "y"]), rng.choice(["", *"abcd", "jack-001", "jill-001"])
        emails = ["a@x.org", "A@x.org", "b@x.org", "c@x.org", "jack-001@example.org", "bad"]
        users = [*world.users, *map(world.user_id, world.users), "untagged"]
        cases = [*world.cases, *map(world.case_id, world.cases)]
        return {
            "add-users": f"{rng.choice(emails)},{name},,,,{tag}",
            "modify-users": f"{rng.choice(users)},{name},,,,{tag},",
            "add-cases": f"{tag},,,{name}",
            "modify-cases": f"{rng.choice(cases)},{rng.choice(['', '0', '1'])},,{name}",
        }[type_]

    return [row() for _ in range(40)]


@pytest.mark.parametrize("type_", FILES)
@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_chunks(world: EngineFixture, type_: str, seed: int) -> None:
    """Chunks of any size, run in any order, come to what one chunk of all rows comes to."""
    rng = random.Random(seed)
    await world.execute("UPDATE users SET tag_id = NULL WHERE tag_id IN ('gone-001', 'jones-001')")
    rows = random_rows(type_, rng, world)
    before = await _snapshot(world)
    whole = await world.run(type_, *rows)
    expected = (await world.results(whole), await world.errors(whole), await everything(world))
    await _restore(world, before)
    small = world.with_engine(chunk_rows=rng.choice([1, 3, 7]))
    import_id = await small.upload(type_, *rows)
    await small.queue.enqueue_split(import_id)
    await small.drain(rng)

    assert (
        await world.results(import_id), await world.errors(import_id), await everything(world)
    ) == expected  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_rows_that_are_tied_in_turn(small: EngineFixture, seed: int) -> None:
    """A row that meets one by its address and another by its Tag ID takes both along, so that it
    still comes second."""
    import_id = await small.upload(
        "add-users",
        "a@x.org,,,,,t-1",
        "a@x.org,,,,,t-2",
        "b@x.org,,,,,",
        "c@x.org,,,,,t-2",
        "d@x.org,,,,,",
    )
    await small.queue.enqueue_split(import_id)
    await small.drain(random.Random(seed))

    assert {row: result.codes for row, result in (await small.results(import_id)).items()} == {
        2: (),
        3: ("EMAIL_TAKEN",),
        4: (),
        5: (),
        6: (),
    }


async def _snapshot(world: EngineFixture) -> tuple[list[Any], list[Any]]:
    return (
        await world.fetch("SELECT * FROM users ORDER BY id"),
        await world.fetch("SELECT * FROM cases ORDER BY id"),
    )


async def _restore(world: EngineFixture, before: tuple[list[Any], list[Any]]) -> None:
    for table, rows in zip(("users", "cases"), before, strict=True):
        await world.execute(f"DELETE FROM {table}")
        for row in rows:
            places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
            await world.execute(
                f"INSERT INTO {table} ({', '.join(row.keys())}) VALUES ({places})", *row.values()
            )


@pytest.mark.parametrize("type_", FILES)
async def test_imports_at_the_same_time(world: EngineFixture, type_: str) -> None:
    """Two imports of the same rows in opposite order both end; each row is applied by one."""
    rows = {
        "add-users": [f"u{n}@example.org,,,,,u-{n}" for n in range(300)],
        "modify-users": [f"{tag},New,,,,," for tag in world.users],
        "add-cases": [f"c-{n},,,x" for n in range(300)],
        "modify-cases": [f"{tag},,,x" for tag in world.cases],
    }[type_]
    ids = [await world.split(type_, *rows), await world.split(type_, *reversed(rows))]
    await asyncio.gather(*map(world.engine.run, ids))
    first, second = [await world.counts(import_id) for import_id in ids]

    assert {first.status, second.status} == {"PROCESSED"}
    assert first.failed == second.failed == 0
    assert first.unchanged + second.unchanged == len(rows)


@pytest.mark.parametrize("type_", FILES)
async def test_statements_do_not_grow_with_rows(
    world: EngineFixture, type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred rows take as many statements as two."""
    counted: list[str] = []
    fetch, execute = Connection.fetch, Connection.execute

    async def counting_fetch(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        counted.append(query)
        return await fetch(self, query, *arguments, **options)

    async def counting_execute(
        self: Connection, query: str, *arguments: Any, **options: Any
    ) -> Any:
        counted.append(query)
        return await execute(self, query, *arguments, **options)

    monkeypatch.setattr(Connection, "fetch", counting_fetch)
    monkeypatch.setattr(Connection, "execute", counting_execute)
    await world.run("add-users", *[f"v{n}@example.org,,,,,v-{n}" for n in range(100)])
    await world.run("add-cases", *[f"d-{n},,,x" for n in range(100)])
    many = {
        "add-users": [f"w{n}@example.org,,,,,w-{n}" for n in range(100)],
        "modify-users": [f"v-{n},New,,,,," for n in range(100)],
        "add-cases": [f"e-{n},,,x" for n in range(100)],
        "modify-cases": [f"d-{n},0,,y" for n in range(100)],
    }[type_]
    few, lots = await world.split(type_, *many[:2]), await world.split(type_, *many[2:])
    counts = []
    for import_id in (few, lots):
        counted.clear()
        await world.engine.run(import_id)
        counts.append(len(counted))

    assert (await world.counts(lots)).unchanged == 0
    assert 5 < counts[0] == counts[1]


async def test_samples_pass_on_the_demo_data(world: EngineFixture) -> None:
    """Every type's sample file passes as it is."""
    await world.execute("UPDATE apps SET slug = 'other'")
    app = await create_demo()
    uploaded = {key: each for key, each in world.engine.importers.items() if key != UNDO}
    for type_, importer in uploaded.items():
        import_id = await replace(world, app_id=app.id).run(
            type_, data=sample_csv(importer).encode()
        )

        assert (await world.counts(import_id)).passed == 1, await world.errors(import_id)


async def test_a_tag_id_that_another_row_gives(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that names a user by a Tag ID which another row gives is run with that row, whatever
    lies between them: it fails as it would in one chunk."""
    monkeypatch.setattr("importers.split.split.MOST", 0)
    await world.execute("INSERT INTO users (app_id, email) VALUES ($1, 'x@x.org')", world.app_id)
    (key,) = await world.fetchrow("SELECT id FROM users WHERE email = 'x@x.org'")
    small = world.with_engine(chunk_rows=2)
    import_id = await small.upload(
        "modify-users",
        f"{encode_node_id('User', key)},,,,,fresh-1,",
        "jack-001,Jack,,,,,",
        "jones-001,Jones,,,,jones-001,",
        "fresh-1,Jo,,,,,",
    )
    await small.queue.enqueue_split(import_id)
    await small.drain(random.Random(3))

    assert await small.results(import_id) == {
        2: Result("UPDATED"),
        3: Result("UPDATED"),
        4: Result("UPDATED"),
        5: Result("FAILED", codes=("NOT_FOUND",)),
    }
