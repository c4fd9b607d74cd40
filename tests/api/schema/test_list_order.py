"""Lists in other orders, and what of them has changed since a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.list_query import Condition, Listing, Window
from models.listing import CASES, IMPORTS, USERS, in_order, is_active
from models.page import fetch_pages
from tests.api.api_fixture import Api, add_cases, add_import, add_users, node_id, sql

FIELDS = ["cases", "users", "imports"]
ORDERS = ["CREATED_AT_ASC", "CREATED_AT_DESC", "UPDATED_AT_ASC", "UPDATED_AT_DESC"]
COLUMNS = {"cases": "updated_at", "users": "updated_at", "imports": "changed_at"}
START = datetime(2026, 2, 3, 14, 30, 0, 123457, tzinfo=UTC)
# When each of seven is changed, in seconds: not in the order in which they came, some together.
CHANGES = [3, 0, 3, 9, 3, 1, 0]
QUERY = """
query ($first: Int, $after: String, $last: Int, $before: String, $order: ListOrder,
       $since: DateTime, $search: String) {
  %s(first: $first, after: $after, last: $last, before: $before, orderBy: $order,
     updatedSince: $since, search: $search) {
    totalCount edges { node { id updatedAt } }
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
  }
}
"""


async def fill(api: Api, field: str) -> list[str]:
    """Add seven of what a list lists, changed at different times, and return their IDs."""
    app, other = api.world.app, api.world.other
    if field == "imports":
        await add_import(other, "theirs")
        keys = [await add_import(app, f"Import {number}") for number in range(7)]
    else:
        add = {"cases": add_cases, "users": add_users}[field]
        await add(other, 2)
        keys = await add(app, 7)
    await sql(
        "execute",
        f"UPDATE {field} t SET {COLUMNS[field]} = $1::timestamptz + n.seconds * interval '1 s'"
        " FROM unnest($2::bigint[], $3::int[]) AS n(id, seconds) WHERE t.id = n.id",
        START,
        keys,
        CHANGES,
    )
    return [node_id(field.capitalize()[:-1], key) for key in keys]


def sorted_ids(ids: list[str], order: str) -> list[str]:
    """Return the IDs as a list in this order has them."""
    numbers = list(range(7))
    if order.startswith("UPDATED"):
        numbers.sort(key=lambda number: (CHANGES[number], number))
    return [ids[number] for number in (reversed(numbers) if "DESC" in order else numbers)]


async def read(api: Api, field: str, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(QUERY % field, variables))[field]
    return found


def ids_of(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("field", FIELDS)
async def test_pages(api: Api, field: str, order: str) -> None:
    """In each order, paging either way meets everything once; what changed together, too."""
    wanted = sorted_ids(await fill(api, field), order)
    forwards, page = [], await read(api, field, order=order, first=2)
    forwards.append(ids_of(page))
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = await read(api, field, order=order, first=2, after=after)
        forwards.append(ids_of(page))
        assert page["pageInfo"]["hasPreviousPage"]
    backwards, page = [], await read(api, field, order=order, last=3)
    backwards.append(ids_of(page))
    while page["pageInfo"]["hasPreviousPage"]:
        before = page["pageInfo"]["startCursor"]
        page = await read(api, field, order=order, last=3, before=before)
        backwards.append(ids_of(page))
        assert page["pageInfo"]["hasNextPage"]

    assert forwards == [wanted[:2], wanted[2:4], wanted[4:6], wanted[6:]]
    assert backwards == [wanted[4:], wanted[1:4], wanted[:1]]
    assert page["totalCount"] == 7


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("field", FIELDS)
async def test_search(api: Api, field: str, order: str) -> None:
    """A search, of a common word or of a rare one, keeps the order, the time and the page."""
    words = {"cases": "about", "users": "name", "imports": "may"}
    ids = await fill(api, field)
    rare = {"cases": "about 4", "users": "name4", "imports": "import 3"}[field]
    since = (START + timedelta(seconds=1)).isoformat()
    wanted = [each for each in sorted_ids(ids, order) if each not in (ids[1], ids[6])]
    options = {"order": order, "since": since, "search": words[field]}

    first = await read(api, field, **options, first=2)
    after = first["pageInfo"]["endCursor"]
    second = await read(api, field, **options, first=2, after=after)
    last = await read(api, field, **options, last=2)
    found = await read(api, field, order=order, search=rare)

    assert (ids_of(first), ids_of(second), ids_of(last)) == (wanted[:2], wanted[2:4], wanted[3:])
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (5, True)
    assert ids_of(found) == [ids[3]]


@pytest.mark.parametrize("few", [1_000, 3], ids=["few", "many"])
@pytest.mark.parametrize("field", FIELDS)
async def test_updated_since(
    api: Api, monkeypatch: pytest.MonkeyPatch, field: str, few: int
) -> None:
    """What changed at a time or later comes in the order of changes, or in the one asked for."""
    monkeypatch.setattr("models.listing._FEW", few)
    ids = await fill(api, field)
    since = (START + timedelta(seconds=3)).isoformat()
    later = (START + timedelta(seconds=3, microseconds=1)).astimezone(UTC).isoformat()

    found = await read(api, field, since=since, first=3)
    others = await read(api, field, since=since, order="CREATED_AT_DESC")

    assert (ids_of(found), found["totalCount"]) == ([ids[0], ids[2], ids[4]], 4)
    assert ids_of(others) == [ids[4], ids[3], ids[2], ids[0]]
    assert ids_of(await read(api, field, since=later)) == [ids[3]]
    assert datetime.fromisoformat(found["edges"][0]["node"]["updatedAt"]) == datetime.fromisoformat(
        since
    )


async def test_following(api: Api) -> None:
    """A change while pages are read moves an object to the end of what follows: none is missed."""
    ids = await fill(api, "cases")
    page = await read(api, "cases", order="UPDATED_AT_ASC", first=3)
    await api.data(
        'mutation ($id: ID!) { updateCase(id: $id, input: {about: "new"}) { case { id } } }',
        {"id": ids[6]},
    )

    rest = await read(
        api, "cases", order="UPDATED_AT_ASC", after=page["pageInfo"]["endCursor"], first=100
    )

    assert ids_of(page) == [ids[1], ids[6], ids[5]]
    assert ids_of(rest) == [ids[0], ids[2], ids[4], ids[3], ids[6]]


@pytest.mark.parametrize("order", ORDERS[1:])
async def test_cursors_are_those_of_their_order(api: Api, order: str) -> None:
    """A cursor of one order is none of another; nor is one that holds no time."""
    await fill(api, "cases")
    page = await read(api, "cases", order=order, first=2)
    cursor = page["pageInfo"]["endCursor"]
    query = QUERY % "cases"

    for other in ORDERS:
        if other != order:
            assert await api.code(query, {"order": other, "after": cursor}) == "BAD_CURSOR"


@pytest.mark.parametrize(
    "place", ["7", "1,2,3", "1,", ",1", "-1,2", "1,x", f"1,{2**63}", f"{2**63},1", "1.5,2"]
)
async def test_bad_cursors(api: Api, place: str) -> None:
    """What has not the form of a place is refused, however large it is."""
    from base64 import urlsafe_b64encode

    cursor = urlsafe_b64encode(f"case-update-up:{place}".encode()).decode()
    far = urlsafe_b64encode(f"case-update-up:{2**62},{2**62}".encode()).decode()
    query = QUERY % "cases"

    assert await api.code(query, {"order": "UPDATED_AT_ASC", "after": cursor}) == "BAD_CURSOR"
    assert (await read(api, "cases", order="UPDATED_AT_ASC", after=far))["edges"] == []


@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("listing", [CASES, USERS, IMPORTS], ids=lambda listing: listing.name)
async def test_orders_use_their_indexes(
    api: Api, statements: list[str], listing: Listing, *, is_descending: bool
) -> None:
    """A page in the order of changes is read from the index, and nothing is sorted."""
    window = Window(10, after=(1_764_000_000_000_000, 7))
    by_update = in_order(listing, by_update=True, is_descending=is_descending)
    plan = await explain(api, statements, by_update, (), window)

    assert "Index Cond: ((app_id = " in plan
    assert "ROW(" in plan.partition("Index Cond")[2]
    assert "Sort" not in plan


@pytest.mark.parametrize("listing", [CASES, USERS], ids=lambda listing: listing.name)
async def test_orders_of_one_state_use_their_indexes(
    api: Api, statements: list[str], listing: Listing
) -> None:
    """Few that are not active are not looked for among all the others."""
    await {"cases": add_cases, "users": add_users}[listing.table](api.world.app, 500)
    await sql("execute", f"UPDATE {listing.table} SET is_active = false WHERE id % 100 = 7")
    await sql("execute", f"ANALYZE {listing.table}")
    by_update = in_order(listing, by_update=True, is_descending=True)
    plan = await explain(api, statements, by_update, [is_active(False)], Window(10))

    index = {"cases": "cases_closed_updated", "users": "users_disabled_updated"}[listing.table]
    assert index in plan
    assert "Sort" not in plan


async def explain(
    api: Api,
    statements: list[str],
    listing: Listing,
    conditions: Sequence[Condition],
    window: Window,
) -> str:
    """Return the plan of a page, for a table that is not small."""
    app = api.world.app
    async with api.server.services.pool.connection(app.id) as db:
        await fetch_pages(db, app.id, listing, [app.id], conditions, window=window)
        page = statements[-1]
        await db.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        places = [] if window.after is None else [window.after]
        plan = await db.fetch(f"EXPLAIN {page}", app.id, *places, window.size + 1)
        await db.execute("RESET enable_seqscan; RESET enable_bitmapscan")
    return "\n".join(row[0] for row in plan)
