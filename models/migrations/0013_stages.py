"""Imports that are planned before they are applied, held, and released; the guards of apps."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

from models.imports import ImportStatus, Stage

# An import that is held keeps its name.
NAME_IN_USE = UniqueConstraint(
    fields=("app_id", "name"),
    name="imports_name_in_use",
    condition="status IN ('QUEUED', 'PROCESSING', 'HELD')",
)


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
        ops.AlterField(
            "Import",
            "status",
            fields.CharEnumField(
                ImportStatus,
                description="QUEUED: QUEUED\nPROCESSING: PROCESSING\nHELD: HELD\n"
                "PROCESSED: PROCESSED\nFAILED: FAILED\nCANCELLED: CANCELLED",
                db_default=ImportStatus.QUEUED,
                max_length=10,
            ),
        ),
        ops.RemoveConstraint("Import", name="imports_name_in_use"),
        ops.AddConstraint("Import", NAME_IN_USE),
    ]
