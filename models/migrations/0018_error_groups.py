"""Groups of failed rows by their errors."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0017_history")]

    operations = [
        ops.CreateModel(
            name="ErrorGroup",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("app_id", fields.BigIntField()),
                ("error", fields.JSONField()),
                ("count", fields.IntField()),
                ("first_row", fields.IntField()),
                ("rows", ArrayField(element_type="text")),
            ],
            options={
                "table": "error_groups",
                "app": "models",
                "pk_attr": "id",
                "table_description": "The failed rows of an import that have the same code at the same column and value.",
            },
            bases=["Model"],
        ),
        ops.AddField("Import", "grouped_at", fields.DatetimeField(null=True)),
    ]
