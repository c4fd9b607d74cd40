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
# The rows of an app in the order of their keys are what two indexes of `assignments` were for.
#
# By user, only the removed: each row of a file is about another user, so an index of all changes would
# cost imports a tenth of their time. A hash costs half as much as a tree.
FORWARD = [
    "DROP INDEX assignments_page",
    "ALTER TABLE assignments DROP CONSTRAINT assignments_pkey,"
    " ADD CONSTRAINT assignments_page PRIMARY KEY (app_id, id)",
    "CREATE INDEX assignment_history_page ON assignment_history (app_id, changed_at, id)",
    "CREATE INDEX assignment_history_pair ON assignment_history (case_id, user_id, id)",
    "CREATE INDEX assignment_history_removed ON assignment_history USING hash (user_id)"
    " WHERE after_role_id IS NULL",
]
BACKWARD = [
    "DROP INDEX assignment_history_page, assignment_history_pair, assignment_history_removed",
    "ALTER TABLE assignments DROP CONSTRAINT assignments_page,"
    " ADD CONSTRAINT assignments_pkey PRIMARY KEY (id)",
    "CREATE INDEX assignments_page ON assignments (app_id, id)",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0016_webhooks")]

    operations = [
        ops.AddField("Import", "rows_per_second", fields.FloatField(null=True)),
        ops.AddIndex("AuditEvent", Index(fields=["app_id", "target_id", "occurred_at", "id"])),
        ops.RunSQL(FORWARD, BACKWARD),
        *(
            ops.RunSQL(f"CREATE VIEW {name} AS {sql}", f"DROP VIEW {name}")
            for name, sql in VIEWS.items()
        ),
    ]
