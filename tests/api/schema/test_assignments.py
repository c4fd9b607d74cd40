"""Assignments: all of the app, with every filter, and a single one."""

from __future__ import annotations

from typing import Any

import pytest

from models import assignment_lists
from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql

QUERY = """
query ($first: Int, $after: String, $last: Int, $before: String, $case: ID, $user: ID,
       $role: String, $import: ID, $search: String, $caseStatus: CaseStatus,
       $userStatus: UserStatus) {
  assignments(first: $first, after: $after, last: $last, before: $before, case: $case, user: $user,
              role: $role, import: $import, search: $search, caseStatus: $caseStatus,
              userStatus: $userStatus) {
    totalCount edges { cursor node { id case { tagId } user { tagId } role { key } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ONE = "query ($case: ID!, $user: ID!) { assignment(case: $case, user: $user) { id role { key } } }"


async def fill(api: Api) -> dict[str, str]:
    """Put three users on three cases.

    The first import has put them on cases 1 and 3, the second on case 2; the second has made
    clients of users 2 and 3 on case 3.
    """
    app, other = api.world.app, api.world.other
    cases, users = await add_cases(app, 3), await add_users(app, 3)
    imports = [await add_import(app, name) for name in ("a", "b")]
    for case, key in ((cases[0], imports[0]), (cases[1], imports[1]), (cases[2], imports[0])):
        await assign(app, [case], users, key)
    await assign(other, await add_cases(other, 2), await add_users(other, 2), None)
    await modify(imports[1], cases[2], users[1:], row=2)
    # It has changed what it had created itself.
    await modify(imports[1], cases[1], users, row=30, role="staff")
    kinds = {"case": ("Case", cases), "user": ("User", users), "import": ("Import", imports)}
    return {
        f"{name}{number}": node_id(kind, key)
        for name, (kind, keys) in kinds.items()
        for number, key in enumerate(keys, 1)
    }


async def modify(
    import_key: int, case: int, users: list[int], *, row: int, role: str = "clients"
) -> None:
    """Give users another role on a case, by an import, with the history of it."""
    await sql(
        "execute",
        """
        WITH changed AS (
          UPDATE assignments a
          SET role_id = r.id, updated_import_id = $1, updated_row = $4 + user_id
          FROM roles r
          WHERE r.app_id = a.app_id AND r.key = $5 AND a.case_id = $2 AND a.user_id = ANY($3)
          RETURNING a.*, r.id AS new_role)
        INSERT INTO assignment_history (app_id, case_id, user_id, import_id, row,
          before_role_id, before_notify, after_role_id, after_notify)
        SELECT app_id, case_id, user_id, $1, updated_row, role_id, false, new_role, false
        FROM changed ORDER BY user_id
        """,
        import_key,
        case,
        users,
        row,
        role,
    )


async def read(api: Api, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(QUERY, variables))["assignments"]
    return found


def pairs(page: dict[str, Any]) -> list[str]:
    """Return numbers of case and user, with a `c` for clients."""
    nodes = [edge["node"] for edge in page["edges"]]
    return [
        each["case"]["tagId"][-1] + each["user"]["tagId"][-1]
        + ("c" if each["role"]["key"] == "clients" else "")
        for each in nodes
    ]  # fmt: skip


ALL = ["11", "12", "13", "21", "22", "23", "31", "32c", "33c"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ALL),
        ({"role": "clients"}, ["32c", "33c"]),
        ({"role": "default"}, []),
        ({"role": "nothing"}, []),
        ({"case": "case3"}, ["31", "32c", "33c"]),
        ({"case": "case3", "role": "staff"}, ["31"]),
        ({"user": "user2"}, ["12", "22", "32c"]),
        ({"user": "user2", "role": "clients"}, ["32c"]),
        ({"case": "case2", "user": "user2"}, ["22"]),
        ({"import": "import1"}, ["11", "12", "13", "31", "32c", "33c"]),
        ({"import": "import2"}, ["21", "22", "23", "32c", "33c"]),
        ({"import": "import2", "role": "clients"}, ["32c", "33c"]),
        ({"import": "import2", "case": "case3"}, ["32c", "33c"]),
        ({"import": "import1", "user": "user3"}, ["13", "33c"]),
        ({"import": "import1", "case": "case2", "user": "user3"}, []),
        ({"case": "user1"}, []),
        ({"user": "nonsense"}, []),
        ({"import": "case1", "case": "case1"}, []),
        ({"search": "case-1"}, ["11", "12", "13"]),
        ({"search": "Name2"}, ["32c", "12", "22"]),
        ({"search": "name2", "case": "case1"}, ["12"]),
        ({"search": "case-1", "import": "import2"}, []),
        ({"search": "  "}, ALL),
        ({"search": "&"}, []),
        ({"search": "no such thing"}, []),
    ],
)
async def test_filters(api: Api, filters: dict[str, str], expected: list[str]) -> None:
    """Each filter leaves what it says, alone and with others; what is not there leaves nothing."""
    ids = await fill(api)
    variables = {
        name: ids.get(value, value) if name in {"case", "user", "import"} else value
        for name, value in filters.items()
    }

    page = await read(api, **variables)

    assert sorted(pairs(page)) == sorted(expected)
    assert page["totalCount"] == len(expected)
    if "case" in filters or not filters:
        assert len(set(pairs(page))) == len(expected)


@pytest.mark.parametrize("filters", [{}, {"case": "case1"}, {"import": "import1"}])
@pytest.mark.parametrize("search", ["name", "name2"], ids=["common", "rarer"])
async def test_search_with_many_hits(
    api: Api,
    statements: list[str],
    monkeypatch: pytest.MonkeyPatch,
    filters: dict[str, str],
    search: str,
) -> None:
    """A common word fills a page from the next assignments; all that have it are found only where
    these are not enough."""
    monkeypatch.setattr("models.listing._FEW", 0)
    ids = await fill(api)
    monkeypatch.setattr("models.page._NEARBY_PAGES", 1)
    variables = {name: ids[value] for name, value in filters.items()}
    expected = [each for each in pairs(await read(api, **variables)) if search[4:] in each[1]]
    statements.clear()

    page = await read(api, **variables, search=search, first=1)

    assert pairs(page) == expected[:1]
    assert page["totalCount"] == len(expected)
    read_all = [each for each in statements if "page_key" in each and "IN (SELECT" in each]
    assert len(read_all) == (search == "name2")


@pytest.mark.parametrize("few", [1_000, 2])
async def test_states(api: Api, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """States of cases and users choose, whether few assignments are of such or many."""
    monkeypatch.setattr(assignment_lists, "_FEW", few)
    await fill(api)
    await sql("execute", "UPDATE cases SET is_active = false WHERE tag_id = 'case-2'")
    await sql("execute", "UPDATE users SET is_active = false WHERE tag_id = 'user-3'")

    found = {
        (case, user): pairs(await read(api, caseStatus=case, userStatus=user))
        for case in ("ACTIVE", "CLOSED", None)
        for user in ("ACTIVE", "DISABLED", None)
    }

    assert {states: sorted(some) for states, some in found.items()} == {
        ("ACTIVE", "ACTIVE"): ["11", "12", "31", "32c"],
        ("ACTIVE", "DISABLED"): ["13", "33c"],
        ("ACTIVE", None): ["11", "12", "13", "31", "32c", "33c"],
        ("CLOSED", "ACTIVE"): ["21", "22"],
        ("CLOSED", "DISABLED"): ["23"],
        ("CLOSED", None): ["21", "22", "23"],
        (None, "ACTIVE"): ["11", "12", "21", "22", "31", "32c"],
        (None, "DISABLED"): ["13", "23", "33c"],
        (None, None): ALL,
    }


@pytest.mark.parametrize("few", [1_000, 1])
async def test_roles(api: Api, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role chooses, whether few assignments are in it or many; roles of other apps don't."""
    monkeypatch.setattr(assignment_lists, "_FEW", few)
    await fill(api)
    await sql("execute", "INSERT INTO roles (app_id, key, label) VALUES ($1, 'theirs', 'Theirs')",
              api.world.other.id)  # fmt: skip

    found = {
        role: pairs(await read(api, role=role))
        for role in ("clients", "staff", "default", "theirs", "clients' OR true --")
    }

    assert {role: sorted(some) for role, some in found.items() if some} == {
        "clients": ["32c", "33c"],
        "staff": ["11", "12", "13", "21", "22", "23", "31"],
    }


