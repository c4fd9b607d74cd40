"""The sheet of a workbook that has the table."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from importers.reading.refusal import refusal
from importers.reading.workbooks.table_area import filled_cells
from importers.sdk.cell_note import shown_text
from importers.sdk.errors import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.workbooks.sheet import Sheet, SheetNotes, SheetRow
    from importers.sdk.errors import FileRefusedError

_FEW_CELLS = 60
_SHARED_NAMES = 2
# A crafted workbook has any number of names, of any length.
_MOST_NAMES, _LONGEST_NAME = 10, 100


class ChosenSheet(NamedTuple):
    """A sheet that is being read.

    Args:
        first: the first row that is not blank.
        rows: the others.
    """

    name: str
    notes: SheetNotes
    first: SheetRow
    rows: Iterator[SheetRow]


def choose_sheet(sheets: Sequence[Sheet]) -> tuple[ChosenSheet | None, list[ErrorDetail]]:
    """Find the one visible sheet that has data, and warn of those that are not read.

    Returns:
        None for the sheet if no visible sheet has data.

    Raises:
        FileRefusedError: several visible sheets have data, or only hidden sheets have any.
    """
    opened = [_open(sheet) for sheet in sheets if not sheet.is_hidden]
    found = [sheet for sheet in opened if sheet is not None]
    hidden = [sheet.name for sheet in sheets if sheet.is_hidden]
    if not found and hidden:
        raise _refused_sheets(
            "EMPTY_FILE",
            "The visible sheets of the workbook are empty, and hidden ones are not read: ",
            hidden,
            "Unhide the sheet to be imported.",
        )
    chosen, others = _with_table(found)
    template = "The sheet '{sheet}' is hidden, and was not read."
    warnings = [
        ErrorDetail.of("HIDDEN_SHEET", template, sheet=name[:_LONGEST_NAME])
        for name in hidden[:_MOST_NAMES]
    ]
    if more := hidden[_MOST_NAMES:]:
        template = "{more:,} more sheets are hidden and not read."
        warnings.append(ErrorDetail.of("HIDDEN_SHEET", template, more=len(more)))
    template = "The sheet '{sheet}' has a few words and no table, and was not read."
    warnings += [
        ErrorDetail.of("OTHER_SHEET", template, sheet=name[:_LONGEST_NAME])
        for name in others[:_MOST_NAMES]
    ]
    return chosen, warnings


def _open(sheet: Sheet) -> ChosenSheet | None:
    rows = (row for row in sheet.rows() if any(map(str.strip, row.texts)))
    first = next(rows, None)
    return ChosenSheet(sheet.name, sheet.notes, first, rows) if first else None


def _with_table(found: Sequence[ChosenSheet]) -> tuple[ChosenSheet | None, list[str]]:
    """Return the sheet with the table, and the names of the others, which have a few words.

    A sheet of a few words begins with a single cell, such as the "Export Summary" that Numbers
    adds, and has nothing in it that looks like the table's header.
    """
    if len(found) <= 1:
        return (found[0] if found else None), []
    tables = [sheet for sheet in found if filled_cells(sheet.first) > 1]
    if len(tables) == 1:
        others = [sheet for sheet in found if sheet is not tables[0]]
        header = _words(tables[0].first)
        if all(_is_few_words(sheet, header) for sheet in others):
            return tables[0], [sheet.name for sheet in others]
    raise _refused_sheets(
        "SEVERAL_SHEETS",
        "Several sheets of the workbook have data: ",
        [each.name for each in found],
        "Leave or unhide only the one to be imported, or save it as CSV UTF-8.",
    )


def _is_few_words(sheet: ChosenSheet, header: set[str]) -> bool:
    count = 0
    for row in islice(chain([sheet.first], sheet.rows), _FEW_CELLS + 1):
        count += filled_cells(row)
        if count > _FEW_CELLS or len(_words(row) & header) >= _SHARED_NAMES:
            return False
    return True


def _words(row: SheetRow) -> set[str]:
    return {shown_text(text).strip().casefold() for text in row.texts} - {""}


def _refused_sheets(code: str, fault: str, names: Sequence[str], advice: str) -> FileRefusedError:
    more = max(len(names) - _MOST_NAMES, 0)
    template = fault + "{sheets}" + (" and {more:,} more. " if more else ". ") + advice
    sheets = ", ".join(f"'{name[:_LONGEST_NAME]}'" for name in names[:_MOST_NAMES])
    return refusal(code, template, sheets=sheets, more=more)
