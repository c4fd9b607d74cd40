"""When an import's file and row results went, what is still to go, and which files came before."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = [
    # What the sweeper looks for: imports whose time is over, and those that are being emptied.
    "CREATE INDEX imports_kept ON imports (finished_at)"
    " WHERE finished_at IS NOT NULL AND purged_at IS NULL",
    "CREATE INDEX imports_purging ON imports (id) WHERE is_purging",
    "CREATE INDEX imports_same_file ON imports (app_id, file_sha256)",
]
BACKWARD = ["DROP INDEX imports_kept, imports_purging, imports_same_file"]


class Migration(migrations.Migration):
    dependencies = [("models", "0005_audit")]

    operations = [
        ops.AddField("Import", "purged_at", fields.DatetimeField(null=True)),
        ops.AddField("Import", "is_purging", fields.BooleanField(db_default=False)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
