"""Queries named by their hash."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from api.access.persisted_queries import PersistedQueries, PersistedQueryNotFoundError
from api.errors import HttpError


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def named(query: str, /, **body: Any) -> dict[str, Any]:
    """Make a request that names a query by its hash."""
    reference = {"version": 1, "sha256Hash": digest(query)}
    return {**body, "extensions": {"persistedQuery": reference}}


@pytest.mark.parametrize(
    "body",
    [None, [], "text", 7, {}, {"query": "a"}, {"extensions": None}, {"extensions": 7},
     {"query": "a", "extensions": {"other": 1}}, {"extensions": {"persistedQuery": None}}],
)  # fmt: skip
def test_other_requests(body: Any) -> None:
    """What names no query by a hash stays as it is."""
    assert PersistedQueries().fill_in(body) is body


@pytest.mark.parametrize("missing", [{}, {"query": None}, {"query": ""}])
def test_query_sent_once(missing: dict[str, Any]) -> None:
    """A text that came with its hash need not come again."""
    queries = PersistedQueries()
    with pytest.raises(PersistedQueryNotFoundError) as caught:
        queries.fill_in(named("{ é }", **missing))
    whole = named("{ é }", query="{ é }", variables={"a": 1})

    assert queries.fill_in(whole) == whole
    assert queries.fill_in(named("{ é }", **missing))["query"] == "{ é }"
    assert caught.value.body == {
        "errors": [
            {
                "message": "PersistedQueryNotFound",
                "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
            }
        ]
    }


def test_wrong_hash() -> None:
    """A text under the hash of another is refused, and not kept."""
    queries = PersistedQueries()
    with pytest.raises(HttpError, match="SHA-256") as caught:
        queries.fill_in(named("{ a }", query="{ b }"))

    assert caught.value.status == 400
    for query in ("{ a }", "{ b }"):
        with pytest.raises(PersistedQueryNotFoundError):
            queries.fill_in(named(query))


@pytest.mark.parametrize(
    "reference",
    [7, [], "x", {}, {"version": 1}, {"version": 2, "sha256Hash": digest("a")},
     {"version": 1, "sha256Hash": 7}, {"version": 1, "sha256Hash": "abc"},
     {"version": 1, "sha256Hash": "g" * 64}, {"version": 1, "sha256Hash": digest("a") + "0"}],
)  # fmt: skip
def test_malformed_reference(reference: Any) -> None:
    """A reference that is none is refused, whether there is a text or not."""
    for body in ({}, {"query": "a"}):
        with pytest.raises(HttpError) as caught:
            PersistedQueries().fill_in({**body, "extensions": {"persistedQuery": reference}})

        assert (caught.value.status, caught.value.code) == (400, "BAD_REQUEST")


def test_query_of_another_kind() -> None:
    """What is no text is left to the check of the request's form."""
    body = named("a", query=7)

    assert PersistedQueries().fill_in(body) is body


def test_least_recently_used_goes_first() -> None:
    """The texts that are kept are bounded by their length."""
    queries = PersistedQueries(most_characters=10)
    for query in ("aaaa", "bbbb"):
        queries.fill_in(named(query, query=query))
    queries.fill_in(named("aaaa"))
    queries.fill_in(named("cccc", query="cccc"))

    assert queries.fill_in(named("aaaa"))["query"] == "aaaa"
    assert queries.fill_in(named("cccc"))["query"] == "cccc"
    with pytest.raises(PersistedQueryNotFoundError):
        queries.fill_in(named("bbbb"))


def test_many_short_texts() -> None:
    """The texts are bounded by their number, too."""
    queries = PersistedQueries()
    texts = [f"{{ a{number} }}" for number in range(2_001)]
    for query in texts:
        queries.fill_in(named(query, query=query))

    assert queries.fill_in(named(texts[1]))["query"] == texts[1]
    with pytest.raises(PersistedQueryNotFoundError):
        queries.fill_in(named(texts[0]))


def test_text_that_is_too_long_to_keep() -> None:
    """A text over the bound runs, and drops no other."""
    queries = PersistedQueries(most_characters=10)
    queries.fill_in(named("aaaa", query="aaaa"))
    queries.fill_in(named("b" * 11, query="b" * 11))

    assert queries.fill_in(named("aaaa"))["query"] == "aaaa"
    with pytest.raises(PersistedQueryNotFoundError):
        queries.fill_in(named("b" * 11))


def test_same_text_again_takes_no_room() -> None:
    """A client that always sends both fills nothing."""
    queries = PersistedQueries(most_characters=10)
    queries.fill_in(named("aaaa", query="aaaa"))
    for _ in range(5):
        queries.fill_in(named("bbbb", query="bbbb"))

    assert queries.fill_in(named("aaaa"))["query"] == "aaaa"
