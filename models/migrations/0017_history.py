"""Lists of what was done and changed, the queue of imports, and how fast an import goes."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

OWN = "app_id = (SELECT nullif(current_setting('caseroll.app', true), '')::bigint)"
# As in 0004, a view reads its table as the table's owner does, and shows what the app may know: of
# tokens the names, and of imports that wait the place in the queue, which counts those of others.
VIEWS = {
    "token_names": f"SELECT id, app_id, name FROM api_tokens WHERE {OWN}",
    # No worker has begun with them. One that waits to be cut for a retry is PROCESSING already.
    "import_queue": f"""
        SELECT id, app_id, position FROM (
          SELECT id, app_id, row_number() OVER (ORDER BY turn, id) AS position FROM (
            SELECT id, app_id, row_number() OVER (PARTITION BY app_id ORDER BY id) AS turn
            FROM imports WHERE status IN ('QUEUED', 'PROCESSING')
              AND split_at IS NULL AND split_attempts = 0) waiting) placed
        WHERE {OWN}""",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0011_orders")]

    operations = [
        ops.AddField("Import", "rows_per_second", fields.FloatField(null=True)),
        ops.AddIndex("AuditEvent", Index(fields=["app_id", "target_id", "id"])),
        *(
            ops.RunSQL(f"CREATE VIEW {name} AS {sql}", f"DROP VIEW {name}")
            for name, sql in VIEWS.items()
        ),
    ]
