"""What a webhook's request says, signed as the Standard Webhooks specification has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from strawberry.utils.str_converters import to_camel_case

from importers.sdk.node_id import encode_node_id
from models.webhook import SECRET_PREFIX

if TYPE_CHECKING:
    from models.webhook import OutgoingDelivery


def compose_body(delivery: OutgoingDelivery) -> bytes:
    """Write the body, which is the same for each attempt.

    {"type": "import.finished", "timestamp": "2026-…", "data": {"id": "SW1…", "status": …}}

    The fields are called as in the API.
    """
    state = dict(delivery.state)
    token, finished_at = state.pop("token_id"), state.pop("finished_at")
    data = {
        "id": encode_node_id("Import", delivery.import_id),
        "appId": encode_node_id("App", delivery.app_id),
        "tokenId": None if token is None else encode_node_id("Token", token),
        "dryRun": state.pop("is_dry_run"),
        "finishedAt": finished_at and _in_utc(datetime.fromisoformat(finished_at)),
        **{to_camel_case(name): value for name, value in state.items()},
    }
    kind = delivery.event.lower().replace("_", ".")
    return orjson.dumps({"type": kind, "timestamp": _in_utc(delivery.created_at), "data": data})


def sign(delivery: OutgoingDelivery, body: bytes, now: datetime) -> dict[str, str]:
    """Make the headers that tell the receiver that the body is Caseroll's, and which attempt it is.

    The ID is that of the API and the same for each attempt, so that a receiver can drop a second
    copy. The time is that of the attempt, so that it can drop what was recorded and sent again.
    """
    message_id = encode_node_id("WebhookDelivery", delivery.id)
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature_of(delivery.secret, message_id, timestamp, body),
    }


def signature_of(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Sign `id.timestamp.body` with the key that the secret holds."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _in_utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()
