"""Removals that belong to a group of rows and to no row are counted beside those of rows."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0021_records")]

    operations = [
        ops.AddField("Import", "group_removals", fields.IntField(db_default=0)),
    ]
