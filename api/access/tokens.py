"""Looking tokens up in the database: for every request, and for several requests in one read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from models.access import find_tokens
from models.db import connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.access import TokenRecord

# After this, the next read does not wait for the one before: its host may be gone.
_LONGEST_WAIT_SECONDS = 0.1


class Tokens:
    """Looks tokens up.

    Nothing is cached, so a revoked token stops working at once. A request that arrives while a read
    is under way waits for its end, and the next read is for all that arrived meanwhile. That read
    begins after they arrived, so its answer is not older than they are.
    """

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._next: asyncio.Task[Mapping[str, TokenRecord]] | None = None
        self._under_way: asyncio.Task[Mapping[str, TokenRecord]] | None = None

    async def find(self, digest: str) -> TokenRecord | None:
        """Find a token that is not revoked; it may be expired."""
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._under_way))
        self._wanted.add(digest)
        found = await asyncio.shield(self._next)
        return found.get(digest)

    async def _read(
        self, before: asyncio.Task[Mapping[str, TokenRecord]] | None
    ) -> Mapping[str, TokenRecord]:
        if before is not None and not before.done():
            await asyncio.wait({before}, timeout=_LONGEST_WAIT_SECONDS)
        wanted, self._wanted = self._wanted, set()
        self._under_way, self._next = self._next, None
        async with connection() as db:
            return await find_tokens(db, wanted)
