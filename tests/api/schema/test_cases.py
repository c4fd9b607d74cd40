"""Creating and changing cases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.api_fixture import Api, add_cases, node_id, sql

CREATE = """mutation ($input: CreateCaseInput!) { createCase(input: $input) {
  case { id tagId about status dateOpened } userErrors { code message field } } }"""
UPDATE = """mutation ($id: ID!, $input: UpdateCaseInput!) { updateCase(id: $id, input: $input) {
  case { id tagId about status dateOpened } userErrors { code message field } } }"""


async def create(api: Api, **values: Any) -> dict[str, Any]:
    """Create a case and return the payload."""
    payload: dict[str, Any] = (await api.data(CREATE, {"input": values}))["createCase"]
    return payload


async def update(api: Api, case_id: str, **values: Any) -> dict[str, Any]:
    """Change a case and return the payload."""
    variables = {"id": case_id, "input": values}
    payload: dict[str, Any] = (await api.data(UPDATE, variables))["updateCase"]
    return payload


def errors(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return codes and fields; a payload with errors has nothing else."""
    assert (payload["case"] is None) == bool(payload["userErrors"])
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_create(api: Api) -> None:
    """A case is created with what is given, trimmed; it is open and has no Tag ID by default."""
    full = await create(
        api, about=" New ", tagId=" a/B-1_2 ", status="CLOSED", dateOpened="2026-01-31"
    )
    least = await create(api, about="Only this")

    assert errors(full) == errors(least) == []
    assert {
        "tagId": "a/B-1_2",
        "about": "New",
        "status": "CLOSED",
        "dateOpened": "2026-01-31",
    }.items() <= full["case"].items()
    assert {"tagId": None, "status": "ACTIVE", "dateOpened": None}.items() <= least["case"].items()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"about": "  "}, [("REQUIRED", ["input", "about"])]),
        ({"about": "x" * 10_001}, [("TOO_LONG", ["input", "about"])]),
        ({"about": "a\x00b"}, [("CONTROL_CHARACTER", ["input", "about"])]),
        ({"tagId": "a b"}, [("INVALID_TAG", ["input", "tagId"])]),
        ({"tagId": "é"}, [("INVALID_TAG", ["input", "tagId"])]),
        ({"tagId": "x" * 65}, [("INVALID_TAG", ["input", "tagId"])]),
        ({"tagId": "\uff11"}, [("INVALID_TAG", ["input", "tagId"])]),
        ({"tagId": "case-1"}, [("TAG_TAKEN", ["input", "tagId"])]),
        (
            {"about": "", "tagId": "?"},
            [("REQUIRED", ["input", "about"]), ("INVALID_TAG", ["input", "tagId"])],
        ),
    ],
)
async def test_create_wrongly(
    api: Api, values: dict[str, Any], expected: list[tuple[str, list[str]]]
) -> None:
    """Everything that is wrong is told at once, and nothing is created."""
    await add_cases(api.world.app, 1)

    payload = await create(api, **{"about": "New", **values})

    assert errors(payload) == expected
    assert await sql("fetchval", "SELECT count(*) FROM cases") == 1


async def test_about_as_files_keep_it(api: Api) -> None:
    """What a case is about may have lines, and is kept in one Unicode form, as files keep it."""
    payload = await create(api, about="Nu\u0301n\u0303ez\r\nv. Smith")

    assert payload["case"]["about"] == "Núñez\nv. Smith"


async def test_blank_tags(api: Api) -> None:
    """Any number of cases have no Tag ID; a blank one is none."""
    payloads = [await create(api, about="x", tagId=tag) for tag in ("", "  ", None)]

    assert [payload["case"]["tagId"] for payload in payloads] == [None] * 3


async def test_update(api: Api) -> None:
    """What is given changes, what is left out stays, and null clears a date."""
    [key] = await add_cases(api.world.app, 1)
    case_id = node_id("Case", key)

    closed = await update(api, case_id, status="CLOSED", dateOpened="2026-01-31")
    renamed = await update(api, case_id, about="Other", dateOpened=None)
    nothing = await update(api, case_id)

    assert closed["case"] == {
        "id": case_id,
        "tagId": "case-1",
        "about": "About 1",
        "status": "CLOSED",
        "dateOpened": "2026-01-31",
    }
    assert renamed["case"] == {**closed["case"], "about": "Other", "dateOpened": None}
    assert nothing["case"] == renamed["case"]


