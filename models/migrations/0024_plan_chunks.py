"""Each row of a plan says in which chunk it was planned, so that it is applied in the same."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0023_change_counts")]

    operations = [
        ops.AddField("ImportRow", "plan_chunk", fields.IntField(null=True)),
    ]
