"""Webhooks with their deliveries, and mails about the ends of imports."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.fields.db_defaults import Now
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.row import RowOutcome
from models.webhook import DeliveryStatus, WebhookEvent

FORWARD = [
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at, id)"
    " WHERE status = 'PENDING'",
]
BACKWARD = [
    "DROP INDEX webhook_deliveries_due",
    # Before their columns must not be null again.
    "DELETE FROM mails WHERE row IS NULL",
]

OUTCOMES = "CREATED: 1\nUPDATED: 2\nREMOVED: 3\nUNCHANGED: 4"


def key() -> fields.BigIntField:
    return fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)


class Migration(migrations.Migration):
    dependencies = [("models", "0015_filters")]

    operations = [
        ops.CreateModel(
            name="Webhook",
            fields=[
                ("id", key()),
                (
                    "app",
                    fields.ForeignKeyField(
                        "models.App",
                        source_field="app_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("url", fields.CharField(max_length=2_000)),
                ("events", ArrayField(element_type="text")),
                ("description", fields.CharField(max_length=200)),
                ("secret", fields.CharField(max_length=100)),
                ("created_at", fields.DatetimeField(db_default=Now())),
                ("disabled_at", fields.DatetimeField(null=True)),
            ],
            options={
                "table": "webhooks",
                "app": "models",
                "indexes": [Index(fields=["app_id", "id"])],
                "pk_attr": "id",
                "table_description": "A URL that gets a signed message at some events.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", key()),
                ("app_id", fields.BigIntField()),
                (
                    "webhook",
                    fields.ForeignKeyField(
                        "models.Webhook",
                        source_field="webhook_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("import_id", fields.BigIntField()),
                (
                    "event",
                    fields.CharEnumField(
                        description="Of what it tells.", enum_type=WebhookEvent, max_length=20
                    ),
                ),
                ("state", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "status",
                    fields.CharEnumField(
                        description="What became of it.",
                        db_default=DeliveryStatus.PENDING,
                        enum_type=DeliveryStatus,
                        max_length=10,
                    ),
                ),
                ("attempts", fields.SmallIntField(db_default=0)),
                ("response_status", fields.SmallIntField(null=True)),
                ("error", fields.TextField(null=True)),
                ("next_attempt_at", fields.DatetimeField(db_default=Now())),
                ("delivered_at", fields.DatetimeField(null=True)),
                ("created_at", fields.DatetimeField(db_default=Now())),
            ],
            options={
                "table": "webhook_deliveries",
                "app": "models",
                "indexes": [Index(fields=["webhook_id", "id"])],
                "pk_attr": "id",
                "table_description": "A message to one webhook: the state that an import had,"
                " kept for all attempts to send it.",
            },
            bases=["Model"],
        ),
        ops.AddField("Import", "notify", ArrayField(element_type="text", null=True)),
        ops.AlterField("Mail", "row", fields.IntField(null=True)),
        ops.AlterField("Mail", "case_id", fields.BigIntField(null=True)),
        ops.AlterField("Mail", "user_id", fields.BigIntField(null=True)),
        ops.AlterField("Mail", "role_id", fields.BigIntField(null=True)),
        ops.AlterField(
            "Mail",
            "outcome",
            fields.IntEnumField(description=OUTCOMES, enum_type=RowOutcome, null=True),
        ),
        ops.AddField("Mail", "recipient", fields.CharField(max_length=254, null=True)),
        ops.AddField("Mail", "import_state", fields.JSONField(null=True)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
