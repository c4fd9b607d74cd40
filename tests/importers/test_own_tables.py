"""Tables that plugins declare: files change them by the rules of all changes, undo and all."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from importers.retention import purge_own_tables
from models import own_records
from models.database_url import credentials
from models.db import connection
from models.plugin_tables import make_tables
from tests.importers.engine_fixture import EngineFixture, Result, make_world
from tests.importers.own_tables import HEADER, Rate, Rates

TABLE = Rate._declaration.own_table


@pytest.fixture
async def rates(small: EngineFixture) -> EngineFixture:
    """The world with an importer whose table is there, and empty."""
    async with connection() as db:
        assert await make_tables(db, [TABLE]) == []
        await db.execute("DELETE FROM kit_rates")
    return small.with_engine(rates=Rates("rates"))


async def stored(world: EngineFixture) -> dict[tuple[str, str], tuple[Any, ...]]:
    rows = await world.fetch(
        "SELECT c.tag_id, code, amount::text, since::text, is_net, u.tag_id FROM kit_rates r"
        " JOIN cases c ON c.id = case_id LEFT JOIN users u ON u.id = payer_id"
        " WHERE r.app_id = $1 ORDER BY 1, 2",
        world.app_id,
    )
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


async def run(world: EngineFixture, *rows: str, **options: Any) -> int:
    return await world.run("rates", *rows, header=HEADER, **options)


async def whats(world: EngineFixture, import_id: int) -> list[str]:
    results = await world.results(import_id)
    return [results[number].what for number in sorted(results)]


async def test_all_kinds(rates: EngineFixture) -> None:
    """Records are created, changed and removed; what is so already is unchanged."""
    first = await run(rates, ",trv-001,A,185.50,01/31/2026,jack-001", "add,trv-001,B,9,,")
    assert await whats(rates, first) == ["CREATED", "CREATED"]
    assert await stored(rates) == {
        ("trv-001", "A"): ("185.50", "2026-01-31", False, "jack-001"),
        ("trv-001", "B"): ("9", None, False, None),
    }

    second = await run(
        rates,
        "set,trv-001,A,185.5,01/31/2026,jack-001",
        "add,trv-001,B,9,,",
        "add,trv-003,B,1,,",
        "modify,trv-003,C,1,,",
        "remove,trv-003,D,,,",
    )
    assert await rates.results(second) == {
        2: Result("UNCHANGED"),
        3: Result("UNCHANGED"),
        4: Result("CREATED"),
        5: Result("FAILED", None, ("RECORD_MISSING",)),
        6: Result("UNCHANGED", "was not there"),
    }

    third = await run(
        rates,
        "add,trv-001,B,10,,",
        "modify,trv-001,A,7,,",
        "remove,trv-003,B,,,",
        "set,trv-004,A,1,,",
    )
    assert await whats(rates, third) == ["FAILED", "UPDATED", "REMOVED", "CREATED"]
    assert await stored(rates) == {
        ("trv-001", "A"): ("7", "2026-01-31", False, "jack-001"),
        ("trv-001", "B"): ("9", None, False, None),
        ("trv-004", "A"): ("1", None, False, None),
    }


async def test_undo_and_undo_of_undo(rates: EngineFixture) -> None:
    """An undo gives back what was there, and its undo does it all once more."""
    await run(rates, ",trv-001,A,1,01/31/2026,jack-001", ",trv-001,B,2,,", ",trv-003,A,3,,")
    before = await stored(rates)
    done = await run(
        rates, "set,trv-001,A,10,,", "remove,trv-001,B,,,", "add,trv-004,A,4,,", ",trv-003,A,3,,"
    )
    after = await stored(rates)
    assert before != after

    undone = await rates.undo(done)

    assert sorted(await whats(rates, undone)) == ["CREATED", "REMOVED", "UPDATED"]
    assert await stored(rates) == before
    again = await rates.undo(undone)
    assert sorted(await whats(rates, again)) == ["CREATED", "REMOVED", "UPDATED"]
    assert await stored(rates) == after


async def test_changed_since(rates: EngineFixture) -> None:
    """What another import has changed since stays, and the row of the undo names that import."""
    done = await run(rates, ",trv-001,A,1,,", ",trv-001,B,2,,", ",trv-003,A,3,,")
    await run(rates, "modify,trv-001,A,5,,", "remove,trv-001,B,,,", name="Second")

    undone = await rates.undo(done)

    assert sorted(await whats(rates, undone)) == ["FAILED", "REMOVED", "UNCHANGED"]
    [[error]] = (await rates.errors(undone)).values()
    assert error["code"] == "CHANGED_SINCE"
    assert error["message"].startswith(
        "The rate has been changed since, by row 2 of the import 'Second' at "
    )
    assert await stored(rates) == {("trv-001", "A"): ("5", None, False, None)}


async def test_plan_of_an_undo(rates: EngineFixture) -> None:
    """A dry run of an undo says what would become of it, and is applied as it was."""
    done = await run(rates, ",trv-001,A,1,,", ",trv-003,A,3,,")
    plan = await rates.undo(done, is_dry_run=True)
    assert len(await stored(rates)) == 2
    await run(rates, "modify,trv-003,A,9,,")

    applied = await rates.apply_plan(plan)

    assert sorted(await whats(rates, applied)) == ["FAILED", "REMOVED"]
    assert list(await stored(rates)) == [("trv-003", "A")]


async def test_plan(rates: EngineFixture) -> None:
    """A dry run keeps nothing; applied, a row that would do something else is refused."""
    await run(rates, ",trv-001,A,1,,", ",trv-001,B,1,,")
    plan = await run(rates, ",trv-001,A,2,,", ",trv-001,B,2,,", ",trv-003,A,2,,", is_dry_run=True)
    assert await whats(rates, plan) == ["UPDATED", "UPDATED", "CREATED"]
    await run(rates, ",trv-001,B,3,,", name="Between")

    applied = await rates.apply_plan(plan)

    assert await whats(rates, applied) == ["UPDATED", "FAILED", "CREATED"]
    [[error]] = (await rates.errors(applied)).values()
    assert error["code"] == "CHANGED_SINCE"
    assert "The rate has been changed since, by row 2 of the import 'Between'" in error["message"]
    amounts = {key: values[0] for key, values in (await stored(rates)).items()}
    assert amounts == {("trv-001", "A"): "2", ("trv-001", "B"): "3", ("trv-003", "A"): "2"}


async def test_rows_about_one_record(rates: EngineFixture) -> None:
    """A repeat is unchanged, a contradiction fails, by the rules of all changes."""
    done = await run(rates, ",trv-001,A,1,,", ",trv-001,A,1.0,,", ",trv-001,A,2,,")

    assert await rates.results(done) == {
        2: Result("CREATED"),
        3: Result("UNCHANGED", "repeats row 2"),
        4: Result("FAILED", None, ("CONFLICTS_WITH_ROW",)),
    }


async def test_what_a_retry_has_changed(rates: EngineFixture) -> None:
    """A record that an import has changed twice gets back what it had before the first change."""
    await run(rates, ",trv-001,A,1,,")
    done = await run(rates, ",trv-001,A,2,,", ",nowhere,A,3,,")
    await rates.retry(done, {3: {"case_id": "trv-001"}})
    assert (await stored(rates))["trv-001", "A"][0] == "3"

    undone = await rates.undo(done)

    assert await whats(rates, undone) == ["UPDATED"]
    assert (await stored(rates))["trv-001", "A"][0] == "1"


async def test_two_apps(rates: EngineFixture) -> None:
    """Nothing of another app is seen, changed or removed, under the same key."""
    await run(rates, ",trv-001,A,1,,")
    mine = await stored(rates)
    other = (await make_world(chunk_rows=3, slug="other")).with_engine(rates=Rates("rates"))

    done = await run(other, "add,trv-001,A,2,,", "remove,trv-003,A,,,")
    assert await whats(other, done) == ["CREATED", "UNCHANGED"]
    await other.undo(done)

    assert await stored(rates) == mine
    assert await stored(other) == {}


async def test_history(rates: EngineFixture) -> None:
    """Each change is kept with its import and row, the record's name, and both sides."""
    done = await run(rates, ",trv-001,A,1.50,,")
    later = await run(rates, ",trv-001,A,2,,")

    rows = await rates.fetch(
        "SELECT import_id, row, case_id, before::text, after::text, record, kind"
        " FROM entity_history ORDER BY id"
    )
    case = rates.cases["trv-001"]
    name = f'tests.importers.own_tables [["rate",{case},"A"]]'
    kind = "tests.importers.own_tables:Rate"
    first, second = map(tuple, rows)
    assert first == (
        done, 2, case, None, '{"code":"A","amount":"1.50","is_net":false}', name, kind
    )  # fmt: skip
    assert second == (
        later, 2, case, '{"code":"A","amount":"1.50"}', '{"code":"A","amount":"2"}', name, kind
    )  # fmt: skip


