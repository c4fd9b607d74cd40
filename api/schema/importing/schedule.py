"""When an import is begun and ended: its place in the queue, and the end that can be expected."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import strawberry

from api.access.context import Context, Info
from api.batch.objects import TOGETHER, Together, read
from api.batch.row_type import RowColumn
from models.imports import ImportStatus, Stage
from models.listing import IMPORT_QUEUE

if TYPE_CHECKING:
    from api.batch.objects import Items, Selected, Values


def _is_waiting(status: str, split_at: datetime | None, split_attempts: int) -> bool:
    is_open = ImportStatus(status) in (ImportStatus.QUEUED, ImportStatus.PROCESSING)
    return is_open and not (split_at or split_attempts)


def _estimated_end(
    status: str, stage: str | None, pending: int, speed: float | None, *times: datetime | None
) -> datetime | None:
    """Tell when an import will have ended at the speed of its last chunks.

    None without a speed, while rows are planned that are still to be applied, and when that time is
    over: then it is not as fast as it was.

    Args:
        pending: rows to be run.
        speed: rows a second.
        times: when the rows were cut into chunks, and when `pending` was counted.
    """
    split_at, counted_at = times
    is_ahead = ImportStatus(status) is ImportStatus.PROCESSING and stage != Stage.PLAN
    if not (is_ahead and split_at and counted_at and speed):
        return None
    end = counted_at + timedelta(seconds=pending / speed)
    return end if end > datetime.now(UTC) else None


# Whether no worker has begun with an import, its retry or its plan.
IS_WAITING = RowColumn(("status", "split_at", "split_attempts"), _is_waiting)
ESTIMATED_END = RowColumn(
    ("status", "stage", "pending", "rows_per_second", "split_at", "changed_at"), _estimated_end
)


async def _load_positions(context: Context, imports: Items, _: Selected) -> Values:
    keys = zip(read(imports, "key"), read(imports, "is_waiting"), strict=True)
    return await asyncio.gather(*(_load_position(context, *each) for each in keys))


async def _load_position(context: Context, key: int, waits: bool) -> int | None:
    """Load an import's place in the queue, in one statement with those of others."""
    row = await context.loaders.row(IMPORT_QUEUE, key) if waits else None
    return row["position"] if row else None


@strawberry.field(
    description="Its place among the imports of all apps that wait for a worker: 1 is next. Apps "
    "take turns: first comes the oldest import of each, then the second of each. Null when it is "
    "not waiting.",
    metadata={TOGETHER: Together(_load_positions, needs=("key", "is_waiting"))},
)
async def queue_position(self: Any, info: Info) -> int | None:
    """Load the place of an `Import`."""
    return await _load_position(info.context, self.key, self.is_waiting)