@pytest.mark.parametrize("filters", [{}, {"import": "import1"}, {"case": "case1"}])
async def test_pages(api: Api, filters: dict[str, str]) -> None:
    """Paging forwards and backwards meets everything once, in the same order."""
    ids = await fill(api)
    variables = {name: ids[value] for name, value in filters.items()}
    whole = [edge["node"]["id"] for edge in (await read(api, **variables))["edges"]]
    forwards, backwards = [], []
    page = await read(api, **variables, first=2)
    forwards += page["edges"]
    while page["pageInfo"]["hasNextPage"]:
        page = await read(api, **variables, first=2, after=page["pageInfo"]["endCursor"])
        forwards += page["edges"]
    page = await read(api, **variables, last=2)
    backwards = page["edges"]
    while page["pageInfo"]["hasPreviousPage"]:
        page = await read(api, **variables, last=2, before=page["pageInfo"]["startCursor"])
        backwards = page["edges"] + backwards

    assert [edge["node"]["id"] for edge in forwards] == whole
    assert [edge["node"]["id"] for edge in backwards] == whole


async def test_one(api: Api) -> None:
    """The assignment of a user to a case is found by both; else there is null."""
    ids = await fill(api)
    unassigned = node_id("Case", (await add_cases(api.world.other, 0) or [0])[0])

    found = await api.data(ONE, {"case": ids["case3"], "user": ids["user2"]})
    listed = await read(api, case=ids["case3"], user=ids["user2"])

    assert found["assignment"] == {
        "id": listed["edges"][0]["node"]["id"],
        "role": {"key": "clients"},
    }
    for case, user in (
        (unassigned, ids["user1"]),
        (ids["user1"], ids["case1"]),
        ("nonsense", ids["user1"]),
        (ids["case1"], ""),
    ):
        assert await api.data(ONE, {"case": case, "user": user}) == {"assignment": None}


