"""The history of cases and users: by mutations, by imports, and by what plugins change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from models.audit import Actor
from models.db import transaction
from models.entity_history import EntityEdit, write_entity_history
from models.write_one import update_one
from tests.api.api_fixture import Api, add_cases, add_import, add_users, node_id, sql

HISTORY = """
query ($id: ID!) { node(id: $id) { ... on %s { history { totalCount edges { node {
  id changedAt actor { name tokenId } origin { row import { name } }
  fields { name before after } case { tagId about } user { email }
} } } } } }
"""


async def history(api: Api, node: str, kind: str = "Case", **options: Any) -> list[dict[str, Any]]:
    """Read the changes of a case or user, newest first."""
    found = (await api.data(HISTORY % kind, {"id": node}, **options))["node"]["history"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


def field(name: str, before: str | None, after: str | None) -> dict[str, str | None]:
    return {"name": name, "before": before, "after": after}


async def create(api: Api, noun: str, values: str) -> str:
    created = await api.data(
        f"mutation {{ create{noun}(input: {{{values}}}) {{ {noun.lower()} {{ id }} }} }}"
    )
    return str(created[f"create{noun}"][noun.lower()]["id"])


async def update(api: Api, noun: str, node: str, values: str) -> None:
    change = f'update{noun}(id: "{node}", input: {{{values}}})'
    payload = await api.data(f"mutation {{ {change} {{ userErrors {{ code }} }} }}")
    assert payload[f"update{noun}"]["userErrors"] == []


async def test_of_a_case(api: Api) -> None:
    """Mutations leave both sides of what they have changed, by the API's names, and their token."""
    case = await create(api, "Case", 'about: "Roof", dateOpened: "2026-03-04"')
    await update(api, "Case", case, 'about: "Roof", status: CLOSED, tagId: "trv-9"')
    await update(api, "Case", case, "dateOpened: null")
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'admin'")

    third, second, first = await history(api, case)

    assert first["fields"] == [
        field("about", None, "Roof"),
        field("dateOpened", None, "2026-03-04"),
        field("status", None, "ACTIVE"),
    ]
    assert second["fields"] == [field("status", "ACTIVE", "CLOSED"), field("tagId", None, "trv-9")]
    assert third["fields"] == [field("dateOpened", "2026-03-04", None)]
    for each in (first, second, third):
        assert each["actor"] == {"name": "admin", "tokenId": node_id("Token", token)}
        assert each["origin"] is each["user"] is None
        assert each["case"] == {"tagId": "trv-9", "about": "Roof"}


async def test_a_change_that_waited_is_the_later_one(api: Api) -> None:
    """What a change follows comes before it, also where its transaction began earlier."""
    app = api.world.app
    [case] = await add_cases(app, 1)
    has_begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def rename(about: str) -> None:
        async with transaction() as db:
            await db.execute("SELECT 1")
            has_begun.set()
            await may_go_on.wait()
            await update_one(db, app.id, "cases", case, {"about": about}, by=Actor("x", None))

    late = asyncio.create_task(rename("late"))
    await has_begun.wait()
    async with transaction() as db:
        await update_one(db, app.id, "cases", case, {"about": "early"}, by=Actor("x", None))
        updated_at = await db.fetchval("SELECT updated_at FROM cases WHERE id = $1", case)
    may_go_on.set()
    await late

    newest, oldest = await history(api, node_id("Case", case))
    assert newest["fields"] == [field("about", "early", "late")]
    assert newest["changedAt"] > oldest["changedAt"]
    assert await sql("fetchval", "SELECT updated_at > $1 FROM cases", updated_at)


async def test_of_a_user(api: Api) -> None:
    """The same for users, whose status has other names."""
    user = await create(api, "User", 'email: "jo@example.org", familyName: "Jo"')
    await update(api, "User", user, 'status: DISABLED, familyName: "Joe", locale: "es"')

    second, first = await history(api, user, "User")

    assert first["fields"] == [
        field("email", None, "jo@example.org"), field("familyName", None, "Jo"),
    ]  # fmt: skip
    assert second["fields"] == [
        field("familyName", "Jo", "Joe"),
        field("locale", None, "es"),
        field("status", "ACTIVE", "DISABLED"),
    ]
    assert second["user"] == {"email": "jo@example.org"}
    assert second["case"] is None


@pytest.mark.parametrize("values", ['about: "About 1"', "", "status: ACTIVE, dateOpened: null"])
async def test_what_changes_nothing_leaves_none(api: Api, values: str) -> None:
    """A mutation that sets what is there already has changed nothing."""
    [case] = await add_cases(api.world.app, 1)
    await update(api, "Case", node_id("Case", case), values)

    assert await history(api, node_id("Case", case)) == []


