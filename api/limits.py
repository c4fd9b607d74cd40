"""What clients may cost this process; each number is a setting."""

from __future__ import annotations

from typing import NamedTuple

APP_CONNECTIONS = 10
"""Of the database, for all tokens."""

HIGHEST = {"running": APP_CONNECTIONS - 1}
"""Limits that can't be higher."""


class QueryLimits(NamedTuple):
    """How large an operation may be.

    Args:
        characters: of the document's text; texts are remembered.
        tokens: likewise.
        depth: levels of fields.
        aliases: fields with another name than their own.
        root_fields: what an operation begins with.
        fields: all of them, fragments written out.
        objects: what the operation may return at most, by the sizes of its pages.
        values: likewise, each field of each object.
        answer_characters: of all names and texts in an answer.
    """

    characters: int = 100_000
    tokens: int = 1_000
    depth: int = 15
    aliases: int = 30
    root_fields: int = 20
    fields: int = 300
    objects: int = 20_000
    values: int = 200_000
    answer_characters: int = 8_000_000


class TokenLimits(NamedTuple):
    """What one token may have of this process.

    Args:
        requests_per_second: on the average; ten seconds' worth may come at once.
        running: requests that are executed at a time; others wait for their turn. Fewer than there
            are database connections, so that other tokens find one.
        uploads: files on their way at a time.
        sockets: open WebSockets.
        subscriptions: on all its sockets.
        operations: under way on one socket.
    """

    requests_per_second: int = 1_000
    running: int = 8
    uploads: int = 20
    sockets: int = 2_000
    subscriptions: int = 5_000
    operations: int = 50


class Patience(NamedTuple):
    """How long a client is waited for.

    Args:
        head_seconds: from the beginning of a request to the end of its headers.
        init_seconds: from the opening of a WebSocket to `connection_init`.
        idle_seconds: without a byte sent or taken.
        bytes_per_second: how slow a body may come on the average.
    """

    head_seconds: float = 10
    init_seconds: float = 10
    idle_seconds: float = 30
    bytes_per_second: int = 1_000

    def seconds_left(self, size: int, waited: float) -> float:
        """Tell how long to wait for more of a body.

        Args:
            size: the bytes that have come.
            waited: the seconds that this took.
        """
        return min(self.idle_seconds, self.idle_seconds + size / self.bytes_per_second - waited)
