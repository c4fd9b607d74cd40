"""Lists: pages forwards and backwards, search, filters, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest

from models.imports import ImportStatus
from models.list_facts import has_rows
from models.list_query import Listing, Window
from models.listing import CASES, IMPORTS, USERS, matches_search
from models.page import fetch_pages
from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql

PAGE_INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


async def page(api: Api, field: str, arguments: str, leaf: str = "id") -> dict[str, Any]:
    """Fetch one page of a root list."""
    selection = f"edges {{ cursor node {{ {leaf} }} }} {PAGE_INFO} totalCount"
    data = await api.data(f"{{ {field}{arguments} {{ {selection} }} }}")
    found: dict[str, Any] = data[field]
    return found


def ids(found: dict[str, Any], leaf: str = "id") -> list[Any]:
    """Return the nodes' values, in order."""
    return [edge["node"][leaf] for edge in found["edges"]]


async def walk(api: Api, field: str, size: int, leaf: str = "id") -> list[list[Any]]:
    """Page forwards to the end."""
    pages, arguments = [], f"(first: {size})"
    while True:
        found = await page(api, field, arguments, leaf)
        pages.append(ids(found, leaf))
        if not found["pageInfo"]["hasNextPage"]:
            return pages
        arguments = f'(first: {size}, after: "{found["pageInfo"]["endCursor"]}")'


async def walk_back(api: Api, field: str, size: int, leaf: str = "id") -> list[list[Any]]:
    """Page backwards to the beginning."""
    pages, arguments = [], f"(last: {size})"
    while True:
        found = await page(api, field, arguments, leaf)
        pages.append(ids(found, leaf))
        if not found["pageInfo"]["hasPreviousPage"]:
            return pages
        arguments = f'(last: {size}, before: "{found["pageInfo"]["startCursor"]}")'


async def fill(api: Api, field: str) -> list[str]:
    """Add seven of what a list lists, and return their IDs in the list's order."""
    app, other = api.world.app, api.world.other
    if field == "cases":
        await add_cases(other, 2)
        return [node_id("Case", key) for key in await add_cases(app, 7)]
    if field == "users":
        await add_users(other, 2)
        return [node_id("User", key) for key in await add_users(app, 7)]
    await add_import(other, "theirs")
    keys = [await add_import(app, f"Import {number}") for number in range(7)]
    return [node_id("Import", key) for key in reversed(keys)]


@pytest.mark.parametrize("field", ["cases", "users", "imports"])
async def test_pages_forwards(api: Api, field: str) -> None:
    """Paging forwards meets everything once, in order, and says when it is at the end."""
    wanted = await fill(api, field)

    assert [wanted[:3], wanted[3:6], wanted[6:]] == await walk(api, field, 3)
    assert [wanted] == await walk(api, field, 7)


@pytest.mark.parametrize("field", ["cases", "users", "imports"])
async def test_pages_backwards(api: Api, field: str) -> None:
    """Paging backwards meets everything once, each page in the list's own order."""
    wanted = await fill(api, field)

    assert [wanted[4:], wanted[1:4], wanted[:1]] == await walk_back(api, field, 3)
    assert [wanted] == await walk_back(api, field, 7)


