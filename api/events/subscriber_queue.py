"""Mailboxes: what one subscriber has still to be told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Self

from api.errors import ApiError

if TYPE_CHECKING:
    from datetime import datetime

    from api.events.import_state import Update

LARGEST = 1_000
# An end is stamped a little before it can be seen.
_LATENESS = timedelta(seconds=10)


class Kind(Enum):
    """What a subscriber wants to be told of."""

    ONE = auto()
    ALL = auto()
    FINISHED = auto()


class Mailbox:
    """Holds the newest state of each import that its subscriber has not been told of.

    Filling it never waits: a subscriber that is slow holds nobody up, and misses states in
    between, but never the last one.

    Args:
        kind: what the subscriber wants to be told of.
        import_id: which import, for `Kind.ONE`.
        since: the database's time when the subscription began.
    """

    def __init__(self, kind: Kind, import_id: int | None, since: datetime) -> None:
        self._kind = kind
        self._import_id = import_id
        self._since = since - _LATENESS
        self._seen = 0
        self._waiting: dict[int, Update] = {}
        self._error: ApiError | None = None
        self._bell = asyncio.Event()

    def wants(self, import_id: int) -> bool:
        """Tell whether changes of an import matter here."""
        return self._kind is not Kind.ONE or import_id == self._import_id

    def offer(self, update: Update, *, is_new_end: bool) -> None:
        """Take a state, if it is what the subscriber wants to know.

        Args:
            is_new_end: whether the import has been finished, and nobody was told of it yet.
        """
        row = update.row
        if not self.wants(row["id"]):
            return
        if self._kind is Kind.FINISHED and not (is_new_end and row["finished_at"] > self._since):
            return
        self.put(update)

    def put(self, update: Update) -> None:
        """Take a state, unless it is older than what the subscriber has of a single import."""
        row = update.row
        if self._kind is Kind.ONE and row["version"] <= self._seen:
            return
        self._seen = row["version"]
        self._waiting[row["id"]] = update
        if len(self._waiting) > LARGEST:
            self._error = ApiError("TOO_SLOW", "Too many events wait to be read; subscribe again.")
        self._bell.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        while not self._waiting and self._error is None:
            self._bell.clear()
            await self._bell.wait()
        if self._error is not None:
            raise self._error
        return self._waiting.pop(next(iter(self._waiting)))
