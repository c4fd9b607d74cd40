"""The process that reads one workbook and prints its rows, as `importers/reading/isolated` says.

Its first line is `["start", index of the first column]`, and before its last one comes
`["warnings", [error, …]]`. It is started as `python -m importers.reading.workbooks.reader
PARENT_PID FILENAME LIMITS_AS_JSON`, with the workbook as its standard input.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from importers.reading.isolated.child import INPUT, batched, run_child
from importers.reading.refusal import damaged_workbook, refusal
from importers.reading.sniff import seems_to_be, zip_kind
from importers.reading.workbooks.archive import DAMAGES, Archive
from importers.reading.workbooks.chosen_sheet import choose_sheet
from importers.reading.workbooks.ods_package import open_document_sheets
from importers.reading.workbooks.table_area import TableArea
from importers.reading.workbooks.xlsx_package import read_package
from importers.reading.workbooks.xlsx_sheet import XlsxSheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.isolated.child import Message
    from importers.reading.limits import Limits
    from importers.reading.workbooks.chosen_sheet import ChosenSheet
    from importers.reading.workbooks.sheet import Sheet
    from importers.sdk.errors import ErrorDetail, FileRefusedError

_ROWS_LOOKED_AT = 20


def main() -> int:
    """Read the workbook on standard input; return the exit status."""
    # A third of the time went into looking for cycles among millions of tuples, and there are none.
    gc.disable()
    return run_child(read_input)


def read_input(filename: str, limits: Limits) -> Iterator[Message]:
    """Yield what there is to say of the workbook on standard input.

    Raises:
        FileRefusedError: the workbook can't be read, or it is not clear which of its sheets is
            meant.
    """
    try:
        with Path(INPUT).open("rb") as file:
            archive = Archive(file, filename, limits)
            sheet, warnings = choose_sheet(_sheets_of(archive, filename))
            yield from _table_messages(sheet, warnings, limits)
    except DAMAGES as error:
        reason = " ".join(str(error).split())[:100]
        raise damaged_workbook(reason) from error


def _sheets_of(archive: Archive, filename: str) -> Sequence[Sheet]:
    if package := read_package(archive):
        return [
            XlsxSheet(
                sheet.name,
                partial(archive.blocks, sheet.part),
                package,
                is_hidden=sheet.is_hidden,
            )
            for sheet in package.sheets
        ]
    sheets = open_document_sheets(archive, filename)
    if sheets is None:
        raise seems_to_be(zip_kind(archive.names()), filename)
    return sheets


def _table_messages(
    sheet: ChosenSheet | None, warnings: list[ErrorDetail], limits: Limits
) -> Iterator[Message]:
    if sheet is not None:
        below = list(islice(sheet.rows, _ROWS_LOOKED_AT))
        area = TableArea(sheet.first, below)
        yield "start", area.first_column
        header = sheet.first.number, area.header
        records = ((row.number, area.cells(row)) for row in chain(below, sheet.rows))
        most = limits.max_unpacked_bytes
        yield from batched(chain([header], records), most, _too_much_text(most))
        notes = sheet.notes
        if refused := (
            area.unnamed_column() or area.conditional_formats(notes) or area.covered_cell(notes)
        ):
            raise refused
        warnings += area.warnings(sheet.notes)
    yield "warnings", [warning.as_dict() for warning in warnings]


def _too_much_text(most_characters: int) -> FileRefusedError:
    return refusal(
        "TOO_LARGE",
        "The sheet's cells have more than {limit:,} characters together, the most that can be "
        "read. Split the sheet.",
        limit=most_characters,
    )


if __name__ == "__main__":
    sys.exit(main())