@pytest.mark.parametrize(
    ("arguments", "nodes", "has_next", "has_previous"),
    [
        ("(first: 2)", slice(0, 2), True, False),
        ('(first: 2, after: "{1}")', slice(2, 4), True, True),
        ('(first: 9, after: "{4}")', slice(5, 7), False, True),
        ('(first: 9, after: "{6}")', slice(7, 7), False, True),
        ("(last: 2)", slice(5, 7), False, True),
        ('(last: 2, before: "{5}")', slice(3, 5), True, True),
        ('(last: 9, before: "{2}")', slice(0, 2), True, False),
        ('(first: 2, after: "{1}", before: "{5}")', slice(2, 4), True, True),
        ('(first: 9, before: "{3}")', slice(0, 3), True, False),
        ('(last: 2, after: "{1}")', slice(5, 7), False, True),
        ("(first: 0)", slice(0, 0), True, False),
        ("", slice(0, 7), False, False),
    ],
)
@pytest.mark.parametrize("field", ["cases", "imports"])
async def test_page_info(
    api: Api, field: str, *, arguments: str, nodes: slice, has_next: bool, has_previous: bool
) -> None:
    """A page is the right part of the list, and knows on which sides the list goes on."""
    wanted = await fill(api, field)
    cursors = [edge["cursor"] for edge in (await page(api, field, ""))["edges"]]

    for number, cursor in enumerate(cursors):
        arguments = arguments.replace(f"{{{number}}}", cursor)
    found = await page(api, field, arguments)

    assert wanted[nodes] == ids(found)
    assert (has_next, has_previous) == (
        found["pageInfo"]["hasNextPage"],
        found["pageInfo"]["hasPreviousPage"],
    )
    assert len(wanted) == found["totalCount"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("(first: 1, last: 1)", "BAD_PAGE"),
        ("(first: -1)", "BAD_PAGE"),
        ("(last: -1)", "BAD_PAGE"),
        ("(first: 101)", "BAD_PAGE"),
        ("(last: 101)", "BAD_PAGE"),
        ('(after: "nonsense")', "BAD_CURSOR"),
        ('(after: "")', "BAD_CURSOR"),
        ('(before: "Y2FzZTo=")', "BAD_CURSOR"),
        ('(before: "Y2FzZTotMQ==")', "BAD_CURSOR"),
        ('(before: "Y2FzZTo5OTk5OTk5OTk5OTk5OTk5OTk5")', "BAD_CURSOR"),
        ('(after: "dXNlcjox")', "BAD_CURSOR"),
        ('(after: "\\u00e9")', "BAD_CURSOR"),
    ],
)
async def test_bad_pages(api: Api, arguments: str, code: str) -> None:
    """Page arguments that make no sense are told to the client, never a 500."""
    assert code == await api.code(f"{{ cases{arguments} {{ totalCount }} }}")


async def test_deleted_cursor(api: Api) -> None:
    """A cursor stays good when what it marks is gone."""
    keys = await add_cases(api.world.app, 3)
    cursor = (await page(api, "cases", "(first: 2)"))["pageInfo"]["endCursor"]
    await sql("execute", "DELETE FROM cases WHERE id = $1", keys[1])

    found = await page(api, "cases", f'(first: 2, after: "{cursor}")')

    assert [node_id("Case", keys[2])] == ids(found)
    assert found["pageInfo"]["hasPreviousPage"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("case-1", 2),
        ("CASE 1", 2),
        ("about 10", 1),
        ("10 about", 1),
        ("nothing", 0),
        ("x" * 5000, 0),
        ("case " * 5000, 10),
        ("\x00", 0),
        ("' & | ! :* \\\\", 0),
        ("   ", 10),
    ],
)
async def test_search_cases(api: Api, text: str, count: int) -> None:
    """Every word of a search has to begin a word of the Tag ID or of `about`."""
    await add_cases(api.world.app, 10)
    await add_cases(api.world.other, 10)

    data = await api.data(
        "query ($text: String) { cases(search: $text) { totalCount } }", {"text": text}
    )

    assert count == data["cases"]["totalCount"]


@pytest.mark.parametrize(
    ("text", "count"),
    [("user3", 1), ("Name3", 1), ("user3@example", 1), ("example.org", 5), ("user-3", 1)],
)
async def test_search_users(api: Api, text: str, count: int) -> None:
    """Users are found by Tag ID, names and e-mail address."""
    await add_users(api.world.app, 5)

    data = await api.data(
        "query ($text: String) { users(search: $text) { totalCount } }", {"text": text}
    )

    assert count == data["users"]["totalCount"]


