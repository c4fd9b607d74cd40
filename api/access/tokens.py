"""Tokens: looked up in the database for every request, and for several of them in one read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from models.access import find_tokens
from models.db import connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.access import TokenRecord

# A read that takes longer holds up no others: it may be waiting for a host that is gone.
_PATIENCE_SECONDS = 0.1


class Tokens:
    """Looks tokens up.

    Nothing is remembered, so a token that is revoked is good for nothing at once. But a request
    that comes while a read is under way waits for its end, with all others that come meanwhile,
    and the next read is for all of them. It begins after they came, so its answer is not old.
    """

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._next: asyncio.Task[Mapping[str, TokenRecord]] | None = None
        self._under_way: asyncio.Task[Mapping[str, TokenRecord]] | None = None

    async def find(self, digest: str) -> TokenRecord | None:
        """Find a token that is not revoked; it may be expired."""
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._under_way))
        self._asked.add(digest)
        found = await asyncio.shield(self._next)
        return found.get(digest)

    async def _read(
        self, before: asyncio.Task[Mapping[str, TokenRecord]] | None
    ) -> Mapping[str, TokenRecord]:
        if before is not None and not before.done():
            await asyncio.wait({before}, timeout=_PATIENCE_SECONDS)
        asked, self._asked = self._asked, set()
        self._under_way, self._next = self._next, None
        async with connection() as db:
            return await find_tokens(db, asked)
