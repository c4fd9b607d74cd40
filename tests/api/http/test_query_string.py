"""GraphQL requests in URLs."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import HttpError
from api.http.query_string import read_query_string


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("", {}),
        ("query={roles{key}}", {"query": "{roles{key}}"}),
        ("query=%7B+roles%20%7Bkey%7D+%7D", {"query": "{ roles {key} }"}),
        ("query=é&operationName=%C3%A9", {"query": "é", "operationName": "é"}),
        ('variables={"a":"é %26 %2B"}', {"variables": {"a": "é & +"}}),
        ("variables=&extensions=&operationName=", {
            "variables": None, "extensions": None, "operationName": "",
        }),
        ("variables=[]", {"variables": []}),
        ("token=x&access_token=y&token=z", {}),
    ],
)  # fmt: skip
def test_parameters(text: str, body: dict[str, Any]) -> None:
    """A URL says what a body would; what it says besides means nothing."""
    assert read_query_string(text.encode()) == body


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query=%FF", "have to be UTF-8"),
        ("query=%ED%A0%80", "have to be UTF-8"),
        ("query=a&query=b", "comes twice"),
        ("query=a&%71uery=", "comes twice"),
        ("variables={", "'variables' is not valid JSON"),
        ("extensions=x", "'extensions' is not valid JSON"),
    ],
)
def test_malformed_parameters(text: str, message: str) -> None:
    """A URL that can't be read, or says two things, is refused."""
    with pytest.raises(HttpError, match=message) as caught:
        read_query_string(text.encode())

    assert caught.value.status == 400
