"""Results of rows have an index of each outcome, for a few of one among a million of another.

Every row is in one of them. An entry costs a fiftieth of what the row costs as a whole. Which rows
are few is known only when the import has ended, so no smaller index would have all that are asked for.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = [
    "CREATE INDEX import_rows_created ON import_rows (id) WHERE outcome = 1",
    "CREATE INDEX import_rows_updated ON import_rows (id) WHERE outcome = 2",
    "CREATE INDEX import_rows_removed ON import_rows (id) WHERE outcome = 3",
]
BACKWARD = ["DROP INDEX import_rows_created, import_rows_updated, import_rows_removed"]


class Migration(migrations.Migration):
    dependencies = [("models", "0011_orders")]

    operations = [ops.RunSQL(FORWARD, BACKWARD)]
