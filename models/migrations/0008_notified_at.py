"""`rung_at` is called `notified_at`: when workers last got a message about the import."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0007_trials")]

    operations = [ops.RenameField("Import", "rung_at", "notified_at")]
