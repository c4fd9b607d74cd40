"""What each token may still ask of this process."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from api.errors import HttpError

if TYPE_CHECKING:
    from api.limits import TokenLimits

BURST_SECONDS = 10
# Each may hold a body of a mebibyte, or as much of an answer that is not taken.
_MOST_WAITING = 200
_MOST_DOWNLOADS = 50


class Places:
    """So many things at a time; a `with` block takes a place.

    Args:
        most: how many places there are.
        noun: what takes them, for the message.
    """

    def __init__(self, most: int, noun: str) -> None:
        self.taken = 0
        self._most = most
        self._noun = noun

    def check(self) -> None:
        """See that there is a place.

        Raises:
            HttpError: there is none.
        """
        if self.taken >= self._most:
            message = f"This token has {self._most:,} {self._noun}, the most; end one first."
            raise HttpError(429, "TOO_MANY_REQUESTS", message)

    def __enter__(self) -> None:
        """Take a place.

        Raises:
            HttpError: there is none.
        """
        self.check()
        self.taken += 1

    def __exit__(self, *exc_info: object) -> None:
        self.taken -= 1


class Allowance:
    """What one token may still ask.

    Attributes:
        turns: one is taken while a request is executed.
        connections: one is taken while a connection of the database is, whoever waits for it.
        waiting: a place is taken while a request waits for its turn, or has it.
        downloads: a place is taken while one is on its way.
        uploads: a place is taken while one is on its way.
        sockets: likewise, while one is open.
        subscriptions: likewise.
    """

    def __init__(self, limits: TokenLimits) -> None:
        self.turns = asyncio.Semaphore(limits.running)
        self.connections = asyncio.Semaphore(limits.running)
        self.waiting = Places(_MOST_WAITING, "requests waiting")
        self.downloads = Places(_MOST_DOWNLOADS, "downloads on their way")
        self.uploads = Places(limits.uploads, "uploads on their way")
        self.sockets = Places(limits.sockets, "open WebSockets")
        self.subscriptions = Places(limits.subscriptions, "subscriptions")
        self._rate = limits.requests_per_second
        self._left = float(self._rate * BURST_SECONDS)
        self._counted_at = time.monotonic()

    def count(self) -> None:
        """Count a request, or a message of a WebSocket.

        Raises:
            HttpError: there were too many.
        """
        now = time.monotonic()
        left = self._left + (now - self._counted_at) * self._rate
        self._left = min(left, self._rate * BURST_SECONDS)
        self._counted_at = now
        if self._left < 1:
            message = f"This token may send {self._rate:,} requests a second; wait, and try again."
            raise HttpError(429, "TOO_MANY_REQUESTS", message, {"Retry-After": "1"})
        self._left -= 1


class Allowances:
    """Finds the allowance of a token; there are no more of them than tokens in the database."""

    def __init__(self, limits: TokenLimits) -> None:
        self._limits = limits
        self._known: dict[int, Allowance] = {}

    def of(self, token_id: int) -> Allowance:
        """Return what a token may still ask."""
        found = self._known.get(token_id)
        if found is None:
            found = self._known[token_id] = Allowance(self._limits)
        return found
