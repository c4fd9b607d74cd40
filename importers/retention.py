"""Retention: what the sweeper deletes when its time is over, a little in each round."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from models.db import connection, transaction
from models.own_records import purge_records
from models.retention import delete_deliveries, expire_imports, next_to_purge, purge_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from models.own_table import OwnTable

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


async def purge_own_tables(tables: Iterable[OwnTable], retention_days: int) -> None:
    """Delete some records of plugins' own tables that were last changed long enough ago.

    Args:
        tables: as their plugins declare them; those that keep records for ever are passed over.
        retention_days: how long tables keep theirs that keep them as imports keep their results.
    """
    for table in tables:
        days = retention_days if table.keep_days == "imports" else table.keep_days
        if days:
            async with connection() as db:
                await purge_records(db, table, days)
