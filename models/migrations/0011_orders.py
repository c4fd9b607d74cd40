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
    "CREATE INDEX cases_closed_updated ON cases (app_id, updated_at, id) WHERE NOT is_active",
    "CREATE INDEX users_disabled_updated ON users (app_id, updated_at, id) WHERE NOT is_active",
    # Without role and import: an update of these would have to write to every index of the table.
    "CREATE INDEX assignments_page ON assignments (app_id, id)",
    "CREATE INDEX assignment_history_import ON assignment_history (import_id, id)",
]
BACKWARD = [
    "DROP INDEX cases_updated, users_updated, cases_closed_updated, users_disabled_updated,"
    " assignments_page, assignment_history_import"
]


class Migration(migrations.Migration):
    dependencies = [("models", "0010_filtered_searches")]

    operations = [
        ops.RemoveIndex("Import", fields=["app_id", "changed_at"]),
        ops.AddIndex("Import", Index(fields=["app_id", "changed_at", "id"])),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
