"""A GraphQL request in the URL of a GET."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from api.errors import bad_request
from api.http.body import parse_json

_TEXTS = ("query", "operationName")
_OBJECTS = ("variables", "extensions")


def read_query_string(text: bytes) -> dict[str, Any]:
    """Read what the body of a POST would hold; other parameters mean nothing.

    Raises:
        HttpError: a parameter is malformed, or comes twice.
    """
    try:
        pairs = parse_qsl(text.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise bad_request("The parameters of the URL have to be UTF-8, percent-encoded.") from error
    values = [(name, value) for name, value in pairs if name in _TEXTS + _OBJECTS]
    body: dict[str, Any] = dict(values)
    if len(body) < len(values):
        raise bad_request("A parameter of the URL comes twice.")
    for name in _OBJECTS:
        if name in body:
            body[name] = parse_json(body[name], f"'{name}'") if body[name] else None
    return body
