"""Remarks on files and rows, the order of day and month, and what whole columns have shown."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0008_notified_at")]

    operations = [
        ops.AddField("Import", "warnings", fields.JSONField(db_default=[])),
        ops.AddField("Import", "date_order", fields.CharField(max_length=3, null=True)),
        ops.AddField("Import", "observed", fields.JSONField(db_default={})),
        ops.AddField("ImportRow", "warnings", fields.JSONField(null=True)),
    ]
