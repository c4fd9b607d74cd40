"""When tokens were used, noted beside the requests and for many of them at once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from models.access import note_use
from models.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 10


class TokenUses:
    """Tokens that were used a moment ago; some seconds later, all of them are noted together.

    No request waits for it. `write` notes what is left when the process ends.
    """

    def __init__(self) -> None:
        self._used: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, token_ids: Iterable[int]) -> None:
        self._used.update(token_ids)
        if self._used and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._begin)

    def _begin(self) -> None:
        self._writing = asyncio.create_task(self.write())

    async def write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        used, self._used, self._timer = self._used, set(), None
        if not used:
            return
        try:
            async with connection() as db:
                await note_use(db, used)
        except Exception:
            log.warning("the use of %d tokens was not noted", len(used), exc_info=True)
