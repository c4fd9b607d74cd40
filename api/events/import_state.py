"""The topic of imports: each event is one state of an import, in which its status is the phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.broker import IMPORTS_TOPIC
from api.events.event import Event, Topic
from models.import_changes import read_imports, recent_changes

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncpg import Connection, Record


def import_state(row: Record) -> Event:
    """Make the state that a row describes."""
    return Event(
        app_id=row["app_id"],
        key=row["id"],
        version=row["version"],
        phase=row["status"],
        ended_at=row["finished_at"],
        row=row,
    )


async def _read(db: Connection, import_ids: Collection[int]) -> list[Event]:
    return [import_state(row) for row in await read_imports(db, import_ids)]


IMPORTS = Topic(name=IMPORTS_TOPIC, read=_read, read_recent=recent_changes)