@pytest.mark.parametrize("listing", [CASES, USERS, IMPORTS], ids=lambda listing: listing.name)
async def test_searches_use_their_indexes(api: Api, listing: Listing) -> None:
    """The searched expressions are the indexed ones, and no policy keeps them from the index."""
    await add_cases(api.world.app, 2_000)
    await add_users(api.world.app, 2_000)
    key = await add_import(api.world.app)
    await sql(
        "execute",
        "INSERT INTO imports"
        " (app_id, type, name, source, status, file_name, file_size, file_sha256)"
        " SELECT app_id, type, 'May ' || n, source, status, file_name, file_size, file_sha256"
        " FROM imports, generate_series(1, 2000) n WHERE id = $1",
        key,
    )
    await sql("execute", "ANALYZE cases, users, imports")
    plans: list[str] = []

    class Explaining:
        async def fetch(self, query: str, *values: object) -> list[object]:
            plans.append(str(await db.fetch(f"EXPLAIN {query}", *values)))
            return []

        async def fetchval(self, query: str, *values: object) -> object:
            return await db.fetchval(query, *values)

    app, words = api.world.app.id, [matches_search("word")]
    async with api.server.services.pool.connection(app) as db:
        await fetch_pages(Explaining(), app, listing, [app], words, window=Window(10))
        await has_rows(Explaining(), app, listing, [app], words)

    assert [f"{listing.table}_search" in plan for plan in plans] == [False, True, False, True]


async def test_search_of_a_short_list(api: Api, statements: list[str]) -> None:
    """The hits of a common word are not all looked for where the list has few rows to search."""
    users = await add_users(api.world.app, 300)
    await sql("execute", "UPDATE users SET is_active = id <> ALL($1::bigint[])", users[5:8])
    statements.clear()
    few = await api.data(
        '{ users(search: "name", status: DISABLED, first: 5) { edges { node { id } } } }'
    )
    searches = [each for each in statements if "to_tsquery" in each]
    many = await api.data('{ users(search: "name299", first: 5) { edges { node { id } } } }')

    assert ids(few["users"]) == [node_id("User", key) for key in users[5:8]]
    assert len(searches) == 1, searches
    assert ids(many["users"]) == [node_id("User", users[298])]


@pytest.mark.parametrize("last", [False, True])
async def test_searches_through_the_list(api: Api, last: bool) -> None:
    """Pages of what a search finds come in the list's order, be the hits many, few, or far off."""
    users = await add_users(api.world.app, 300)
    await sql(
        "execute",
        "UPDATE users SET given_name = CASE WHEN id = ANY($1::bigint[]) THEN 'Rare' ELSE 'Common'"
        " END, is_active = id <> $2",
        [users[1], users[70], users[298], users[299]],
        users[298],
    )
    page = "last: 3" if last else "first: 3"
    fields = "edges { node { id } } pageInfo { hasNextPage hasPreviousPage } totalCount"
    data = await api.data(
        f"""{{ rare: users({page}, search: "rare") {{ {fields} }}
          common: users({page}, search: "common") {{ {fields} }}
          off: users({page}, search: "rare", status: DISABLED) {{ {fields} }} }}"""
    )

    expected = {
        "rare": [users[70], users[298], users[299]] if last else [users[1], users[70], users[298]],
        "common": [*users[295:298]] if last else [users[0], users[2], users[3]],
        "off": [users[298]],
    }
    assert {name: ids(found) for name, found in data.items()} == {
        name: [node_id("User", key) for key in keys] for name, keys in expected.items()
    }
    assert [found["totalCount"] for found in data.values()] == [4, 296, 1]
    more = "hasPreviousPage" if last else "hasNextPage"
    assert [found["pageInfo"][more] for found in data.values()] == [True, True, False]


async def test_status_filters(api: Api) -> None:
    """Cases, users and imports can be filtered by status, imports also by type."""
    cases = await add_cases(api.world.app, 3)
    users = await add_users(api.world.app, 3)
    await sql("execute", "UPDATE cases SET is_active = false WHERE id = $1", cases[0])
    await sql("execute", "UPDATE users SET is_active = false WHERE id = $1", users[1])
    await add_import(api.world.app, "a", ImportStatus.QUEUED)
    await add_import(api.world.app, "b", ImportStatus.FAILED, type="remove")
    await add_import(api.world.app, "June", ImportStatus.PROCESSED)

    data = await api.data(
        """{
          closed: cases(status: CLOSED) { totalCount edges { node { id status } } }
          active: cases(status: ACTIVE) { totalCount }
          disabled: users(status: DISABLED) { edges { node { id status } } }
          ended: imports(status: [FAILED, PROCESSED]) { edges { node { name } } }
          none: imports(status: []) { totalCount }
          removing: imports(type: ["remove"]) { edges { node { name } } }
          found: imports(search: "may.csv june") { edges { node { name } } }
        }"""
    )

    assert [{"node": {"id": node_id("Case", cases[0]), "status": "CLOSED"}}] == data["closed"][
        "edges"
    ]
    assert tuple(data[name]["totalCount"] for name in ("closed", "active", "none")) == (1, 2, 0)
    assert [{"node": {"id": node_id("User", users[1]), "status": "DISABLED"}}] == data["disabled"][
        "edges"
    ]
    assert ids(data["ended"], "name") == ["June", "b"]
    assert ids(data["removing"], "name") == ["b"]
    assert ids(data["found"], "name") == ["June"]


