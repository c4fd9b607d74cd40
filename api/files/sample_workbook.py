"""The sample file of an import type as a workbook."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from api.files.text_workbook import SheetColumn, TextWorkbook
from api.files.workbook_thread import in_workbook_thread
from importers.sdk.columns import column_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.schema.importing.plugin_descriptions import ColumnDescription


async def sample_workbook(content: str, described: Sequence[ColumnDescription]) -> bytes:
    """Write the cells of a sample file as a workbook.

    Args:
        content: the sample file, a header and one row.
        described: what the type says of its columns.
    """
    return await in_workbook_thread(_write_sample, content, described)


def _write_sample(content: str, described: Sequence[ColumnDescription]) -> bytes:
    header, examples = csv.reader(io.StringIO(content, newline=""))
    by_name = {column.name: column for column in described}
    columns = [
        SheetColumn.of(name, by_name.get(column_name(name)), [example])
        for name, example in zip(header, examples, strict=True)
    ]
    with tempfile.TemporaryDirectory(prefix="caseroll-") as folder:
        path = Path(folder) / "sample.xlsx"
        workbook = TextWorkbook(path, columns)
        workbook.add_row(examples, {})
        workbook.close()
        return path.read_bytes()
