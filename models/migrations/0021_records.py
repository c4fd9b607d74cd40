"""The history of plugins' own records: which record it is, and what takes a change of it back."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# A hash costs imports less than a tree, and the texts may be long.
FORWARD = [
    "CREATE INDEX entity_history_record ON entity_history USING hash (record)"
    " WHERE record IS NOT NULL",
]
BACKWARD = ["DROP INDEX entity_history_record"]


class Migration(migrations.Migration):
    dependencies = [("models", "0020_intake")]

    operations = [
        ops.AddField("EntityHistory", "record", fields.TextField(null=True)),
        ops.AddField("EntityHistory", "kind", fields.TextField(null=True)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
