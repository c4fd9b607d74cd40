"""An import's end: what the statement that ends an import returns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from models.imports import ImportStatus

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEnd:
    """An import that has just ended, for all who want to hear of it.

    An import that is retried ends again, with a later `finished_at`: id and `finished_at` together
    name an end.

    Args:
        status: one of the final ones.
        source: the name that the client gave for itself, or `api`.
        token_id: the token that created it; None if the command line did.
    """

    id: int
    app_id: int
    type: str
    name: str
    source: str
    token_id: int | None
    is_dry_run: bool
    status: ImportStatus
    finished_at: datetime
    total: int
    passed: int
    failed: int
    cancelled: int
    created: int
    updated: int
    removed: int
    unchanged: int


# RETURNING id, app_id, type, …, unchanged
RETURNING_END = "RETURNING " + ", ".join(each.name for each in fields(ImportEnd))


def to_import_end(row: Record | None) -> ImportEnd | None:
    """Make the end of what `RETURNING_END` has returned; None when the import goes on."""
    if row is None or row["finished_at"] is None:
        return None
    return ImportEnd(**{**row, "status": ImportStatus(row["status"])})
