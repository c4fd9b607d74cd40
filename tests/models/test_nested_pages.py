"""The same page of the lists of many parents, read column by column."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import accumulate
from typing import Any

import asyncpg
import pytest

from models.database_url import credentials
from models.list_query import Condition, Listing, Window
from models.nested_pages import fetch_nested_pages
from models.page import fetch_pages

# Numbers by their hundreds: 101 to 104 belong to 1, 201 and 202 to 2, none to 3, and 401 to 4.
LISTING = Listing(name="number", table="numbers", parent="t.parent = {}")
FALLING = replace(LISTING, name="falling", is_descending=True)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Any]:
    """A table of numbers with their words, in no order, and those of another app."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        """
        CREATE TEMPORARY TABLE numbers AS
          SELECT id::bigint, 1::bigint AS app_id, id / 100 AS parent, nullif('no ' || id, 'no 102')
            AS word FROM unnest(ARRAY[202, 103, 401, 101, 104, 201, 102]) AS id
          UNION ALL SELECT 105, 2, 1, 'hidden'
        """
    )
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("listing", "parents", "window", "expected"),
    [
        (
            LISTING,
            [1, 2, 3, 4],
            Window(4),
            [([101, 102, 103, 104], False), ([201, 202], False), ([], False), ([401], False)],
        ),
        (
            LISTING,
            [4, 3, 1],
            Window(4),
            [([401], False), ([], False), ([101, 102, 103, 104], False)],
        ),
        (LISTING, [2, 4, 2], Window(4), [([201, 202], False), ([401], False), ([201, 202], False)]),
        (LISTING, [1, 2], Window(2), [([101, 102], True), ([201, 202], False)]),
        (LISTING, [1, 2], Window(1, is_backward=True), [([104], True), ([202], True)]),
        (
            LISTING,
            [1, 2],
            Window(2, after=101, before=104, is_backward=True),
            [([102, 103], False), ([], False)],
        ),
        (LISTING, [1, 4], Window(0), [([], True), ([], True)]),
        (LISTING, [3, 5], Window(2), [([], False), ([], False)]),
        (FALLING, [1, 2], Window(3), [([104, 103, 102], True), ([202, 201], False)]),
        (FALLING, [2, 1], Window(1, is_backward=True), [([201], True), ([101], True)]),
    ],
)
async def test_pages(
    db: Any,
    listing: Listing,
    parents: list[int],
    window: Window,
    expected: list[tuple[list[int], bool]],
) -> None:
    """Pages are those that are read row by row, in the order of the parents."""
    found = await fetch_nested_pages(
        db, 1, listing, parents, (), window=window, columns=["id", "word"]
    )
    by_row = await fetch_pages(db, 1, listing, sorted(set(parents)), (), window=window)

    rows = list(zip(*(found.columns[name] for name in ("id", "word", "page_key")), strict=True))
    ends = accumulate(found.lengths)
    pages = [rows[end - length : end] for end, length in zip(ends, found.lengths, strict=True)]
    keys = [[key for key, _, _ in page] for page in pages]
    assert list(zip(keys, found.has_more, strict=True)) == expected
    assert pages == [
        [(row["id"], row["word"], row["page_key"]) for row in by_row[parent].rows]
        for parent in parents
    ]
    assert found.has_more == [by_row[parent].has_more for parent in parents]


async def test_conditions(db: Any) -> None:
    """Conditions hold for the rows of each list, and no columns may be asked for."""
    even = Condition("t.id % {} = 0", 2)

    found = await fetch_nested_pages(db, 1, LISTING, [1, 2], [even], window=Window(4), columns=())

    assert found.columns["page_key"] == [102, 104, 202]
    assert found.lengths == [2, 1]
