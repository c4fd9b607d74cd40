"""Changes of assignments: of the app, a case, a user, both, an import, and a single assignment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncpg import Connection

from models.assignment import Edit, Present, write_edits
from models.db import transaction
from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql

QUERY = """
query ($first: Int, $after: String, $last: Int, $before: String, $case: ID, $user: ID,
       $import: ID, $since: DateTime, $until: DateTime) {
  assignmentChanges(first: $first, after: $after, last: $last, before: $before, case: $case,
                    user: $user, import: $import, since: $since, until: $until) {
    totalCount edges { cursor node {
      id case { tagId } user { tagId } changedAt
      before { role { key label } notify } after { role { key label } notify }
      origin { row import { name } } actor { name tokenId }
    } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
HISTORY = """
{ cases(first: 5) { edges { node { assignments(first: 9) { edges { node {
  user { tagId } history(first: %d) { totalCount edges { cursor node {
    %s origin { row } before { notify } after { notify } } }
    pageInfo { hasNextPage endCursor } }
} } } } } } }
"""
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)


async def fill(api: Api) -> dict[str, Any]:
    """Change assignments, a step a day, by imports `a` of the admin and `b` of the command line.

    The numbers are the rows, and those of the changes.
    """
    app = api.world.app
    cases, users = await add_cases(app, 2), await add_users(app, 2)
    roles = {
        row["key"]: row["id"]
        for row in await sql("fetch", "SELECT * FROM roles WHERE app_id = $1", app.id)
    }
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'admin'")
    imports = [await add_import(app, "a", token_id=token), await add_import(app, "b")]
    staff, clients = Present(roles["staff"], notify=False), Present(roles["clients"], notify=True)
    steps: list[tuple[int, int, int, Present | None, Present | None]] = [
        (0, 0, 0, None, staff),
        (0, 1, 1, None, staff),
        (1, 0, 0, staff, clients),
        (0, 0, 1, None, clients),
        (1, 0, 0, clients, None),
        (1, 1, 1, staff, None),
        (0, 0, 0, None, clients),
    ]
    for number, (by, case, user, before, after) in enumerate(steps, 1):
        edit = Edit(cases[case], users[user], number, before, after)
        async with transaction() as db:
            await write_edits(db, app.id, imports[by], [edit])
    await sql(
        "execute",
        "UPDATE assignment_history SET changed_at = $1::timestamptz + row * interval '1 day'",
        BEGIN,
    )
    other = api.world.other
    theirs = await add_import(other, "theirs")
    await assign(other, await add_cases(other, 2), await add_users(other, 2), theirs)
    return {
        **{f"case{number}": node_id("Case", key) for number, key in enumerate(cases, 1)},
        **{f"user{number}": node_id("User", key) for number, key in enumerate(users, 1)},
        "a": node_id("Import", imports[0]),
        "b": node_id("Import", imports[1]),
        "theirs": node_id("Import", theirs),
        "token": node_id("Token", token),
        "stranger": node_id("Case", await sql("fetchval", "SELECT max(id) FROM cases")),
        **{f"day{number}": (BEGIN + timedelta(days=number)).isoformat() for number in range(9)},
    }


async def read(api: Api, token: str | None = None, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(QUERY, variables, token))["assignmentChanges"]
    return found


def rows(page: dict[str, Any]) -> list[int]:
    """Return the rows of the changes, which are their numbers."""
    return [edge["node"]["origin"]["row"] for edge in page["edges"]]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"case": "case1"}, [7, 5, 4, 3, 1]),
        ({"case": "case2"}, [6, 2]),
        ({"user": "user1"}, [7, 5, 3, 1]),
        ({"user": "user2"}, [6, 4, 2]),
        ({"case": "case1", "user": "user1"}, [7, 5, 3, 1]),
        ({"case": "case2", "user": "user1"}, []),
        ({"case": "case2", "user": "user2"}, [6, 2]),
        ({"import": "a"}, [7, 4, 2, 1]),
        ({"import": "b"}, [6, 5, 3]),
        ({"import": "a", "case": "case1"}, [7, 4, 1]),
        ({"import": "b", "user": "user2"}, [6]),
        ({"import": "b", "case": "case1", "user": "user1"}, [5, 3]),
        ({"since": "day3"}, [7, 6, 5, 4, 3]),
        ({"until": "day3"}, [2, 1]),
        ({"since": "day2", "until": "day5"}, [4, 3, 2]),
        ({"since": "day2", "until": "day5", "case": "case1"}, [4, 3]),
        ({"since": "day2", "until": "day5", "user": "user2"}, [4, 2]),
        ({"since": "day2", "until": "day5", "import": "a"}, [4, 2]),
        ({"since": "day5", "until": "day2"}, []),
        ({"case": "user1"}, []),
        ({"user": ""}, []),
        ({"import": "theirs"}, []),
        ({"case": "stranger"}, []),
        ({"import": "nonsense", "case": "case1"}, []),
    ],
)
async def test_filters(api: Api, filters: dict[str, str], expected: list[int]) -> None:
    """Newest first, each filter leaves what it says, alone and with others; removed ones too."""
    ids = await fill(api)

    page = await read(api, **{name: ids.get(value, value) for name, value in filters.items()})

    assert rows(page) == expected
    assert page["totalCount"] == len(expected)