async def test_retention(rates: EngineFixture) -> None:
    """Records go when their last change is long enough ago, if the table says so."""
    for_days = TABLE._replace(keep_days=30)
    as_imports = TABLE._replace(keep_days="imports")
    async with connection() as db:
        await make_tables(db, [for_days])
    await run(rates, ",trv-001,A,1,,", ",trv-001,B,1,,", ",trv-003,A,1,,")
    await rates.execute("UPDATE kit_rates SET changed_at = now() - interval '31 days'")

    await purge_own_tables([TABLE, as_imports], 0)
    await purge_own_tables([as_imports], 40)
    assert len(await stored(rates)) == 3
    await rates.execute("UPDATE kit_rates SET changed_at = now() WHERE code = 'B'")
    await purge_own_tables([for_days], 0)
    assert list(await stored(rates)) == [("trv-001", "B")]
    await rates.execute("UPDATE kit_rates SET changed_at = now() - interval '41 days'")
    await purge_own_tables([as_imports], 40)
    assert await stored(rates) == {}
    await rates.execute("ALTER TABLE kit_rates DROP COLUMN changed_at")


async def test_a_competing_import(
    rates: EngineFixture, module_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that another transaction creates between look and write is looked at again."""
    other = await asyncpg.connect(**credentials(module_database_url))
    looks: list[int] = []
    look = own_records.lock_records

    async def overtaken(db: Any, app_id: int, *rest: Any) -> Any:
        found = await look(db, app_id, *rest)
        if not looks:
            insert = "INSERT INTO kit_rates VALUES ($1, $2, 'A', 9)"
            await other.execute(insert, app_id, rates.cases["trv-001"])
        looks.append(len(found))
        return found

    monkeypatch.setattr(own_records, "lock_records", overtaken)
    done = await run(rates, ",trv-001,A,1,,", ",trv-003,A,1,,")
    await other.close()

    assert await whats(rates, done) == ["UPDATED", "CREATED"]
    assert looks == [0, 1]
    assert (await stored(rates))["trv-001", "A"][0] == "1"


async def test_all_kinds_lock_at_once(
    rates: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are locked in the order of their keys, whatever is asked of them."""
    locked: list[list[Any]] = []
    look = own_records.lock_records

    async def noted(db: Any, app_id: int, table: Any, keys: Any) -> Any:
        locked.append(keys)
        return await look(db, app_id, table, keys)

    monkeypatch.setattr(own_records, "lock_records", noted)
    await run(rates, "set,trv-001,A,1,,", "add,trv-001,B,1,,", "remove,trv-001,C,,,")

    assert [len(keys) for keys in locked] == [3]


async def test_two_imports_over_the_same_records(rates: EngineFixture) -> None:
    """In opposite orders, they both end, and each change begins where the one before has ended."""
    codes = [(case, code) for case in ("trv-001", "trv-003", "trv-004") for code in "ABC"]
    imports = [
        await rates.split("rates", *[f",{case},{code},{amount},," for case, code in order],
                          header=HEADER)
        for amount, order in ((1, codes), (2, codes[::-1]))
    ]  # fmt: skip
    await asyncio.gather(*[rates.persevere(import_id) for import_id in imports * 2])

    counts = [await rates.counts(import_id) for import_id in imports]
    assert sum(count.created for count in counts) == sum(count.updated for count in counts) == 9
    rows = await rates.fetch("SELECT before ->> 'amount' FROM entity_history ORDER BY record, id")
    firsts, seconds = [row[0] for row in rows[::2]], [row[0] for row in rows[1::2]]
    assert firsts == [None] * 9
    assert set(seconds) <= {"1", "2"}
