"""The topic of imports: each event is one state of an import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.broker import IMPORTS_TOPIC
from api.events.event import Event
from api.events.topic import Topic
from models.import_changes import read_imports, recent_changes
from models.imports import ImportStatus

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncpg import Connection, Record


@dataclass(slots=True, kw_only=True, eq=False)
class ImportState(Event):
    """One state of an import, in which its status is the phase.

    Args:
        row: the import's row.
    """

    row: Record

    @classmethod
    def of(cls, row: Record) -> ImportState:
        """Make the state that a row describes."""
        return cls(
            app_id=row["app_id"],
            key=row["id"],
            version=row["version"],
            phase=row["status"],
            ended_at=row["finished_at"],
            row=row,
        )

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen without a retry."""
        return ImportStatus(self.row["status"]).is_final


async def _read(db: Connection, import_ids: Collection[int]) -> list[ImportState]:
    return [ImportState.of(row) for row in await read_imports(db, import_ids)]


IMPORTS = Topic(name=IMPORTS_TOPIC, read=_read, read_recent=recent_changes)
