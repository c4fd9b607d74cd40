"""Lists inside lists: by the short way they are what graphql-core makes of the resolvers."""

from __future__ import annotations

import dataclasses
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import pytest
from graphql import execute, parse

from api.access.context import Context
from api.execution.executor import Executor
from api.schema.definition import schema
from api.schema.entities import ASSIGNMENT_ROW
from models.access import TokenRecord
from models.app import Permission
from models.listing import CASE_ASSIGNMENTS, USER_ASSIGNMENTS
from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql

if TYPE_CHECKING:
    from graphql import ExecutionResult

_USER = "id tagId email givenName familyName locale zoneinfo status createdAt updatedAt"
_CASE = "__typename id tagId about status dateOpened createdAt updatedAt"
_ALL = (
    f"edges {{ cursor node {{ __typename id notify createdAt updatedAt createdBy {{ row }}"
    f" updatedBy {{ row }} user {{ {_USER} }} case {{ {_CASE} }} role {{ key label }} }} }}"
)
_IDS = "edges { node { user { id } case { id } } }"


async def both(api: Api, query: str, **variables: Any) -> tuple[ExecutionResult, ExecutionResult]:
    """Execute a query by the short way, and by graphql-core alone."""
    app = api.world.app
    token = TokenRecord(1, "test", Permission.ADMIN, app.id, app.slug, app.name)
    found = []
    for options in ({"executor_class": Executor}, {}):
        result: Any = execute(
            schema._schema,
            parse(query),
            context_value=Context(api.server.services, token),
            variable_values=variables,
            **options,
        )
        found.append(await result if isawaitable(result) else result)
    return found[0], found[1]


async def fill(api: Api) -> None:
    """Put users on cases, some by an import and some as clients, in two apps."""
    app, other = api.world.app, api.world.other
    cases, users = await add_cases(app, 6), await add_users(app, 5)
    await assign(app, cases[:3], users)
    await assign(app, cases[3:5], users[2:], await add_import(app))
    await assign(other, await add_cases(other, 2), await add_users(other, 2))
    await sql(
        "execute",
        "UPDATE assignments SET role_id = (SELECT id FROM roles WHERE app_id = $1 AND"
        " key = 'clients') WHERE user_id = $2",
        app.id,
        users[3],
    )


@pytest.mark.parametrize(
    "assignments",
    [
        f"assignments {{ {_ALL} }}",
        f"assignments(first: 2) {{ {_IDS} pageInfo {{ startCursor endCursor }} }}",
        f"assignments(first: 2) {{ {_IDS} pageInfo {{ hasNextPage hasPreviousPage }} }}",
        f"assignments(last: 2) {{ {_ALL} totalCount }}",
        f'assignments(role: "clients") {{ {_ALL} }} all: assignments {{ {_IDS} }}',
        f"assignments {{ {_IDS} }} assignments {{ edges {{ cursor node {{ notify }} }} }}",
        f"assignments(first: $first) {{ {_IDS} }}",
        f"assignments(first: 0) {{ {_IDS} }}",
        "assignments { __typename edges { __typename } }",
        "assignments { edges { node { createdBy { row import { name } } } } }",
        "assignments { edges { node { ... on Node { id } ...F } } }",
        "assignments { edges { node { id @skip(if: $yes) user { id @include(if: $yes) } } } }",
        f"assignments(first: 101) {{ {_IDS} }}",
        f'assignments(after: "wrong") {{ {_IDS} }}',
        f"assignments(first: 1, last: 1) {{ {_IDS} }}",
        f"assignments {{ edges {{ node {{ user {{ id assignments(last: 2) {{ {_IDS} }} }}"
        f" case {{ key: about assignments {{ {_ALL} }} }} }} }} }}",
    ],
)
@pytest.mark.parametrize("field", ["cases", "users"])
async def test_same_as_graphql_core(api: Api, field: str, assignments: str) -> None:
    """Whatever is selected of the lists of many parents, data and errors are the same."""
    await fill(api)
    query = (
        f"query ($first: Int, $yes: Boolean = true) {{ {field} {{ edges {{ node {{"
        f" id {assignments} a: createdAt }} }} }}"
        " y: viewer { tokenName @include(if: $yes) } n: cases(first: $first) { totalCount } }"
    )
    if "...F" in assignments:
        query += " fragment F on Assignment { user { tagId } role { key } }"

    ours, stock = await both(api, query, first=2)

    assert repr(ours.data) == repr(stock.data)
    # Which of the errors that make the same place null is told, is up to which comes first.
    assert {each.message for each in ours.errors or ()} == {
        each.message for each in stock.errors or ()
    }


