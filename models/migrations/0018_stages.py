"""Imports that are planned before they are applied, held, and released; the guards of apps."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from models.imports import Stage

# An import that is held keeps its name.
NAME_IN_USE = "CREATE UNIQUE INDEX imports_name_in_use ON imports (app_id, name) WHERE status IN ({})"
FORWARD = [
    "DROP INDEX imports_name_in_use",
    NAME_IN_USE.format("'QUEUED', 'PROCESSING', 'HELD'"),
]
BACKWARD = ["DROP INDEX imports_name_in_use", NAME_IN_USE.format("'QUEUED', 'PROCESSING'")]


class Migration(migrations.Migration):
    dependencies = [("models", "0012_changes")]

    operations = [
        ops.AddField(
            "Import",
            "stage",
            fields.CharEnumField(Stage, description="", max_length=8, null=True),
        ),
        ops.AddField("Import", "is_atomic", fields.BooleanField(db_default=False)),
        ops.AddField("Import", "hold", fields.JSONField(null=True)),
        ops.AddField("Import", "released_at", fields.DatetimeField(null=True)),
        ops.AddField("ImportRow", "is_planned", fields.BooleanField(null=True)),
        ops.AddField("App", "remove_percent", fields.IntField(null=True, db_default=20)),
        ops.AddField("App", "remove_at_least", fields.IntField(db_default=100)),
        ops.AddField("App", "requires_release", fields.BooleanField(db_default=False)),
        ops.AddField("App", "release_types", ArrayField(element_type="text", db_default=[])),
        ops.AddField("App", "required_role_id", fields.BigIntField(null=True)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
