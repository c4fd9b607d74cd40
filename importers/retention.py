"""Retention: what the sweeper deletes when its time is over, a little in each round."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from models.db import connection, transaction
from models.retention import delete_deliveries, expire_imports, next_to_purge, purge_step

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY = 24 * 60 * 60.0
# A round is short, so that imports and clients do not notice the deleting.
_SECONDS_A_ROUND = 0.5


async def purge(retention_days: int, clock: Callable[[], float] = time.monotonic) -> None:
    """Delete files, row results and messages to webhooks of long ago, for half a second.

    Each step is a short transaction. Several workers may do this at once.

    Args:
        retention_days: days from an import's end, or a message's event; 0 keeps everything.
        clock: returns seconds that never go back.
    """
    if retention_days:
        async with connection() as db:
            await expire_imports(db, kept_for=retention_days * _DAY)
            await delete_deliveries(db, kept_for=retention_days * _DAY)
    present, last = 0, 0
    until = clock() + _SECONDS_A_ROUND
    while True:
        async with transaction() as db:
            import_id = await next_to_purge(db)
            if import_id is None:
                return
            # The next step of the same import goes on where this one ends: from the beginning, it
            # would search through the index entries of all that was deleted just now.
            if import_id != present:
                present, last = import_id, 0
            last = await purge_step(db, import_id, last) or 0
        if clock() >= until:
            return
