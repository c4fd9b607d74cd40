"""A message to a webhook, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from models.webhook import OutgoingDelivery, WebhookEvent

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STATE = {
    "type": "assign",
    "name": "May",
    "source": "api",
    "token_id": 3,
    "is_dry_run": False,
    "status": "PROCESSED",
    "finished_at": "2026-05-01T12:00:00.5+02:00",
    "total": 3,
    "passed": 2,
    "failed": 1,
    "cancelled": 0,
    "created": 2,
    "updated": 0,
    "removed": 0,
    "unchanged": 0,
}


def delivery(url: str = "https://hooks.example.org/", **changes: Any) -> OutgoingDelivery:
    """Make a message about the end of an import."""
    made = OutgoingDelivery(
        id=7,
        webhook_id=1,
        attempts=1,
        url=url,
        secret=SECRET,
        event=WebhookEvent.IMPORT_FINISHED,
        created_at=datetime(2026, 5, 1, 10, 0, 1, tzinfo=UTC),
        app_id=2,
        import_id=5,
        state=STATE,
    )
    return made._replace(**changes)
