"""Assignments refer to roles and apps without a constraint, as the model says.

Creating the table has made the constraints all the same. Each costs a trigger for every row, and
makes all workers lock the same few rows of roles and apps.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

TARGETS = {"role": "roles", "app": "apps"}


class Migration(migrations.Migration):
    dependencies = [("models", "0002_indexes")]

    operations = [
        ops.RunSQL(
            f"ALTER TABLE assignments DROP CONSTRAINT IF EXISTS assignments_{name}_id_fkey",
            f"ALTER TABLE assignments ADD CONSTRAINT assignments_{name}_id_fkey"
            f" FOREIGN KEY ({name}_id) REFERENCES {table} (id) ON DELETE RESTRICT",
        )
        for name, table in TARGETS.items()
    ]
