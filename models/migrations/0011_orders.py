"""Indexes for lists in the order of changes, and for the lists of assignments.

The index of imports by `changed_at` serves the events, too; with `id`, it is an order.
"""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

FORWARD = [
    "CREATE INDEX cases_updated ON cases (app_id, updated_at, id)",
    "CREATE INDEX users_updated ON users (app_id, updated_at, id)",
    # Else a few disabled users would be looked for among all, in the order of changes.
    "CREATE INDEX cases_active_updated ON cases (app_id, is_active, updated_at, id)",
    "CREATE INDEX users_active_updated ON users (app_id, is_active, updated_at, id)",
    "CREATE INDEX assignments_page ON assignments (app_id, role_id, id)",
    "CREATE INDEX assignments_created ON assignments (created_import_id, id)",
    # Most assignments are never updated, so most rows cost this one nothing.
    "CREATE INDEX assignments_updated ON assignments (updated_import_id, id)"
    " WHERE updated_import_id IS NOT NULL",
]
BACKWARD = [
    "DROP INDEX cases_updated, users_updated, cases_active_updated, users_active_updated,"
    " assignments_page, assignments_created, assignments_updated"
]


class Migration(migrations.Migration):
    dependencies = [("models", "0010_filtered_searches")]

    operations = [
        ops.RemoveIndex("Import", fields=["app_id", "changed_at"]),
        ops.AddIndex("Import", Index(fields=["app_id", "changed_at", "id"])),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
