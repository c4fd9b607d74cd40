"""Prints the schema: `python -m api.schema`."""

import sys

from api.schema.definition import schema

sys.stdout.write(schema.as_str() + "\n")
