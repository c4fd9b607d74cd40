"""What searches read, now that tables have row-level security.

A policy goes before every condition that could give away what it hides, and to PostgreSQL `@@` and
`lower` are such. So they could use no index: a search would look at every row of the app. A view reads its
table as the table's owner does; the view's own condition is the wall here.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

OWN = "app_id = (SELECT nullif(current_setting('caseroll.app', true), '')::bigint)"
# The indexed expressions of 0002: a search is only quick when it says the same.
WORDS = {
    "cases": "search_words(coalesce(tag_id, '') || ' ' || about) AS words",
    "users": "lower(email) AS email, search_words("
    "coalesce(tag_id, '') || ' ' || email || ' ' || given_name || ' ' || family_name) AS words",
    "imports": "search_words(name || ' ' || file_name) AS words",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0003_fewer_keys")]

    operations = [
        ops.RunSQL(
            f"CREATE VIEW {table[:-1]}_words AS SELECT id, {words} FROM {table} WHERE {OWN}",
            f"DROP VIEW {table[:-1]}_words",
        )
        for table, words in WORDS.items()
    ]
