"""What a query may cost: too much is refused, in a moment, before anything is executed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    parse,
)

from api.errors import ApiError
from api.execution.cost import check_size, field_costs
from api.execution.prepare import _parse_text, is_remembered
from api.limits import QueryLimits
from api.schema.definition import schema
from tests.api.api_fixture import Api, add_cases, bearer


@pytest.mark.parametrize(
    "query",
    [
        "{" + " ".join(f"a{n}: viewer {{ tokenName }}" for n in range(31)) + "}",
        "{" + " ".join("viewer { tokenName }" for n in range(21)) + "}",
        "{ cases { edges { node {"
        + "assignments { edges { node { case {" * 5
        + "id"
        + "}}}}" * 5
        + "}}}}",
        "{ cases(first: 100) { edges { node { assignments(first: 100) { edges { node {"
        " user { id } role { key } } } } } } } }",
        "{ " + "viewer { " * 16 + "tokenName" + "}" * 17,
        "{ imports(first: 20) { edges { node { rows(first: 50) { edges { node {"
        " cells { column value } } } } } } } }",
        "query ($n: Int) { cases(first: $n) { edges { node { assignments(first: $n) { edges {"
        " node { user { assignments(first: $n) { totalCount } } } } } } } } }",
        "{ ...f0 ...f0 } "
        + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
        + " fragment f60 on Query { viewer { tokenName } }",
    ],
    ids=[
        "aliases", "root fields", "depth", "objects", "nesting", "cells", "variables", "fragments",
    ],
)  # fmt: skip
async def test_too_complex(api: Api, query: str) -> None:
    """A query that would cost too much is refused, in a moment, before anything is executed."""
    started = time.process_time()

    assert await api.code(query, {"n": 100}) == "TOO_COMPLEX"
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("variables", "declared", "is_refused"),
    [
        ({}, "$n: Int", False),
        ({"n": None}, "$n: Int", False),
        ({"n": 50}, "$n: Int = 100", False),
        ({"n": 100}, "$n: Int", True),
        ({}, "$n: Int = 100", True),
        ({"n": 10**9}, "$n: Int", True),
    ],
)
async def test_variables_count(
    api: Api, variables: dict[str, Any], declared: str, is_refused: bool
) -> None:
    """Page sizes count as they will be, also when they come from a variable or its default."""
    query = (
        f"query ({declared}) {{ cases(first: $n) {{ edges {{ node {{ assignments(first: $n)"
        " { edges { node { user { id } role { key } } } } } } } }"
    )

    result = await api.execute(query, variables)

    assert is_refused == (result.get("errors", [{}])[0].get("message", "").startswith("The query"))


@pytest.mark.parametrize(
    ("field", "declared", "given", "is_refused"),
    [
        ("nodes(ids: $n)", "[ID!]!", ["x"] * 50, False),
        ("nodes(ids: $n)", "[ID!]!", ["x"] * 300, True),
        ("nodes(ids: $n)", "[ID!]!", "x", False),
        ('nodes(ids: ["x", $n])', "ID!", "x", False),
        ("nodes(ids: [" + '"x" ' * 250 + "$n])", "ID!", "x", True),
        ("casesByTagId(tagIds: $n)", "[String!]!", ["x"] * 300, True),
        ("casesByTagId(tagIds: $n)", "[String!]!", ["x"] * 50, False),
        ("casesByTagId(tagIds: $n)", "[String!]! = [" + '"x" ' * 300 + "]", None, True),
    ],
)
async def test_names_count(
    api: Api, field: str, declared: str, given: object, is_refused: bool
) -> None:
    """What is asked for by name counts as often as there are names, wherever they are written."""
    inner = "assignments(first: 100) { edges { node { user { id } role { key } } } }"
    query = f"query ($n: {declared}) {{ {field} {{ ... on Case {{ {inner} }} }} }}"

    result = await api.execute(query, {} if given is None else {"n": given})

    assert is_refused == (result.get("errors", [{}])[0].get("message", "").startswith("The query"))


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { ...f } } fragment f on Viewer {" + "tokenName " * 900 + "}",
        "{ viewer { tokenName } } fragment f on Viewer {" + "tokenName " * 900 + "}",
        "{ viewer { tokenName } } fragment f on Viewer { " + "app { slug " * 200 + "}" * 201,
    ],
    ids=["spread", "not spread", "deep"],
)
async def test_fragments_count(api: Api, query: str) -> None:
    """A fragment counts, whether anything spreads it or not."""
    started = time.process_time()

    assert await api.code(query) in ("TOO_COMPLEX", "SYNTAX_ERROR")
    assert time.process_time() - started < 0.5


async def test_too_many_tokens(api: Api) -> None:
    """A query of more than 1,000 tokens is not even parsed to its end."""
    assert await api.code("{ viewer { " + "tokenName " * 1000 + "} }") == "SYNTAX_ERROR"


async def test_same_field_many_times_is_quick(api: Api) -> None:
    """What makes graphql-core's own rules compare every field with every other is refused first."""
    query = "{ viewer { " + "tokenName " * 900 + "} }"
    started = time.process_time()

    assert await api.code(query) == "TOO_COMPLEX"
    assert time.process_time() - started < 0.5


