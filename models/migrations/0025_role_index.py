"""An index of roles, for the filter by a role that few assignments are in."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# It tells for each 32 pages which roles may be in them. PostgreSQL 15 would write to all indexes of
# an assignment whenever its role changes, if there were one on the role.
FORWARD = [
    """
    DO $$ BEGIN
      IF current_setting('server_version_num')::int >= 160000 THEN
        CREATE INDEX assignments_role ON assignments
          USING brin (role_id int8_bloom_ops (n_distinct_per_range = 16))
          WITH (pages_per_range = 32, autosummarize = on);
      END IF;
    END $$
    """
]
BACKWARD = ["DROP INDEX IF EXISTS assignments_role"]


class Migration(migrations.Migration):
    dependencies = [("models", "0024_plan_chunks")]

    operations = [ops.RunSQL(FORWARD, BACKWARD)]