async def test_both_sides(api: Api) -> None:
    """A change has what was before and after it, when, by which row, and whose import."""
    ids = await fill(api)
    changes = [edge["node"] for edge in (await read(api))["edges"]]
    staff = {"role": {"key": "staff", "label": "Staff"}, "notify": False}
    clients = {"role": {"key": "clients", "label": "Clients"}, "notify": True}
    by_row = {each["origin"]["row"]: each for each in changes}

    assert (by_row[1]["before"], by_row[1]["after"]) == (None, staff)
    assert (by_row[3]["before"], by_row[3]["after"]) == (staff, clients)
    assert (by_row[5]["before"], by_row[5]["after"]) == (clients, None)
    assert by_row[5]["case"] == {"tagId": "case-1"}
    assert by_row[5]["user"] == {"tagId": "user-1"}
    assert datetime.fromisoformat(by_row[5]["changedAt"]) == BEGIN + timedelta(days=5)
    assert by_row[5]["origin"]["import"] == {"name": "b"}
    assert by_row[5]["actor"] == {"name": "command line", "tokenId": None}
    assert by_row[1]["actor"] == {"name": "admin", "tokenId": ids["token"]}


async def test_order_of_time(api: Api) -> None:
    """The changes of the app are in the order of their times, whatever their keys are."""
    await fill(api)
    await sql(
        "execute",
        "UPDATE assignment_history SET changed_at = $1 WHERE row = 1",
        BEGIN + timedelta(days=30),
    )

    assert rows(await read(api)) == [1, 7, 6, 5, 4, 3, 2]
    assert rows(await read(api, first=1)) == [1]


@pytest.mark.parametrize(
    "filters",
    [{}, {"case": "case1"}, {"user": "user1"}, {"import": "a"}, {"since": "day2"}],
)
async def test_pages(api: Api, filters: dict[str, str]) -> None:
    """Paging forwards and backwards meets everything once, in the same order."""
    ids = await fill(api)
    variables = {name: ids[value] for name, value in filters.items()}
    # Changes of one transaction have one time.
    await sql(
        "execute",
        "UPDATE assignment_history SET changed_at = $1 WHERE row > 3",
        BEGIN + timedelta(days=4),
    )
    whole = [edge["node"]["id"] for edge in (await read(api, **variables))["edges"]]
    page = await read(api, **variables, first=2)
    forwards = page["edges"]
    while page["pageInfo"]["hasNextPage"]:
        page = await read(api, **variables, first=2, after=page["pageInfo"]["endCursor"])
        forwards += page["edges"]
    page = await read(api, **variables, last=2)
    backwards = page["edges"]
    while page["pageInfo"]["hasPreviousPage"]:
        page = await read(api, **variables, last=2, before=page["pageInfo"]["startCursor"])
        backwards = page["edges"] + backwards

    assert len(set(whole)) == len(whole) > 2
    assert [edge["node"]["id"] for edge in forwards] == whole
    assert [edge["node"]["id"] for edge in backwards] == whole


