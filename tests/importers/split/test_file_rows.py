"""A file is read as often as splitting it takes, from its beginning."""

from __future__ import annotations

import io

from openpyxl import Workbook

from importers.reading.limits import Limits
from importers.split.file_rows import OpenedFile
from models.progress import ImportWork

ROWS = 3_000


def workbook_with_hidden_rows() -> io.BytesIO:
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.append(["a", "b"])
    for number in range(ROWS):
        sheet.append([f"a-{number}", f"b-{number}"])
    for number in (2, ROWS):
        sheet.row_dimensions[number].hidden = True
    stored = io.BytesIO()
    book.save(stored)
    return stored


def test_a_file_that_is_read_again_has_all_warnings() -> None:
    """A pass that is broken off has not met all hidden rows; the next one, from the start, does."""
    work = ImportWork(*[None] * len(ImportWork._fields))._replace(file_name="a.xlsx")
    file = OpenedFile(workbook_with_hidden_rows(), work, Limits())
    file.read_head(10)
    broken_off = file.batches()
    next(broken_off)

    numbers = [number for batch in file.batches() for number in batch.numbers]

    assert numbers == list(range(2, ROWS + 2))
    [warning] = [each for each in file.table.warnings if each.code == "HIDDEN_ROWS"]
    assert warning.message.startswith("2 rows")
