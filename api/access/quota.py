"""Quotas: what each token may have of this process at a time."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeVar

from api.access.persisted_queries import PersistedQueries
from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from api.limits import TokenLimits

T = TypeVar("T")

BURST_SECONDS = 10
# For everything of a token that is under way; the largest answer takes an eighth, if it is ASCII.
MEMORY_BYTES = 64 * 1024 * 1024
# So that the subscriptions that a token may have do not exceed its memory by their messages alone.
_BYTES_PER_SUBSCRIPTION = 4 * 1024
_PAUSE_SECONDS = 0.005
_SHORT_SECONDS = 0.01


class RateLimit:
    """A token bucket of `rate` a second on the average, which holds ten seconds' worth."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._left = float(rate * BURST_SECONDS)
        self._counted_at = time.monotonic()

    @property
    def left(self) -> int:
        """How many could be taken at once."""
        self._fill()
        return int(self._left)

    def take(self) -> bool:
        """Take one, and tell whether the bucket held one."""
        self._fill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _fill(self) -> None:
        now = time.monotonic()
        left = self._left + (now - self._counted_at) * self.rate
        self._left = min(left, self.rate * BURST_SECONDS)
        self._counted_at = now


class FairLock:
    """A lock for work that may block the event loop for long, with a pause after what did.

    Nothing else runs while a text is parsed, validated or completed, and a small request of another
    token needs the event loop several times. So the pause is a tenth of the time that the lock was
    held, but long enough for one small request. Many operations turn out shorter than they might
    have been; pauses after these would delay their own client most, and others hardly less.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._entered_at = 0.0

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *exc_info: object) -> None:
        self.release()

    async def acquire(self) -> None:
        await self._lock.acquire()
        self._entered_at = time.monotonic()

    def release(self) -> None:
        held = time.monotonic() - self._entered_at
        if held < _SHORT_SECONDS:
            self._lock.release()
            return
        # Released by a timer: the holder gets its answer without waiting for the pause.
        pause = max(held / 10, _PAUSE_SECONDS)
        asyncio.get_running_loop().call_later(pause, self._lock.release)


class Turn:
    """An operation's turn at a lock; others have theirs while it waits for the database.

    Its reads may overlap, and one may end after the operation, which has failed meanwhile.
    """

    def __init__(self, lock: FairLock) -> None:
        self._lock = lock
        self._is_held = False
        self._is_over = False
        # Two reads that end together would wait for the lock, and one of them for the other.
        self._resuming = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._take()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._is_over = True
        self._give_up()

    async def wait_for(self, read: Awaitable[T]) -> T:
        """Wait for a read; an operation whose read fails goes on without the lock."""
        self._give_up()
        found = await read
        await self._take()
        return found

    async def _take(self) -> None:
        async with self._resuming:
            if self._is_held or self._is_over:
                return
            await self._lock.acquire()
            self._is_held = True
        if self._is_over:
            self._give_up()

    def _give_up(self) -> None:
        if self._is_held:
            self._is_held = False
            self._lock.release()


class OncePerStep:
    """Lets one thing through in each step of the event loop."""

    def __init__(self) -> None:
        self._is_taken = False

    def take(self) -> bool:
        """Tell whether this is the first one in this step."""
        if self._is_taken:
            return False
        self._is_taken = True
        asyncio.get_running_loop().call_soon(setattr, self, "_is_taken", False)
        return True


class ConcurrencyLimit:
    """How many things, or bytes, a token may have at a time."""

    def __init__(self, most: int, noun: str) -> None:
        self.taken = 0
        self._most = most
        self._noun = noun

    def take(self, wanted: int) -> None:
        """Take some; more than there are, if nothing is taken yet.

        Raises:
            HttpError: too few are left.
        """
        # `self.taken and`: a single thing that is larger than the limit would otherwise never be
        # let in.
        if self.taken and self.taken + wanted > self._most:
            message = f"This token has {self._most:,} {self._noun}, the most; end one first."
            raise HttpError(429, "TOO_MANY_REQUESTS", message)
        self.taken += wanted

    def give_back(self, number: int) -> None:
        self.taken -= number

    @contextmanager
    def reserve(self, wanted: int = 1) -> Iterator[None]:
        """Take some for the length of a block.

        Raises:
            HttpError: too few are left.
        """
        self.take(wanted)
        try:
            yield
        finally:
            self.give_back(wanted)

    @contextmanager
    def hold(self, number: int) -> Iterator[None]:
        """Count some for the length of a block, even if they exceed the limit."""
        self.taken += number
        try:
            yield
        finally:
            self.taken -= number


class Quota:
    """What one token may have of this process.

    Attributes:
        rate: requests, downloads and WebSocket messages a second.
        running: operations that are executed at a time; others wait for their turn.
        connections: database connections, as many as operations may run. An operation takes several
            at once, so they have a semaphore of their own: sharing one would deadlock.
        uploads: uploads under way.
        sockets: open WebSockets.
        subscriptions: subscriptions on all WebSockets.
        memory: bytes of requests that wait or run, and of answers that clients have not taken.
        long_work: held while a new text or a long body is read, or a long answer is made.
        at_once: taken by an event that is executed at once, instead of in its turn.
        persisted: queries that its clients name by their hash.
    """

    def __init__(self, limits: TokenLimits) -> None:
        self.rate = RateLimit(limits.requests_per_second)
        self.running = asyncio.Semaphore(limits.running)
        self.connections = asyncio.Semaphore(limits.running)
        self.uploads = ConcurrencyLimit(limits.uploads, "uploads on their way")
        self.sockets = ConcurrencyLimit(limits.sockets, "open WebSockets")
        self.subscriptions = ConcurrencyLimit(limits.subscriptions, "subscriptions")
        self.memory = ConcurrencyLimit(
            max(MEMORY_BYTES, limits.subscriptions * _BYTES_PER_SUBSCRIPTION),
            "bytes of answers to take and of requests under way",
        )
        self.long_work = FairLock()
        self.at_once = OncePerStep()
        self.persisted = PersistedQueries()

    def count(self) -> None:
        """Count a request, or a message of a WebSocket.

        Raises:
            HttpError: there were too many.
        """
        if not self.rate.take():
            rate = self.rate.rate
            message = f"This token may send {rate:,} requests a second; wait, and try again."
            raise HttpError(429, "TOO_MANY_REQUESTS", message, {"Retry-After": "1"})


class Quotas:
    """The quota of each token that has been used; at most as many as the database has tokens."""

    def __init__(self, limits: TokenLimits) -> None:
        self._limits = limits
        self._known: dict[int, Quota] = {}

    def for_token(self, token_id: int) -> Quota:
        """Return a token's quota."""
        if token_id not in self._known:
            self._known[token_id] = Quota(self._limits)
        return self._known[token_id]
