"""Lists have an index for each of their filters, for a few rows among a million others.

Of results of rows, each has one entry in one of their indexes. It costs a fiftieth of what a row of a
file costs as a whole. Which outcome is rare is known only at the import's end, so no smaller index
would have all that are asked for.
"""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

FORWARD = [
    "CREATE INDEX import_rows_created ON import_rows (id) WHERE outcome = 1",
    "CREATE INDEX import_rows_updated ON import_rows (id) WHERE outcome = 2",
    "CREATE INDEX import_rows_removed ON import_rows (id) WHERE outcome = 3",
    "CREATE INDEX imports_by_status ON imports (app_id, status, id)",
    "CREATE INDEX imports_by_type ON imports (app_id, type, id)",
    "CREATE INDEX audit_events_by_action ON audit_events (app_id, action, occurred_at, id)",
    "CREATE INDEX audit_events_by_actor ON audit_events (app_id, actor, occurred_at, id)",
]
BACKWARD = [
    "DROP INDEX import_rows_created, import_rows_updated, import_rows_removed, imports_by_status,"
    " imports_by_type, audit_events_by_action, audit_events_by_actor"
]


class Migration(migrations.Migration):
    dependencies = [("models", "0014_download_links")]

    operations = [
        ops.RemoveIndex("AuditEvent", fields=["app_id", "id"]),
        ops.AddIndex("AuditEvent", Index(fields=["app_id", "occurred_at", "id"])),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
