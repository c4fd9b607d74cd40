"""Links to downloads that work once."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0013_stages")]

    initial = False

    operations = [
        ops.CreateModel(
            name="DownloadLink",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("app_id", fields.BigIntField()),
                ("token_id", fields.BigIntField()),
                ("digest", fields.CharField(unique=True, max_length=64)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "download_links",
                "app": "models",
                "indexes": [Index(fields=["app_id", "expires_at"])],
                "pk_attr": "id",
                "table_description": "A link that was not used yet; it opens what its token opens.",
            },
            bases=["Model"],
        ),
    ]
