"""Webhooks: where an app is told of its imports, and the outbox of these messages."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

from models.app import App
from models.audit import Action, record
from models.described_enum import DescribedStrEnum
from models.imports import STATE_AS_JSON

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from asyncpg import Connection

    from models.audit import Actor

MOST_WEBHOOKS = 20
"""Of an app: each end of an import writes a delivery for each of them."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with; the key is in base 64
_SECRET_BYTES = 32

# What people call a webhook in the audit trail: its URL as far as a `?`, behind which secrets are.
_NAME_LONGEST = 200


class WebhookEvent(DescribedStrEnum):
    """What a webhook may be told of."""

    IMPORT_FINISHED = "IMPORT_FINISHED", "An import has ended: processed, failed or cancelled."
    IMPORT_HELD = "IMPORT_HELD", "An import waits for `releaseImport`; nothing of it is applied."


class DeliveryStatus(DescribedStrEnum):
    """What became of a message to a webhook."""

    PENDING = "PENDING", "It is to be sent, for the first time or again."
    DELIVERED = "DELIVERED", "The receiver has accepted it."
    FAILED = "FAILED", "It is given up."


class Webhook(Model):
    """A URL that gets a signed message at some events.

    The secret is kept as it is, since each message is signed with it.
    """

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, on_delete=fields.RESTRICT
    )
    app_id: int
    url = fields.CharField(max_length=2_000)
    events: list[str] = ArrayField(element_type="text")
    description = fields.CharField(max_length=200)
    secret = fields.CharField(max_length=100)
    created_at = fields.DatetimeField(db_default=Now())
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhooks"
        indexes = (("app_id", "id"),)


