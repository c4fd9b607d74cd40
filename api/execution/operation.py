"""What a GraphQL request asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.errors import bad_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A GraphQL request, of which only the form has been checked.

    Args:
        query: the document's text.
        variables: by name, as JSON.
        name: which operation of the document to execute; None if it has only one.
    """

    query: str
    variables: dict[str, Any] | None
    name: str | None


def to_operation(body: object) -> Operation:
    """Check the form of a request.

    Args:
        body: what the client sent, parsed.

    Raises:
        HttpError: it does not have the form of a GraphQL request.
    """
    if isinstance(body, list):
        raise bad_request("Batches are not supported: send one operation a request.")
    if not isinstance(body, dict):
        raise bad_request("The request has to be a JSON object.")
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise bad_request("'query' has to be the text of a GraphQL document.")
    if not isinstance(variables, dict | None):
        raise bad_request("'variables' has to be an object.")
    if not isinstance(name, str | None):
        raise bad_request("'operationName' has to be text.")
    if not isinstance(body.get("extensions"), dict | None):
        raise bad_request("'extensions' has to be an object.")
    return Operation(query=query, variables=variables, name=name or None)
