"""The table of rates."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Make it."""

    initial = True
    dependencies = [("models", "__first__")]  # noqa: RUF012 - as Tortoise has it
    operations = [  # noqa: RUF012 - as Tortoise has it
        ops.RunSQL(
            "CREATE TABLE test_rates (app_id bigint REFERENCES apps, case_id bigint PRIMARY KEY"
            " REFERENCES cases, cents int)",
            "DROP TABLE test_rates",
        )
    ]