@pytest.mark.parametrize(
    ("of_import", "index"),
    [(None, "assignments_page"), ("few", "assignment_history_import")],
    ids=["of the app", "of an import"],
)
async def test_lists_use_their_indexes(
    api: Api, statements: list[str], of_import: str | None, index: str
) -> None:
    """A page is read in the order of an index: of what may be long, nothing is sorted."""
    app, other = api.world.app, api.world.other
    cases, users = await add_cases(app, 2), await add_users(app, 60)
    key = await add_import(app, "few")
    await assign(app, cases, users, key)
    others = await add_users(other, 60)
    for number, case in enumerate(await add_cases(other, 60)):
        await assign(other, [case], others, await add_import(other, f"other {number}"))
    await sql("execute", "ANALYZE assignments, assignment_history, cases, users, roles")
    statements.clear()
    await read(api, first=2, **({"import": node_id("Import", key)} if of_import else {}))
    [page] = [each for each in statements if "page_key" in each]
    async with api.server.services.pool.connection(app.id) as db:
        plan = await db.fetch(f"EXPLAIN {page}", app.id, *([f"{{{key}}}"] if of_import else []), 3)

    text = "\n".join(row[0] for row in plan)
    assert index in text, text
    assert "->  Sort" not in text.partition("Limit")[2]
