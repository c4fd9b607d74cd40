"""What each row has changed, the history of cases and users, and which plan an import carries out."""

from tortoise import fields, migrations
from tortoise.fields.db_defaults import Now
from tortoise.migrations import operations as ops

FORWARD = [
    "CREATE INDEX entity_history_case ON entity_history (case_id, id) WHERE case_id IS NOT NULL",
    "CREATE INDEX entity_history_user ON entity_history (user_id, id) WHERE user_id IS NOT NULL",
    "CREATE INDEX entity_history_import ON entity_history (import_id, id)"
    " WHERE import_id IS NOT NULL",
    # A plan is carried out once, an import undone once.
    "CREATE UNIQUE INDEX imports_applied_from ON imports (applied_from_id)"
    " WHERE applied_from_id IS NOT NULL",
    "CREATE INDEX imports_undo_of ON imports (undo_of_id) WHERE undo_of_id IS NOT NULL",
    # Few in most imports, and the only ones that are not counted by their outcomes.
    "CREATE INDEX import_rows_several ON import_rows (id) WHERE edit_count IS NOT NULL",
    # Written a million at a time and read a page at a time, as cells of rows are.
    "ALTER TABLE entity_history ALTER COLUMN before TYPE json, ALTER COLUMN after TYPE json",
]
BACKWARD = [
    "DROP INDEX entity_history_case, entity_history_user, entity_history_import,"
    " imports_applied_from, imports_undo_of, import_rows_several"
]


class Migration(migrations.Migration):
    dependencies = [("models", "0011_orders")]

    operations = [
        ops.CreateModel(
            name="EntityHistory",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("app_id", fields.BigIntField()),
                ("case_id", fields.BigIntField(null=True)),
                ("user_id", fields.BigIntField(null=True)),
                ("import_id", fields.BigIntField(null=True)),
                ("row", fields.IntField(null=True)),
                ("token_id", fields.BigIntField(null=True)),
                ("actor", fields.CharField(max_length=200, null=True)),
                ("before", fields.JSONField(null=True)),
                ("after", fields.JSONField(null=True)),
                ("changed_at", fields.DatetimeField(db_default=Now())),
            ],
            options={
                "table": "entity_history",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One change: the changed fields on both sides, when, and what did it.",
            },
            bases=["Model"],
        ),
        ops.AddField("ImportRow", "case_id", fields.BigIntField(null=True)),
        ops.AddField("ImportRow", "user_id", fields.BigIntField(null=True)),
        ops.AddField("ImportRow", "before", fields.IntField(null=True)),
        ops.AddField("ImportRow", "after", fields.IntField(null=True)),
        # JSON, but to make the column a `json` would write the whole table anew.
        ops.AddField("ImportRow", "edits", fields.TextField(null=True)),
        ops.AddField("ImportRow", "edit_count", fields.IntField(null=True)),
        ops.AddField("Import", "applied_from_id", fields.BigIntField(null=True)),
        ops.AddField("Import", "undo_of_id", fields.BigIntField(null=True)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