async def test_cursors_belong_to_their_list(api: Api) -> None:
    """The cursor of one list is refused by another."""
    ids = await fill(api)
    cursor = (await read(api, first=1))["pageInfo"]["endCursor"]

    assert await api.code(QUERY, {"after": cursor, "case": ids["case1"]}) == "BAD_CURSOR"


# The ID of a node would do; the type of an import makes graphql-core execute the selection.
@pytest.mark.parametrize("others", ["id", "id origin { import { type { key } } }"])
async def test_history(api: Api, statements: list[str], others: str) -> None:
    """An assignment has the changes of its pair, also those before it was made again."""
    await fill(api)
    statements.clear()

    found = await api.data(HISTORY % (2, others))
    [first, _] = [edge["node"] for edge in found["cases"]["edges"]]
    of_users = {
        edge["node"]["user"]["tagId"]: edge["node"]["history"]
        for edge in first["assignments"]["edges"]
    }
    history = of_users["user-1"]
    asked = len(statements)
    after = history["pageInfo"]["endCursor"]

    assert [edge["node"]["origin"]["row"] for edge in history["edges"]] == [7, 5]
    assert history["totalCount"] == 4
    assert history["pageInfo"]["hasNextPage"]
    assert [edge["node"]["origin"]["row"] for edge in of_users["user-2"]["edges"]] == [4]
    # The token, cases, assignments, histories, their counts; then imports.
    assert asked <= 6, statements
    rest = (HISTORY % (2, others)).replace("first: 2", f'first: 9, after: "{after}"')
    cases = (await api.data(rest))["cases"]["edges"]
    edges = cases[0]["node"]["assignments"]["edges"]
    [more] = [
        each["node"]["history"] for each in edges if each["node"]["user"]["tagId"] == "user-1"
    ]
    assert [edge["node"]["origin"]["row"] for edge in more["edges"]] == [3, 1]


async def test_nodes(api: Api) -> None:
    """A change has an ID of its own, by which its app finds it, and no other app does."""
    await fill(api)
    change = (await read(api, first=1))["edges"][0]["node"]
    query = f'{{ node(id: "{change["id"]}") {{ ... on AssignmentChange {{ origin {{ row }} }} }} }}'

    assert (await api.data(query))["node"] == {"origin": {"row": 7}}
    assert (await api.data(query, token=api.world.viewer))["node"] == {"origin": {"row": 7}}
    assert (await api.data(query, token=api.world.stranger))["node"] is None


async def test_other_apps(api: Api) -> None:
    """Another app sees its own changes alone; a viewer sees what an admin does."""
    ids = await fill(api)
    theirs = await read(api, api.world.stranger)

    assert rows(await read(api, api.world.viewer)) == [7, 6, 5, 4, 3, 2, 1]
    assert {edge["node"]["origin"]["import"]["name"] for edge in theirs["edges"]} == {"theirs"}
    for name, of in (("case", "case1"), ("user", "user1"), ("import", "a")):
        assert rows(await read(api, api.world.stranger, **{name: ids[of]})) == []


LISTS = {
    "app": "assignment_history_page",
    "since": "assignment_history_page",
    "import": "assignment_history_import",
    "case": "assignment_history_pair",
    "user": "assignment_history_removed",
    "pair": "assignment_history_pair",
    "history": "assignment_history_pair",
    "node": "assignment_history_pkey",
}


