"""Searches read a view alone, with its filters; lists of the closed and the disabled have an index.

So have the results of rows that did nothing. To join the hits of a search to their table cost as much
again as to find them. `app_id + 0`: the index of the words is to be used, not one of all rows of the
app, for which the words of each would be made again.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

OWN = "app_id{} = (SELECT nullif(current_setting('caseroll.app', true), '')::bigint)"
# What the views of 0004 show, and what they show from now on as well: a view can only be added to.
COLUMNS = {
    "cases": ("search_words(coalesce(tag_id, '') || ' ' || about) AS words", "is_active, updated_at"),
    "users": (
        "lower(email) AS email, search_words("
        "coalesce(tag_id, '') || ' ' || email || ' ' || given_name || ' ' || family_name) AS words",
        "is_active, updated_at",
    ),
    "imports": ("search_words(name || ' ' || file_name) AS words", "status, type, changed_at"),
}
FORWARD = [
    *(
        f"CREATE OR REPLACE VIEW {table[:-1]}_words AS"
        f" SELECT id, {words}, app_id, {others} FROM {table} WHERE {OWN.format(' + 0')}"
        for table, (words, others) in COLUMNS.items()
    ),
    # Partial, so that it costs the many others nothing; of these, enough are near to fill a page.
    "CREATE INDEX cases_closed ON cases (app_id, id) WHERE NOT is_active",
    "CREATE INDEX users_disabled ON users (app_id, id) WHERE NOT is_active",
    # Few rows in most imports; where they are many, nothing else was written for them.
    "CREATE INDEX import_rows_unchanged ON import_rows (id) WHERE outcome = 4",
    "CREATE INDEX import_rows_cancelled ON import_rows (id) WHERE status = 3",
]
BACKWARD = [
    "DROP INDEX cases_closed, users_disabled, import_rows_unchanged, import_rows_cancelled",
    *(
        sql
        for table, (words, _) in COLUMNS.items()
        for sql in (
            f"DROP VIEW {table[:-1]}_words",
            f"CREATE VIEW {table[:-1]}_words AS"
            f" SELECT id, {words} FROM {table} WHERE {OWN.format('')}",
        )
    ),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0009_notes")]

    operations = [ops.RunSQL(FORWARD, BACKWARD)]