class WebhookDelivery(Model):
    """A message to one webhook: the state that an import had, kept for all attempts to send it.

    While a worker sends it, `next_attempt_at` is when another worker may take it for lost.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    webhook: fields.ForeignKeyRelation[Webhook] = fields.ForeignKeyField(
        "models.Webhook", related_name=False, on_delete=fields.CASCADE
    )
    webhook_id: int
    import_id = fields.BigIntField()
    # Without a description Tortoise would list the values, and each new one need a migration.
    event = fields.CharEnumField(WebhookEvent, description="Of what it tells.", max_length=20)
    state: dict[str, Any] = fields.JSONField()
    status = fields.CharEnumField(
        DeliveryStatus,
        description="What became of it.",
        max_length=10,
        db_default=DeliveryStatus.PENDING,
    )
    attempts = fields.SmallIntField(db_default=0)
    response_status = fields.SmallIntField(null=True)
    error = fields.TextField(null=True)
    next_attempt_at = fields.DatetimeField(db_default=Now())
    delivered_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(db_default=Now())

    class Meta:
        table = "webhook_deliveries"
        # Migration 0016 makes one more, of those that are due.
        indexes = (("webhook_id", "id"),)


class NewWebhook(NamedTuple):
    """What a client says of a webhook, and the secret that it gets to know once."""

    url: str
    events: Sequence[str]
    description: str
    secret: str


class OutgoingDelivery(NamedTuple):
    """A delivery taken from the outbox, with what its request says.

    `state` is the import's at `created_at`: `STATE_AS_JSON`.
    """

    id: int
    webhook_id: int
    attempts: int
    url: str
    secret: str
    event: WebhookEvent
    created_at: datetime
    app_id: int
    import_id: int
    state: dict[str, Any]


def make_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


async def insert_webhook(db: Connection, app_id: int, new: NewWebhook, *, by: Actor) -> int | None:
    """Create a webhook and return its key; None when the app has `MOST_WEBHOOKS` already."""
    sql = """
        INSERT INTO webhooks (app_id, url, events, description, secret)
        SELECT $1, $2, $3, $4, $5
        WHERE (SELECT count(*) FROM webhooks WHERE app_id = $1) < $6 RETURNING id
    """
    key: int | None = await db.fetchval(sql, app_id, *new, MOST_WEBHOOKS)
    if key is not None:
        await record(db, app_id, by, Action.WEBHOOK_CREATED, key, name=_name_of(new.url))
    return key


async def allow_messages(db: Connection, app_id: int, key: int, *, by: Actor) -> bool:
    """Let a disabled webhook get messages again; False when the app has no such webhook."""
    row = await db.fetchrow(
        "SELECT url, disabled_at FROM webhooks WHERE app_id = $1 AND id = $2 FOR UPDATE",
        app_id,
        key,
    )
    if row is None:
        return False
    if row["disabled_at"]:
        await db.execute("UPDATE webhooks SET disabled_at = NULL WHERE id = $1", key)
        await record(db, app_id, by, Action.WEBHOOK_ENABLED, key, name=_name_of(row["url"]))
    return True


async def remove_webhook(db: Connection, app_id: int, key: int, *, by: Actor) -> bool:
    """Delete a webhook with its deliveries; False when the app has no such webhook."""
    url = await db.fetchval(
        "DELETE FROM webhooks WHERE app_id = $1 AND id = $2 RETURNING url", app_id, key
    )
    if url is None:
        return False
    await record(db, app_id, by, Action.WEBHOOK_DELETED, key, name=_name_of(url))
    return True


def _name_of(url: str) -> str:
    return url.partition("?")[0][:_NAME_LONGEST]


async def enqueue_deliveries(db: Connection, import_id: int, event: WebhookEvent) -> bool:
    """Put messages about an import into the outbox, in the transaction in which it happens.

    Returns:
        whether the app has a webhook that is told of such events.
    """
    # A webhook that is being deleted would make the foreign key fail, and undo the import's end:
    # FOR KEY SHARE waits for the deletion, and then leaves the webhook out.
    sql = f"""
        INSERT INTO webhook_deliveries (app_id, webhook_id, import_id, event, state)
        SELECT w.app_id, w.id, i.id, $2::text, {STATE_AS_JSON}
        FROM imports i JOIN webhooks w ON w.app_id = i.app_id
        WHERE i.id = $1 AND $2::text = ANY(w.events) AND w.disabled_at IS NULL
        FOR KEY SHARE OF w
    """
    return bool(await db.execute(sql, import_id, event.value) != "INSERT 0 0")


async def take_delivery(
    db: Connection, *, lease: float, except_of: Collection[int]
) -> OutgoingDelivery | None:
    """Take the next delivery that is due, to send it; None when there is none.

    Args:
        lease: seconds after which the delivery is due again, should this worker die.
        except_of: webhooks whose deliveries are left for later.
    """
    # The order is that of the index `webhook_deliveries_due`.
    sql = """
        WITH taken AS (
          UPDATE webhook_deliveries SET attempts = attempts + 1,
            next_attempt_at = now() + $1::float * interval '1 second'
          WHERE id = (
            SELECT id FROM webhook_deliveries
            WHERE status = 'PENDING' AND next_attempt_at <= now()
              AND webhook_id <> ALL($2::bigint[])
            ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
          RETURNING *)
        SELECT d.id, w.id, d.attempts, w.url, w.secret, d.event, d.created_at, d.app_id,
          d.import_id, d.state
        FROM taken d JOIN webhooks w ON w.id = d.webhook_id
    """
    row = await db.fetchrow(sql, lease, list(except_of))
    if row is None:
        return None
    event, state = WebhookEvent(row["event"]), json.loads(row["state"])
    return OutgoingDelivery(*row)._replace(event=event, state=state)


async def is_delivery_due(db: Connection) -> bool:
    sql = """
        SELECT EXISTS (SELECT 1 FROM webhook_deliveries
          WHERE status = 'PENDING' AND next_attempt_at <= now())
    """
    return bool(await db.fetchval(sql))


async def mark_delivered(db: Connection, delivery_id: int, response_status: int) -> None:
    sql = """
        UPDATE webhook_deliveries SET status = 'DELIVERED', response_status = $2, error = NULL,
          delivered_at = now()
        WHERE id = $1
    """
    await db.execute(sql, delivery_id, response_status)


async def put_off(
    db: Connection, delivery_id: int, error: str, response_status: int | None, *, pause: float
) -> None:
    """Record that a delivery was not accepted, and is to be sent again.

    Args:
        pause: seconds until the next attempt.
    """
    # Meanwhile the webhook may have been disabled, and the delivery given up.
    sql = """
        UPDATE webhook_deliveries SET error = $2, response_status = $3,
          next_attempt_at = now() + $4::float * interval '1 second'
        WHERE id = $1 AND status = 'PENDING'
    """
    await db.execute(sql, delivery_id, error, response_status, pause)


async def give_up(
    db: Connection, delivery_id: int, error: str, response_status: int | None, *, is_gone: bool
) -> None:
    """Record that a delivery is not sent again; disable its webhook if nothing else arrived.

    A disabled webhook gets no more messages, and those that wait are given up.

    Args:
        is_gone: the receiver wants no more messages: disable the webhook in any case.
    """
    sql = """
        WITH given_up AS (
          UPDATE webhook_deliveries SET status = 'FAILED', error = $2, response_status = $3
          WHERE id = $1 AND status = 'PENDING' RETURNING webhook_id, created_at),
        disabled AS (
          UPDATE webhooks w SET disabled_at = now() FROM given_up g
          WHERE w.id = g.webhook_id AND w.disabled_at IS NULL AND ($4 OR NOT EXISTS (
            SELECT 1 FROM webhook_deliveries d
            WHERE d.webhook_id = w.id AND d.delivered_at > g.created_at))
          RETURNING w.id)
        UPDATE webhook_deliveries d SET status = 'FAILED', error = 'the webhook was disabled'
        FROM disabled w WHERE d.webhook_id = w.id AND d.status = 'PENDING' AND d.id <> $1
    """
    await db.execute(sql, delivery_id, error, response_status, is_gone)
