"""Tokens as the API lists them, and what uploads say of their files' headers."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

_OWN = "app_id = (SELECT nullif(current_setting('caseroll.app', true), '')::bigint)"
_NAMES = "SELECT id, app_id, name"
_REST = ", permission, created_at, last_used_at, expires_at, revoked_at"
FORWARD = [
    f"CREATE OR REPLACE VIEW token_names AS {_NAMES}{_REST} FROM api_tokens WHERE {_OWN}",
    # For the last imports of a type that had a mapping; hardly any import has one.
    "CREATE INDEX imports_mapped ON imports (app_id, type, id) WHERE header_mapping IS NOT NULL",
]
# A view can't lose columns by REPLACE.
BACKWARD = [
    "DROP INDEX imports_mapped",
    "DROP VIEW token_names",
    f"CREATE VIEW token_names AS {_NAMES} FROM api_tokens WHERE {_OWN}",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0018_error_groups")]

    operations = [
        ops.AddField("ApiToken", "last_used_at", fields.DatetimeField(null=True)),
        ops.AddField("Import", "header_mapping", fields.JSONField(null=True)),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
