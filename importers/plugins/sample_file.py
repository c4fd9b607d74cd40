"""Sample files: a header and one row that passes."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importers.sdk.importer import Importer


def sample_filename(key: str, extension: str = "csv") -> str:
    """Return the name of the sample file of the importer with this key."""
    return f"{key}_sample.{extension}"


def sample_csv(importer: Importer) -> str:
    """Return the importer's sample file: its header and one row of examples; lines end in CRLF."""
    columns = [column for column in importer.columns.values() if column.in_sample]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.header for column in columns])
    writer.writerow([column.example or "" for column in columns])
    return text.getvalue()