async def test_what_is_refused_leaves_none(api: Api) -> None:
    """A mutation that is refused after the change was begun leaves no history."""
    case, _ = await add_cases(api.world.app, 2)
    query = f'mutation {{ updateCase(id: "{node_id("Case", case)}", input: {{tagId: "case-9"}})'
    found = await api.data(query + " { userErrors { code } } }")

    assert found["updateCase"]["userErrors"] == [{"code": "TAG_PERMANENT"}]
    assert await history(api, node_id("Case", case)) == []


async def test_of_imports_and_plugins(api: Api) -> None:
    """A change by an import names its row and its token; fields of plugins have their own names."""
    app = api.world.app
    [case], [user] = await add_cases(app, 1), await add_users(app, 1)
    token = await sql("fetchval", "SELECT id FROM api_tokens WHERE name = 'viewer'")
    key = await add_import(app, "June", token_id=token)
    await add_import(app, "by command")
    edits = [
        EntityEdit(2, case_id=case, before={"is_active": True}, after={"is_active": False}),
        EntityEdit(3, case, user, before={"floor": 1, "is_active": True}, after=None),
        EntityEdit(4, case_id=case),
    ]
    async with transaction() as db:
        await write_entity_history(db, app.id, key, edits)

    third, second, first = await history(api, node_id("Case", case))
    [of_user] = await history(api, node_id("User", user), "User")

    assert first["fields"] == [field("status", "ACTIVE", "CLOSED")]
    assert first["origin"] == {"row": 2, "import": {"name": "June"}}
    assert first["actor"] == {"name": "viewer", "tokenId": node_id("Token", token)}
    assert second["fields"] == [field("floor", "1", None), field("is_active", "true", None)]
    assert of_user == second
    assert third["fields"] == []


async def test_nodes_and_other_apps(api: Api) -> None:
    """A change has an ID of its own; a viewer finds it, another app does not."""
    case = await create(api, "Case", 'about: "x"')
    [change] = await history(api, case, token=api.world.viewer)
    query = f'{{ node(id: "{change["id"]}") {{ ... on EntityChange {{ fields {{ name }} }} }} }}'

    assert (await api.data(query))["node"]["fields"] == [{"name": "about"}, {"name": "status"}]
    assert (await api.data(query, token=api.world.stranger))["node"] is None


# The type of an import makes graphql-core execute the selection.
@pytest.mark.parametrize("others", ["", "type { key }"])
async def test_histories_are_loaded_together(api: Api, statements: list[str], others: str) -> None:
    """The histories of a page of cases take as many statements as that of one."""
    app = api.world.app
    cases, [user] = await add_cases(app, 3), await add_users(app, 1)
    key = await add_import(app)
    edits = [
        EntityEdit(row, case, user, before={"floor": 1}, after={"floor": 2})
        for row, case in enumerate(cases * 2, 2)
    ]
    async with transaction() as db:
        await write_entity_history(db, app.id, key, edits)
    statements.clear()

    change = f"case {{ id }} user {{ id }} origin {{ row import {{ id {others} }} }}"
    histories = f"history(first: 9) {{ edges {{ node {{ {change} }} }} }}"
    found = await api.data(f"{{ cases(first: 9) {{ edges {{ node {{ {histories} }} }} }} }}")
    rows = [
        [each["node"]["origin"]["row"] for each in edge["node"]["history"]["edges"]]
        for edge in found["cases"]["edges"]
    ]

    assert rows == [[5, 2], [6, 3], [7, 4]]
    # The token, the cases, the histories; then cases, users and the import of the changes.
    assert len(statements) == 6, statements


async def test_an_index_orders_them(api: Api) -> None:
    """The page of one case is read from an index, in its order."""
    for app in (api.world.app, api.world.other):
        cases, key = await add_cases(app, 50), await add_import(app)
        edits = [EntityEdit(row, case_id=case) for row, case in enumerate(cases * 40, 2)]
        async with transaction() as db:
            await write_entity_history(db, app.id, key, edits)
    await sql("execute", "VACUUM ANALYZE")
    async with api.server.services.pool.connection(api.world.app.id) as db:
        rows = await db.fetch(
            "EXPLAIN SELECT * FROM unnest($2::bigint[]) AS p(parent), LATERAL ("
            "SELECT * FROM entity_history t WHERE app_id = $1 AND case_id = p.parent"
            " ORDER BY id DESC LIMIT 3) l",
            api.world.app.id,
            cases[:3],
        )
    plan = "\n".join(row[0] for row in rows)

    assert "Index Scan Backward using entity_history_case" in plan, plan
    assert "Sort" not in plan, plan
