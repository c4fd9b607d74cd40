"""Limits of what clients may cost this process; each number is a setting."""

from __future__ import annotations

from typing import NamedTuple

APP_CONNECTIONS = 10
"""Database connections of a process that requests share, whichever token they have."""

HIGHEST = {
    "running": APP_CONNECTIONS - 1,
    "head_seconds": 3_600,
    "init_seconds": 3_600,
    "idle_seconds": 3_600,
}
"""The highest values of limits that have one."""


class QueryLimits(NamedTuple):
    """How large an operation may be.

    Args:
        characters: of the document's text.
        tokens: of the document's text.
        depth: levels of fields.
        aliases: fields that have one.
        root_fields: fields of the query or mutation itself.
        fields: all fields, with fragments expanded.
        objects: that the operation may return at most, computed from its page sizes.
        values: fields of all these objects.
        answer_characters: of all names and texts in an answer.
    """

    characters: int = 100_000
    tokens: int = 1_000
    # What the introspection query of graphql-js has when it asks for ten types inside types.
    depth: int = 16
    aliases: int = 30
    root_fields: int = 20
    fields: int = 300
    objects: int = 20_000
    values: int = 200_000
    answer_characters: int = 8_000_000


class TokenLimits(NamedTuple):
    """What one token may have of this process (`api/access/quota.py`).

    Args:
        requests_per_second: on the average; ten seconds' worth may come at once.
        running: operations that are executed at a time, and database connections; others wait.
            Fewer than `APP_CONNECTIONS`, so that other tokens find one.
        uploads: uploads under way at a time.
        sockets: open WebSockets.
        subscriptions: on all WebSockets.
        operations: under way on one WebSocket.
    """

    requests_per_second: int = 1_000
    running: int = 8
    uploads: int = 20
    sockets: int = 2_000
    subscriptions: int = 5_000
    operations: int = 50


class Patience(NamedTuple):
    """How long to wait for a client.

    Args:
        head_seconds: from the beginning of a request to the end of its headers.
        init_seconds: from the opening of a WebSocket to `connection_init`.
        idle_seconds: in which the client neither sends nor reads a byte.
        min_bytes_per_second: of a body or an answer, on the average.
    """

    head_seconds: float = 10
    init_seconds: float = 10
    idle_seconds: float = 30
    min_bytes_per_second: int = 1_000

    def seconds_left(self, size: int, waited: float) -> float:
        """Return for how many seconds to wait for the next block of a body.

        Args:
            size: the bytes that have arrived.
            waited: the seconds that they took.
        """
        return min(self.idle_seconds, self.idle_seconds + size / self.min_bytes_per_second - waited)
