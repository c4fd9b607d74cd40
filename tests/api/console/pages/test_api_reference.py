"""The API's page: the schema to look up, and a box to run a query in."""

from __future__ import annotations

import html

import pytest

from api.console.pages.api_reference import TypeText, write_type
from api.console.snippets import read_snippets
from tests.api.console.browser import Answer, Browser

QUERY = "query ($first: Int) { cases(first: $first) { totalCount } }"


def text_of(answer: Answer) -> str:
    return html.unescape(answer.text)


async def test_run(viewer: Browser) -> None:
    """A query runs with the visitor's token; its answer is formatted, and its cost said."""
    answer = await viewer.post("/console/api", {"query": QUERY, "variables": '{"first": 2}'})

    assert '"cases": {\n      "totalCount": 0\n    }' in text_of(answer)
    assert "It may return" in answer.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"query": QUERY, "variables": "{"}, "The variables are not valid JSON"),
        ({"query": QUERY, "variables": "[" * 5000}, "The variables are not valid JSON"),
        ({"query": ""}, "'query' has to be the text of a GraphQL document."),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing'"),
        ({"query": "subscription { importsUpdated { id } }"}, "Subscriptions go over"),
        ({"query": 'mutation { cancelImport(id: "x") { import { id } } }'}, "may only read"),
    ],
    ids=["variables", "nested", "blank", "field", "subscription", "viewer"],
)
async def test_refusals(viewer: Browser, fields: dict[str, str], said: str) -> None:
    """What is wrong is said on the page, and what was typed stays."""
    answer = await viewer.post("/console/api", fields)

    assert answer.status == 200
    assert said in text_of(answer)
    assert fields["query"] in text_of(answer)


async def test_search(viewer: Browser) -> None:
    """A search finds types and members, and links to each; those whose names have it come first."""
    answer = await viewer.get("/console/api?search=queuePosition")

    assert 'href="/console/api/types/Import#queuePosition"' in answer.text


async def test_type(viewer: Browser) -> None:
    """A type has a place for each field, with its arguments and links to their types."""
    answer = await viewer.get("/console/api/types/Import")
    missing = await viewer.get("/console/api/types/Nothing")

    assert '<tr id="rows">' in answer.text
    assert '[<a href="/console/api/types/RowStatus">RowStatus</a>!]' in answer.text
    assert missing.status == 404


def test_write_type() -> None:
    """Brackets and marks stand around the name."""
    named = {"kind": "OBJECT", "name": "Case"}
    strict = {"kind": "NON_NULL", "ofType": named}
    kind = {"kind": "NON_NULL", "ofType": {"kind": "LIST", "ofType": strict}}

    assert write_type(kind) == TypeText("[", "Case", "!]!")


def test_snippets() -> None:
    """Each client of the documentation is there, whole."""
    found = {snippet.title: snippet.text for snippet in read_snippets()}

    assert list(found)[:2] == ["curl", "Python: gql 4"]
    assert found["Python: gql 4"].rstrip().endswith("asyncio.run(main())")