async def test_no_other_app_is_seen(api: Api) -> None:
    """A list inside a list holds what belongs to the app of the token."""
    await fill(api)
    query = f"{{ cases {{ edges {{ node {{ assignments {{ {_IDS} }} }} }} }} }}"

    theirs = await api.data(query, token=api.world.stranger)

    found = [edge["node"]["assignments"]["edges"] for edge in theirs["cases"]["edges"]]
    assert [len(edges) for edges in found] == [2, 2]


async def test_only_what_is_selected_is_read(api: Api, statements: list[str]) -> None:
    """The statement for the lists of many parents reads no column that nobody asks for."""
    await fill(api)
    statements.clear()

    await api.data(
        "{ cases { edges { node { id assignments { edges { node { user { tagId } } } } } } } }"
    )

    [read] = [each for each in statements if "LATERAL" in each]
    assert "user_tag_id" in read
    assert not any(name in read for name in ("user_email", "case_about", "created_at", "role_key"))


async def test_parents_one_by_one_share_a_statement(api: Api, statements: list[str]) -> None:
    """When graphql-core goes through the parents, their lists are still read together."""
    await fill(api)
    statements.clear()

    data = await api.data(
        f"{{ cases {{ edges {{ node {{ assignments {{ {_IDS} }}"
        " more: assignments { totalCount } } } } }"
    )

    assert len(data["cases"]["edges"]) == 6
    assert sum("LATERAL" in each for each in statements) == 2, statements


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("first: 1, after: $cursor", [[True, True], [True, True], [False, True]]),
        ("last: 1, before: $cursor", [[True, False], [True, False], [True, False]]),
    ],
)
async def test_looks_beyond_pages_share_a_statement(
    api: Api, statements: list[str], window: str, expected: list[list[bool]]
) -> None:
    """Whether the lists of many parents go on past their pages is one statement."""
    app = api.world.app
    cases, users = await add_cases(app, 3), await add_users(app, 4)
    for case, most in zip(cases, (4, 3, 2), strict=True):
        await assign(app, [case], users[:most])
    edges = "edges { cursor node { user { tagId } } }"
    whole = await api.data(f"{{ cases {{ edges {{ node {{ assignments {{ {edges} }} }} }} }} }}")
    edge = whole["cases"]["edges"][0]["node"]["assignments"]["edges"]["before" in window]
    statements.clear()

    data = await api.data(
        "query ($cursor: String) { cases { edges { node { assignments("
        + window
        + ") { pageInfo { hasNextPage hasPreviousPage } } } } } }",
        {"cursor": edge["cursor"]},
    )

    found = [edge["node"]["assignments"]["pageInfo"] for edge in data["cases"]["edges"]]
    assert [list(each.values()) for each in found] == expected
    assert sum("EXISTS" in each for each in statements) == 1, statements


@pytest.mark.parametrize("listing", [CASE_ASSIGNMENTS, USER_ASSIGNMENTS])
async def test_objects_read_by_column(api: Api, listing: Any) -> None:
    """An attribute has the same values whether objects are made of the rows or not."""
    await fill(api)
    selected = listing.select(ASSIGNMENT_ROW.columns())
    rows = await sql(
        "fetch", f"SELECT {selected} FROM {listing.table} t {listing.joins} ORDER BY t.id"
    )
    objects = ASSIGNMENT_ROW.objects(rows)

    for field in dataclasses.fields(objects.kind):
        # A field with a resolver is read by that.
        if not field.init:
            continue
        assert list(objects.read(field.name)) == [getattr(each, field.name) for each in objects]
    assert node_id("Assignment", rows[0]["id"]) == next(iter(objects)).id
