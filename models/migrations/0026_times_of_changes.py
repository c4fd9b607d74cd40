"""Changes are dated when they are written, no longer when their transaction began.

A transaction that waits for a lock may begin before the change that it follows.
"""

from tortoise import fields, migrations
from tortoise.fields.db_defaults import SqlDefault
from tortoise.migrations import operations as ops

CLOCK = SqlDefault("clock_timestamp()")


class Migration(migrations.Migration):
    dependencies = [("models", "0025_role_index")]

    operations = [
        ops.AlterField("AssignmentHistory", "changed_at", fields.DatetimeField(db_default=CLOCK)),
        ops.AlterField("EntityHistory", "changed_at", fields.DatetimeField(db_default=CLOCK)),
        ops.AlterField("AuditEvent", "occurred_at", fields.DatetimeField(db_default=CLOCK)),
    ]