async def test_assignments_of_both_sides(api: Api) -> None:
    """A case lists its users in their order, a user lists its cases in theirs; roles filter."""
    cases, users = await add_cases(api.world.app, 3), await add_users(api.world.app, 4)
    await assign(api.world.app, cases, users)

    data = await api.data(
        """query ($case: ID!, $user: ID!) {
          case(by: {id: $case}) { assignments(first: 3) {
            totalCount pageInfo { hasNextPage endCursor } edges { node { user { id } case { id } } }
          } }
          user(by: {id: $user}) { assignments(last: 2) {
            totalCount pageInfo { hasPreviousPage } edges { node { case { id } role { key } } }
          }  clients: assignments(role: "clients") { totalCount edges { cursor } } }
        }""",
        {"case": node_id("Case", cases[1]), "user": node_id("User", users[2])},
    )

    of_case, of_user = data["case"]["assignments"], data["user"]["assignments"]
    assert [node_id("User", key) for key in users[:3]] == [
        edge["node"]["user"]["id"] for edge in of_case["edges"]
    ]
    assert (of_case["totalCount"], of_case["pageInfo"]["hasNextPage"]) == (4, True)
    assert [node_id("Case", key) for key in cases[1:]] == [
        edge["node"]["case"]["id"] for edge in of_user["edges"]
    ]
    assert (of_user["totalCount"], of_user["pageInfo"]["hasPreviousPage"]) == (3, True)
    assert data["user"]["clients"] == {"totalCount": 0, "edges": []}

    more = await api.data(
        "query ($id: ID!, $after: String) { case(by: {id: $id}) { assignments(after: $after) {"
        " edges { node { user { id } } } pageInfo { hasNextPage hasPreviousPage } } } }",
        {"id": node_id("Case", cases[1]), "after": of_case["pageInfo"]["endCursor"]},
    )
    assert {
        "edges": [{"node": {"user": {"id": node_id("User", users[3])}}}],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": True},
    } == more["case"]["assignments"]


async def test_nested_lists_cost_one_statement_each(api: Api, statements: list[str]) -> None:
    """However many cases there are, what hangs on them takes one statement a level."""
    app = api.world.app
    cases, users = await add_cases(app, 20), await add_users(app, 5)
    await assign(app, cases, users, await add_import(app))
    statements.clear()

    data = await api.data(
        """{ cases(first: 20) { edges { node { about assignments(first: 5) { totalCount edges {
          node { user { email } case { about } role { label } createdBy { row import { name } } }
        } } } } } }"""
    )

    assert len(data["cases"]["edges"]) == 20
    made = data["cases"]["edges"][7]["node"]["assignments"]["edges"][3]["node"]["createdBy"]
    assert made == {"row": 2 + 7 * 5 + 3, "import": {"name": "May"}}
    reads = [statement for statement in statements if "api_tokens" not in statement]
    assert len(reads) == 4, reads


async def test_lists_are_counted_only_when_asked(api: Api, statements: list[str]) -> None:
    """A list without totalCount is one statement, and nothing is counted."""
    await add_cases(api.world.app, 3)
    statements.clear()

    await api.data("{ cases(first: 2) { edges { node { id } } pageInfo { hasNextPage } } }")

    assert len(statements) == 2, statements
    assert not any("count(" in statement for statement in statements)
