"""The table of hourly rates."""

from tortoise import migrations
from tortoise.migrations import operations as ops

CREATE = """
CREATE TABLE acme_rates (
  app_id bigint NOT NULL REFERENCES apps,
  case_id bigint NOT NULL REFERENCES cases ON DELETE CASCADE,
  cents bigint NOT NULL,
  currency text NOT NULL,
  PRIMARY KEY (app_id, case_id)
)
"""


class Migration(migrations.Migration):
    dependencies = [("models", "__first__")]
    operations = [ops.RunSQL(CREATE, "DROP TABLE acme_rates")]