def test_every_list_has_a_cost() -> None:
    """No list of the schema counts as one object: it has a page, or a length that is reckoned."""
    pages = {
        f"{kind.name}.edges"
        for kind in schema._schema.type_map.values()
        if kind.name.endswith("Connection")
    }
    lists = {
        (kind.name, name)
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in kind.fields.items()
        if isinstance(get_nullable_type(field.type), GraphQLList)
        or "edges" in getattr(get_named_type(field.type), "fields", {})
    }
    costs = field_costs(schema._schema)

    assert {f"{kind}.{name}" for kind, name in lists if costs[kind, name].times == 1} == pages


async def test_rows_with_cells_and_errors_are_allowed(api: Api) -> None:
    """So is a page of imports with their first failed rows, and a hundred rows of one import."""
    rows = "edges { node { number cells { column value } errors { code message column value } } }"
    many = (
        f"{{ imports {{ edges {{ node {{ rows(first: 10, status: FAILED) {{ {rows} }} }} }} }} }}"
    )
    one = f'{{ import(id: "x") {{ id errors {{ code }} rows(first: 100) {{ {rows} }} }} }}'

    assert await api.data(many) == {"imports": {"edges": []}}
    assert await api.data(one) == {"import": None}


async def test_page_of_a_hundred_with_its_people_is_allowed(api: Api) -> None:
    """What a client reasonably asks for is within the limits."""
    await add_cases(api.world.app, 1)

    data = await api.data(
        "{ cases(first: 100) { edges { node { id assignments { edges { node { user { email }"
        " role { key } } } } } } } }"
    )

    assert len(data["cases"]["edges"]) == 1


@pytest.mark.parametrize("name", [None, ""])
async def test_several_operations_and_no_name(api: Api, name: str | None) -> None:
    """Of several operations none is run unless the request says which."""
    query = 'query a { viewer { tokenName } } mutation b { cancelImport(id: "x") { __typename } }'
    body = {"query": query, "operationName": name}

    async with api.http.post(
        f"{api.url}/graphql", json=body, headers=bearer(api.world.admin)
    ) as response:
        answer = await response.json()

    assert "data" not in answer
    assert "operationName" in answer["errors"][0]["message"]


async def test_introspection(api: Api) -> None:
    """Tools can read the schema, with a token."""
    everything = {"input_value_deprecation": True, "specified_by_url": True, "one_of": True}
    data = await api.data(get_introspection_query(type_depth=10, **everything))
    types = {kind["name"]: kind["isOneOf"] for kind in data["__schema"]["types"]}

    assert build_client_schema(data).query_type
    assert (types["CaseBy"], types["CreateCaseInput"], types["Case"]) == (True, False, None)


async def test_introspection_of_wrappers(api: Api) -> None:
    """`isOneOf` is null for what is no input object, lists and non-null types too."""
    data = await api.data(
        '{ __type(name: "Query") { isOneOf fields { type { isOneOf ofType { isOneOf } } args {'
        " type { isOneOf kind ofType { isOneOf name } } } } } }"
    )
    arguments = [arg["type"] for field in data["__type"]["fields"] for arg in field["args"]]
    wrapped = {
        each["ofType"]["name"]: each["ofType"]["isOneOf"] for each in arguments if each["ofType"]
    }

    assert {each["isOneOf"] for each in arguments if each["kind"] in ("LIST", "NON_NULL")} == {None}
    assert (wrapped["CaseBy"], wrapped["ID"]) == (True, None)


NESTED = "{ __schema { types { fields { type { %s } } } } }"
ATTACKS = {
    "aliases": NESTED
    % "ofType { fields { %s } }"
    % " ".join(f"a{number}: type {{ name kind }}" for number in range(18)),
    "types of types": NESTED % "fields { type { name ofType { name } } }",
    "arguments": NESTED % "fields { args { type { name ofType { name } } } }",
    "members": "{ __schema { types { possibleTypes { fields { type { name } } } } } }",
    "all": get_introspection_query(input_value_deprecation=True),
}


@pytest.mark.parametrize("query", ATTACKS.values(), ids=ATTACKS)
async def test_cost_of_introspection(api: Api, query: str) -> None:
    """A query of the schema has no more objects than it is reckoned with."""
    document = parse(query)
    data = await api.data(query)
    counted = orjson.dumps(data).count(b"{") - 1

    with pytest.raises(ApiError, match="objects"):
        check_size(schema._schema, document, {}, QueryLimits(objects=counted - 1, values=10**9))


async def test_what_is_remembered_is_remembered_whole(api: Api) -> None:
    """A text counts as known only for as long as it need not be parsed again; a wrong one never."""
    kept, wrong = "{ viewer { tokenName } }", "{ viewer { nothing }"
    await api.execute(kept)
    await api.execute(wrong)
    before = (is_remembered(kept), is_remembered(wrong))
    # A token's new texts are parsed one by one, with pauses; those of three tokens at a time.
    tokens = (api.world.admin, api.world.viewer, api.world.stranger)
    for number in range(0, 300, 3):
        texts = [f"{{ viewer {{ a{number + each}: tokenName }} }}" for each in range(3)]
        await asyncio.gather(
            *(api.execute(text, token=token) for text, token in zip(texts, tokens, strict=True))
        )
    forgotten = not is_remembered(kept)
    misses = _parse_text.cache_info().misses
    await api.execute(kept)

    assert before == (True, False)
    assert forgotten
    assert _parse_text.cache_info().misses == misses + 1
    assert is_remembered(kept)
