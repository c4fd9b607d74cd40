"""Accept headers as RFC 9110 reads them."""

from __future__ import annotations

import pytest

from api.errors import HttpError
from api.http.accept import choose_media_type

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)
APOLLO_3 = "application/graphql-response+json,application/json;q=0.9"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ([], JSON),
        ([""], JSON),
        (["nonsense"], JSON),
        (["*/*"], JSON),
        (["application/*"], JSON),
        ([JSON], JSON),
        (["application/json; charset=utf-8"], JSON),
        (["APPLICATION/JSON"], JSON),
        ([GRAPHQL_JSON], GRAPHQL_JSON),
        (["Application/GraphQL-Response+JSON; charset=utf-8"], GRAPHQL_JSON),
        ([URQL], GRAPHQL_JSON),
        ([APOLLO_3], GRAPHQL_JSON),
        ([JSON, GRAPHQL_JSON], GRAPHQL_JSON),
        ([f"{JSON}, {GRAPHQL_JSON};q=0.9"], JSON),
        ([f"{JSON};q=0.8, {GRAPHQL_JSON};Q=0.9"], GRAPHQL_JSON),
        ([f"{JSON}, {GRAPHQL_JSON};q=0"], JSON),
        ([f"{JSON};q=0, {GRAPHQL_JSON}"], GRAPHQL_JSON),
        ([f"{JSON};q=0, */*"], GRAPHQL_JSON),
        ([f"{GRAPHQL_JSON};q=0, */*;q=0.1"], JSON),
        ([f"{GRAPHQL_JSON}, */*"], GRAPHQL_JSON),
        ([f"{JSON};q=0.5, */*;q=0.8"], GRAPHQL_JSON),
        ([f"{JSON};q=0.5, {JSON};q=0.9, {GRAPHQL_JSON};q=0.7"], JSON),
        ([f"{JSON};q=nan, {GRAPHQL_JSON};q=0.9"], JSON),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], JSON),
        (["multipart/mixed;deferSpec=20220824,application/json"], JSON),
        (["text/event-stream, application/json"], JSON),
    ],
)
def test_chosen_media_type(accept: list[str], chosen: str) -> None:
    """The client gets what it likes best, and JSON if it does not mind."""
    assert choose_media_type(",".join(accept)) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/event-stream",
        "text/event-stream, multipart/mixed",
        "text/html",
        "application/json;q=0",
        "*/*;q=0.0",
        "image/*, application/*;q=0",
    ],
)
def test_nothing_acceptable(accept: str) -> None:
    """A client that takes neither is told what is spoken."""
    with pytest.raises(HttpError) as caught:
        choose_media_type(accept)

    assert (caught.value.status, caught.value.code) == (406, "NOT_ACCEPTABLE")
    assert JSON in caught.value.message
    assert "graphql-transport-ws" in caught.value.message
