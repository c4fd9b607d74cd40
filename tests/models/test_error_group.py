"""Groups of failed rows: what is counted together, in which order, and as which ranges."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest

from models import error_group
from models.app import App, create_app
from models.db import connection, database, transaction
from models.error_group import group_errors, groups_sql
from models.imports import ImportStatus
from models.row import RowResult, RowStatus, write_rows
from tests.api.api_fixture import add_import, sql

Group = tuple[str | None, str, str | None, int, list[str]]


def error(code: str, column: str | None = None, value: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": f"{code}!", "column": column, "value": value}


async def add_failed(app: App, rows: dict[int, list[dict[str, Any]]], name: str = "May") -> int:
    """Add a finished import with failed rows, by their numbers."""
    counters = {"total": len(rows), "failed": len(rows), "finished_at": await sql("fetchval",
                "SELECT now()")}  # fmt: skip
    key = await add_import(app, name, ImportStatus.FAILED, **counters)
    results = [RowResult(number, b'["x"]', RowStatus.FAILED, errors=errors)
               for number, errors in rows.items()]  # fmt: skip
    async with transaction() as db:
        await write_rows(db, app.id, key, results)
    return key


async def stored(app: App, key: int) -> list[Group]:
    async with transaction() as db:
        await group_errors(db, app.id, key)
    rows = await sql(
        "fetch",
        "SELECT error ->> 'column', error ->> 'code', error ->> 'value', count, rows, first_row"
        " FROM error_groups WHERE id >> 32 = $1 ORDER BY id",
        key,
    )
    assert all(row["rows"][0].partition("-")[0] == str(row["first_row"]) for row in rows)
    return [tuple(row)[:5] for row in rows]


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[App]:
    """An app in an open database."""
    async with database(database_url):
        yield await create_app("one", "One")


async def test_largest_first(app: App) -> None:
    """Rows are together by column, code and value; of groups as large, the earlier comes first."""
    a, b = error("NOT_FOUND", "case_id", "a"), error("NOT_FOUND", "case_id", "b")
    rows = {2: [b], 3: [error("CASE_CLOSED", "case_id", "a")], 4: [a], 5: [a], 7: [a],
            8: [error("NOT_FOUND", "user_id", "a")]}  # fmt: skip

    assert await stored(app, await add_failed(app, rows)) == [
        ("case_id", "NOT_FOUND", "a", 3, ["4-5", "7"]),
        ("case_id", "NOT_FOUND", "b", 1, ["2"]),
        ("case_id", "CASE_CLOSED", "a", 1, ["3"]),
        ("user_id", "NOT_FOUND", "a", 1, ["8"]),
    ]


async def test_what_is_only_not_applied_last(app: App) -> None:
    """What is wrong comes before the many rows of an atomic import that nothing is wrong with."""
    right = [error("NOT_APPLIED")]
    key = await add_failed(app, {2: right, 3: right, 4: [error("NOT_FOUND", "case_id", "x")]})

    assert await stored(app, key) == [
        ("case_id", "NOT_FOUND", "x", 1, ["4"]),
        (None, "NOT_APPLIED", None, 2, ["2-3"]),
    ]


async def test_rows_with_several_errors(app: App) -> None:
    """A row is in the group of each of its errors, and once where two of them are alike."""
    one, other = error("A", "x", "1"), error("B")
    rows = {2: [one, other, {**one, "message": "again"}], 3: [one, other], 4: [other]}

    assert await stored(app, await add_failed(app, rows)) == [
        (None, "B", None, 3, ["2-4"]),
        ("x", "A", "1", 2, ["2-3"]),
    ]


async def test_what_is_missing_is_no_text(app: App) -> None:
    """Nothing, an empty text and texts that look alike when joined are told apart."""
    rows = {2: [error("A", "b", None)], 3: [error("A", None, "b")], 4: [error("A", "b", "")]}

    assert len(await stored(app, await add_failed(app, rows))) == 3


async def test_ranges(app: App) -> None:
    """Twenty ranges are told, the first ones; the count is of all rows."""
    rows = {number: [error("A")] for number in [2, 3, 4, *range(6, 106, 2)]}

    [(_, _, _, count, ranges)] = await stored(app, await add_failed(app, rows))

    assert count == 53
    assert ranges == ["2-4", *map(str, range(6, 44, 2))]


async def test_most_groups(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many groups, the largest are kept."""
    monkeypatch.setattr(error_group, "MOST_GROUPS", 2)
    values = {2: "a", 3: "b", 4: "c", 5: "c"}
    rows = {number: [error("A", "x", value)] for number, value in values.items()}

    assert [group[2] for group in await stored(app, await add_failed(app, rows))] == ["c", "a"]


async def test_the_first_rows(app: App) -> None:
    """Of a running import, only its first failed rows are grouped."""
    key = await add_failed(app, {number: [error("A")] for number in range(2, 12)})
    async with connection() as db:
        [row] = await db.fetch(groups_sql(app.id, key, 4))

    assert (row["count"], row["rows"]) == (4, ["2-5"])


async def test_only_the_import_and_the_app(app: App) -> None:
    """Rows of other imports and of other apps are in no group."""
    other = await create_app("two", "Two")
    keys = [await add_failed(app, {2: [error("A")]}, name) for name in ("May", "June")]

    assert [group[3] for group in await stored(app, keys[0])] == [1]
    assert await stored(other, keys[1]) == []


async def test_made_once(app: App) -> None:
    """Groups hold until the import ends again; then they are made of the rows as they are."""
    key = await add_failed(app, {2: [error("A")], 3: [error("B")]})
    before = await stored(app, key)
    await sql("execute", "UPDATE import_rows SET status = 1, errors = NULL"
              " WHERE id = ($1::bigint << 32) + 3", key)  # fmt: skip

    assert await stored(app, key) == before
    await sql("execute", "UPDATE imports SET finished_at = now() + interval '1 second'")
    assert await stored(app, key) == before[:1]


async def test_not_before_the_end(app: App) -> None:
    """An import that runs has no groups that are stored."""
    key = await add_failed(app, {2: [error("A")]})
    await sql("execute", "UPDATE imports SET finished_at = NULL")

    assert await stored(app, key) == []


@pytest.mark.parametrize("seed", range(8))
async def test_any_rows(app: App, seed: int) -> None:
    """Whatever fails, groups are as a loop over all rows would make them."""
    rng = random.Random(seed)
    errors = [error(code, column, value) for code in "AB" for column in ("x", None)
              for value in ("1", "2", None)]  # fmt: skip
    numbers = sorted(rng.sample(range(2, 90), 60))
    rows = {number: rng.sample(errors, rng.randint(1, 3)) for number in numbers}
    wanted: dict[tuple[str | None, str, str | None], list[int]] = defaultdict(list)
    for number in numbers:
        for each in rows[number]:
            wanted[each["column"], each["code"], each["value"]].append(number)

    found = await stored(app, await add_failed(app, rows))

    assert [count for *_, count, _ in found] == sorted(map(len, wanted.values()), reverse=True)
    for column, code, value, count, ranges in found:
        told = [number for each in ranges for number in spelled_out(each)]
        assert told == wanted[column, code, value][: len(told)]
        assert count == len(wanted[column, code, value])
        assert len(told) == count or len(ranges) == 20


def spelled_out(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
