"""Queries that clients name by their hash: Apollo's automatic persisted queries."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from api.errors import HttpError, bad_request

# Of all texts that are kept for a token. A client has a few dozen queries of some thousand
# characters.
_MOST_CHARACTERS = 1_000_000
# Else texts of a few characters, of which an entry is most, would take a hundred times as much.
_MOST_TEXTS = 2_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PersistedQueryNotFoundError(HttpError):
    """The client is to send the query's text along; it recognises message and code.

    The status is 200, as that of Apollo's server: clients take another for a failure of transport.
    """

    def __init__(self) -> None:
        super().__init__(200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


class PersistedQueries:
    """The texts of a token's queries by their SHA-256, the least recently used first.

    They are kept for each token, so that no other token can crowd them out, and by each process. A
    client that meets another process, or comes after a text was dropped, sends the text once more.
    """

    def __init__(self, most_characters: int = _MOST_CHARACTERS) -> None:
        self._texts: dict[str, str] = {}
        self._most_characters = most_characters
        self._characters = 0

    def fill_in(self, body: Any) -> Any:
        """Return a request with its query's text, and keep the text if it comes with its hash.

        Args:
            body: parsed JSON, of which nothing has been checked.

        Raises:
            PersistedQueryNotFoundError: there is only a hash, of no text that is kept.
            HttpError: the hash is not that of the query, or is none.
        """
        extensions = body.get("extensions") if isinstance(body, dict) else None
        reference = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
        if reference is None:
            return body
        digest, query = _read_digest(reference), body.get("query")
        if query is None or query == "":
            return body | {"query": self._find(digest)}
        if isinstance(query, str):
            if hashlib.sha256(query.encode()).hexdigest() != digest:
                raise bad_request("'persistedQuery.sha256Hash' is not the SHA-256 of 'query'.")
            self._keep(digest, query)
        return body

    def _find(self, digest: str) -> str:
        query = self._texts.pop(digest, None)
        if query is None:
            raise PersistedQueryNotFoundError
        self._texts[digest] = query  # last, as it was used last
        return query

    def _keep(self, digest: str, query: str) -> None:
        if digest in self._texts or len(query) > self._most_characters:
            return
        self._texts[digest] = query
        self._characters += len(query)
        while self._characters > self._most_characters or len(self._texts) > _MOST_TEXTS:
            dropped = self._texts.pop(next(iter(self._texts)))
            self._characters -= len(dropped)


def _read_digest(reference: object) -> str:
    if not isinstance(reference, dict) or reference.get("version") != 1:
        raise bad_request("'persistedQuery' has to be an object, with the version 1.")
    digest = reference.get("sha256Hash")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise bad_request("'persistedQuery.sha256Hash' has to be 64 hexadecimal digits.")
    return digest