@pytest.mark.parametrize("which", LISTS)
async def test_lists_use_their_indexes(
    api: Api, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """No list walks through all changes of the app, and none sorts more than one case's or user's.

    Half of the pairs were removed. Another app has as many changes.
    """
    for app in (api.world.app, api.world.other):
        cases, users = await add_cases(app, 30), await add_users(app, 60)
        imports = [await add_import(app, f"import {case}") for case in cases]
        for case, key in zip(cases, imports, strict=True):
            await assign(app, [case], users, key)
        await remove_half(imports[0])
    await sql("execute", "VACUUM ANALYZE")
    ids, keys = {}, {}
    for kind, table in (("Case", "cases"), ("User", "users"), ("Import", "imports")):
        smallest = f"SELECT min(id) FROM {table} WHERE app_id = $1"
        keys[kind] = await sql("fetchval", smallest, api.world.app.id)
        ids[kind.lower()] = node_id(kind, keys[kind])
    change = await sql("fetchval", "SELECT min(id) FROM assignment_history")
    sent: list[tuple[str, tuple[Any, ...]]] = []
    fetch = Connection.fetch

    async def noted(self: Connection, statement: str, *args: Any, **options: Any) -> Any:
        sent.append((statement, args))
        return await fetch(self, statement, *args, **options)

    monkeypatch.setattr(Connection, "fetch", noted)
    if which == "node":
        await api.data(f'{{ node(id: "{node_id("AssignmentChange", change)}") {{ id }} }}')
    elif which == "history":
        await api.data(HISTORY % (2, "id"))
    else:
        wanted = {"pair": ("case", "user"), "app": (), "since": ()}.get(which, (which,))
        since = {"since": BEGIN.isoformat()} if which == "since" else {}
        await read(api, first=2, **{name: ids[name] for name in wanted}, **since)
    [(page, values), *_] = [each for each in sent if "LEFT JOIN token_names" in each[0]]
    async with api.server.services.pool.connection(api.world.app.id) as db:
        rows = await fetch(db, f"EXPLAIN {page}", *values)
    plan = "\n".join(row[0] for row in rows)

    assert LISTS[which] in plan, plan
    assert "Seq Scan on assignment_history" not in plan, plan
    if which in {"app", "since", "import"}:
        assert "->  Sort" not in plan.partition("Limit")[2], plan


async def remove_half(import_key: int) -> None:
    """Remove every second assignment, by an import, with the history of it."""
    await sql(
        "execute",
        """
        WITH gone AS (
          DELETE FROM assignments WHERE id % 2 = 0
            AND app_id = (SELECT app_id FROM imports WHERE id = $1) RETURNING *)
        INSERT INTO assignment_history
          (app_id, case_id, user_id, import_id, row, before_role_id, before_notify)
        SELECT app_id, case_id, user_id, $1, 2, role_id, notify FROM gone
        """,
        import_key,
    )


async def test_a_change_that_waited_is_the_later_one(api: Api) -> None:
    """What a change follows comes before it, also where its transaction began earlier."""
    app = api.world.app
    [case], [user] = await add_cases(app, 1), await add_users(app, 1)
    ids = [await add_import(app, name) for name in ("small", "large")]
    first, second = Present(1, notify=False), Present(1, notify=True)
    has_begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def change_late() -> None:
        async with transaction() as db:
            await db.execute("SELECT 1")
            has_begun.set()
            await may_go_on.wait()
            await write_edits(db, app.id, ids[1], [Edit(case, user, 2, first, second)])

    late = asyncio.create_task(change_late())
    await has_begun.wait()
    async with transaction() as db:
        await write_edits(db, app.id, ids[0], [Edit(case, user, 2, None, first)])
    may_go_on.set()
    await late

    changed = await sql("fetch", "SELECT import_id FROM assignment_history ORDER BY changed_at")
    is_dated = "SELECT updated_at > (SELECT min(changed_at) FROM assignment_history)"
    assert [row[0] for row in changed] == ids
    assert await sql("fetchval", f"{is_dated} FROM assignments")