async def test_update_twice(api: Api) -> None:
    """Each mutation of an operation shows what it has changed, not what one before has loaded."""
    [key] = await add_cases(api.world.app, 1)
    update = """%s: updateCase(id: "%s", input: {about: "%s"}) {
      case { about history(first: 1) { totalCount edges { node { fields { after } } } } }
    }"""
    node = node_id("Case", key)
    mutations = " ".join(update % (name, node, name) for name in ("one", "two", "three"))

    done = await api.data(f"mutation {{ {mutations} }}")

    for count, name in enumerate(("one", "two", "three"), 1):
        shown = done[name]["case"]
        assert shown["about"] == name
        assert shown["history"]["totalCount"] == count
        assert shown["history"]["edges"][0]["node"]["fields"] == [{"after": name}]


@pytest.mark.parametrize("field", ["about", "status"])
async def test_null_is_refused(api: Api, field: str) -> None:
    """Null for what can't be empty is an error, and changes nothing, nor does what is beside it."""
    [key] = await add_cases(api.world.app, 1)
    case_id = node_id("Case", key)
    before = await update(api, case_id)

    refused = await update(api, case_id, **{"dateOpened": "2026-01-31", field: None})

    assert errors(refused) == [("REQUIRED", ["input", field])]
    assert await update(api, case_id) == before


async def test_null_tags(api: Api) -> None:
    """A Tag ID that is set can't be cleared; null where there is none changes nothing."""
    [key] = await add_cases(api.world.app, 1)
    blank = (await create(api, about="x"))["case"]

    assert errors(await update(api, node_id("Case", key), tagId=None)) == [
        ("TAG_PERMANENT", ["input", "tagId"])
    ]
    assert (await update(api, blank["id"], tagId=None))["case"] == blank


async def test_many_by_tag_id(api: Api, statements: list[str]) -> None:
    """Cases come in the order of their Tag IDs, with null for each that is not there, exactly."""
    keys = await add_cases(api.world.app, 3)
    await add_cases(api.world.other, 4)
    query = "query ($tags: [String!]!) { casesByTagId(tagIds: $tags) { id tagId } }"
    tags = ["case-3", "case-4", "CASE-1", "case-1", "", "case-3"]
    statements.clear()

    found = (await api.data(query, {"tags": tags}))["casesByTagId"]

    third, first = ({"id": node_id("Case", keys[n]), "tagId": f"case-{n + 1}"} for n in (2, 0))
    assert found == [third, None, None, first, None, third]
    assert len(statements) == 2, statements
    assert await api.code(query, {"tags": ["x"] * 1_001}) == "TOO_MANY_IDS"
    assert await api.data(query, {"tags": []}) == {"casesByTagId": []}


async def test_tags_are_permanent(api: Api) -> None:
    """A Tag ID can be set where there is none, and never changed again."""
    await add_cases(api.world.app, 1)
    case_id = (await create(api, about="x"))["case"]["id"]

    taken = await update(api, case_id, tagId="case-1")
    first = await update(api, case_id, tagId="new")
    same = await update(api, case_id, tagId="new", about="y")
    other = await update(api, case_id, tagId="other")
    blank = await update(api, case_id, tagId="")

    assert errors(taken) == [("TAG_TAKEN", ["input", "tagId"])]
    assert first["case"]["tagId"] == same["case"]["tagId"] == "new"
    assert errors(other) == [("TAG_PERMANENT", ["input", "tagId"])] == errors(blank)


@pytest.mark.parametrize("case_id", ["nonsense", "", node_id("Case", 0), node_id("User", 1)])
async def test_update_nothing(api: Api, case_id: str) -> None:
    """What is not a case can't be changed."""
    assert errors(await update(api, case_id, about="x")) == [("NOT_FOUND", ["id"])]


async def test_update_wrongly(api: Api) -> None:
    """A change is checked as a new case is."""
    [key] = await add_cases(api.world.app, 1)

    payload = await update(api, node_id("Case", key), about=" ", tagId="?")

    assert [code for code, _ in errors(payload)] == ["REQUIRED", "INVALID_TAG"]
