"""What each token may still ask of this process."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.limits import TokenLimits

BURST_SECONDS = 10
# Each may hold a body of a mebibyte.
_MOST_WAITING = 200
_MOST_DOWNLOADS = 50
_ANSWER_BYTES = 64 * 1024 * 1024
_OPERATION_BYTES = 16 * 1024 * 1024
_BYTES_PER_SUBSCRIPTION = 4 * 1024
_PAUSE_SECONDS = 0.005


class Bucket:
    """So many things a second on the average; ten seconds' worth may come at once.

    Args:
        rate: how many a second.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left = float(rate * BURST_SECONDS)
        self._counted_at = time.monotonic()

    def take(self) -> bool:
        """Count one, if it does not come too soon."""
        now = time.monotonic()
        left = self._left + (now - self._counted_at) * self._rate
        self._left = min(left, self._rate * BURST_SECONDS)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Gate:
    """Lets long work through one by one, with a pause in between for the work of others.

    Nothing else is done while something is parsed, validated or completed; and whoever asks for
    little needs the event loop a few times, not once. So the pause is a tenth of the work's time,
    but long enough for a small request.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._entered_at = 0.0

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        self._entered_at = time.monotonic()

    async def __aexit__(self, *exc_info: object) -> None:
        pause = max((time.monotonic() - self._entered_at) / 10, _PAUSE_SECONDS)
        asyncio.get_running_loop().call_later(pause, self._lock.release)


class Step:
    """Tells whether something is the first of its kind in a step of the event loop."""

    def __init__(self) -> None:
        self._is_taken = False

    def take(self) -> bool:
        """Be the first, if nobody was."""
        if self._is_taken:
            return False
        self._is_taken = True
        asyncio.get_running_loop().call_soon(self._free)
        return True

    def _free(self) -> None:
        self._is_taken = False


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

    def check(self, wanted: int = 1) -> None:
        """See that there are places; whoever comes first finds as many as it wants.

        Raises:
            HttpError: there are too few.
        """
        if self.taken and self.taken + wanted > self._most:
            message = f"This token has {self._most:,} {self._noun}, the most; end one first."
            raise HttpError(429, "TOO_MANY_REQUESTS", message)

    def take(self, wanted: int = 1) -> None:
        """Take places.

        Raises:
            HttpError: there are too few.
        """
        self.check(wanted)
        self.taken += wanted

    def give_back(self, number: int = 1) -> None:
        """Give places back."""
        self.taken -= number

    @contextmanager
    def hold(self, number: int) -> Iterator[None]:
        """Take so many places, whether there are any or not."""
        self.taken += number
        try:
            yield
        finally:
            self.give_back(number)

    def __enter__(self) -> None:
        """Take a place.

        Raises:
            HttpError: there is none.
        """
        self.take()

    def __exit__(self, *exc_info: object) -> None:
        self.give_back()


class Allowance:
    """What one token may still ask.

    Attributes:
        turns: one is taken while a request is executed.
        step: taken by an update that is executed at once.
        new_texts: a gate for what is parsed and validated for the first time, and for long bodies.
        long_answers: a gate for operations that may return much.
        connections: one is taken while a connection of the database is, whoever waits for it.
        waiting: a place is taken while a request waits for its turn, or has it.
        downloads: a place is taken while one is on its way.
        uploads: a place is taken while one is on its way.
        sockets: likewise, while one is open.
        subscriptions: likewise.
        operations: bytes of the messages that began what is under way on WebSockets.
        answers: bytes of answers that their clients have not taken yet.
    """

    def __init__(self, limits: TokenLimits) -> None:
        self.turns = asyncio.Semaphore(limits.running)
        self.step = Step()
        self.new_texts = Gate()
        self.long_answers = Gate()
        self.connections = asyncio.Semaphore(limits.running)
        self.waiting = Places(_MOST_WAITING, "requests waiting")
        self.downloads = Places(_MOST_DOWNLOADS, "downloads on their way")
        self.uploads = Places(limits.uploads, "uploads on their way")
        self.sockets = Places(limits.sockets, "open WebSockets")
        self.subscriptions = Places(limits.subscriptions, "subscriptions")
        operation_bytes = max(_OPERATION_BYTES, limits.subscriptions * _BYTES_PER_SUBSCRIPTION)
        self.operations = Places(operation_bytes, "bytes of operations on WebSockets")
        self.answers = Places(_ANSWER_BYTES, "bytes of answers to take")
        self._rate = limits.requests_per_second
        self._bucket = Bucket(self._rate)

    def count(self) -> None:
        """Count a request, or a message of a WebSocket.

        Raises:
            HttpError: there were too many.
        """
        if not self._bucket.take():
            message = f"This token may send {self._rate:,} requests a second; wait, and try again."
            raise HttpError(429, "TOO_MANY_REQUESTS", message, {"Retry-After": "1"})


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
