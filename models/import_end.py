"""The end of an import: what tells of it is written by the transaction that ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from models.imports import END_COLUMNS, ImportEnd, ImportStatus
from models.mail import enqueue_end_mails
from models.webhook import WebhookEvent, enqueue_deliveries

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def conclude(db: Connection, row: Record | None) -> ImportEnd | None:
    """Make the end of what `RETURNING_END` has returned, and put what tells of it into the
    outboxes; None when the import goes on."""
    if row is None or row["finished_at"] is None:
        return None
    values = {name: row[name] for name in END_COLUMNS}
    end = ImportEnd(**{**values, "status": ImportStatus(row["status"])})
    if end.notify:
        await enqueue_end_mails(db, end.id)
    has_deliveries = await enqueue_deliveries(db, end.id, WebhookEvent.IMPORT_FINISHED)
    return replace(end, has_deliveries=has_deliveries)
