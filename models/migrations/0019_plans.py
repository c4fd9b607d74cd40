"""What a list of an import's changes reads: how many a row has made, where they are several."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = [
    # Written a million at a time and read a page at a time: as text they cost half as much to copy.
    "ALTER TABLE import_rows ALTER COLUMN edits TYPE json USING edits::json",
    "ALTER TABLE entity_history ALTER COLUMN before TYPE json USING before::json,"
    " ALTER COLUMN after TYPE json USING after::json",
    "CREATE INDEX import_rows_several ON import_rows (id) WHERE edit_count IS NOT NULL",
]
BACKWARD = [
    "DROP INDEX import_rows_several",
    "ALTER TABLE entity_history ALTER COLUMN before TYPE jsonb USING before::jsonb,"
    " ALTER COLUMN after TYPE jsonb USING after::jsonb",
    "ALTER TABLE import_rows ALTER COLUMN edits TYPE jsonb USING edits::jsonb",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0012_changes")]

    operations = [
        ops.AddField("ImportRow", "edit_count", fields.IntField(null=True)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
