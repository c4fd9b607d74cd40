"""Writes a workbook of texts: one sheet, in which a spreadsheet program changes no cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xlsxwriter.format import Format

    from api.schema.importing.plugin_descriptions import ColumnDescription

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LAST_ROW = 1_048_575
_EVERY_CELL = "A1:XFD1048576"
# The characters of all choices of a drop-down list, with commas between them.
_LONGEST_LIST = 255
_NARROWEST, _WIDEST = 10, 50
# Each note is held in memory until the end, and a spreadsheet program is slow with many.
_MOST_NOTES = 2_000
_LONGEST_NOTE = 1_000
_NOTE_PIXELS = 320
_NOTE_LINE = 50


class WorkbookLimitError(Exception):
    """A workbook can't hold a cell; the message is a clause for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumn:
    """A column of a sheet.

    Args:
        name: as the header has it.
        help: what goes into its cells; a note at its name.
        choices: of its drop-down list, if it has one.
        width: in characters.
    """

    name: str
    help: str = ""
    choices: Sequence[str] = ()
    width: int

    @classmethod
    def of(cls, name: str, column: ColumnDescription | None, cells: Sequence[str]) -> SheetColumn:
        """Describe a column by what its importer says of it, and by some of its cells."""
        longest = max(map(len, [name, *cells])) + 2
        width = min(max(longest, _NARROWEST), _WIDEST)
        if column is None:
            return cls(name=name, width=width)
        return cls(name=name, help=column.help, choices=column.choices or (), width=width)


class TextWorkbook:
    """Writes a workbook, row by row.

    Rows go to the disk when the next one is added; memory grows with the notes alone, of which
    there are 2,000 at the most. A cell with a note is marked in any case.

    Args:
        path: of the file; temporary ones lie beside it.
    """

    def __init__(self, path: Path, columns: Sequence[SheetColumn]) -> None:
        # Without "constant_memory", every cell stays in memory until the end.
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "tmpdir": str(path.parent)}
        )
        # `@` is the format of texts: a spreadsheet takes no zeros away from what is typed, either.
        self._text = self._book.add_format({"num_format": "@"})
        self._faulty = self._book.add_format({"num_format": "@", "bg_color": "#FFD9D9"})
        self._sheet = self._book.add_worksheet("Rows")
        self._sheet.freeze_panes(1, 0)
        # Else each cell like `0` would be marked as a number stored as text.
        self._sheet.ignore_errors({"number_stored_as_text": _EVERY_CELL})
        self._row = 0
        self._notes = 0
        self._write_header(columns)

    def _write_header(self, columns: Sequence[SheetColumn]) -> None:
        bold = self._book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        for index, column in enumerate(columns):
            self._sheet.set_column(index, index, column.width, self._text)
            self._sheet.write_string(0, index, column.name, bold)
            if column.help:
                self._add_note(index, column.help)
            if column.choices and _fit_into_list(column.choices):
                self._sheet.data_validation(1, index, _LAST_ROW, index, _list_of(column.choices))
        self._row = 1

    def add_row(self, cells: Sequence[str], notes: Mapping[int, str]) -> None:
        """Write a row.

        Args:
            notes: by the index of their cell.

        Raises:
            WorkbookLimitError: a cell is too long.
        """
        for index, cell in enumerate(cells):
            cell_format = self._faulty if index in notes else self._text
            if cell:
                self._write_text(index, cell, cell_format)
            else:
                self._sheet.write_blank(self._row, index, None, cell_format)
        for index, note in notes.items():
            self._add_note(index, note)
        self._row += 1

    def _write_text(self, index: int, text: str, cell_format: Format) -> None:
        # XlsxWriter takes `<r>…</r>` for markup of its own, and would write it as it is.
        if text.startswith("<r>") and text.endswith("</r>"):
            raise WorkbookLimitError("a text that is markup")
        # It would cut the text, and say so by its result.
        if self._sheet.write_string(self._row, index, text, cell_format):
            units = len(text.encode("utf-16-le")) // 2
            raise WorkbookLimitError(f"{units:,} characters of UTF-16, and 32,767 are the most")

    def _add_note(self, index: int, text: str) -> None:
        if self._notes == _MOST_NOTES:
            return
        self._notes += 1
        shown = text[:_LONGEST_NOTE]
        lines = sum(1 + len(line) // _NOTE_LINE for line in shown.splitlines())
        size = {"width": _NOTE_PIXELS, "height": 20 + 16 * lines}
        self._sheet.write_comment(self._row, index, shown, {"author": "Caseroll", **size})

    def close(self) -> None:
        """Finish the file."""
        self._book.close()


def _fit_into_list(choices: Sequence[str]) -> bool:
    return len(",".join(choices)) <= _LONGEST_LIST and not any("," in each for each in choices)


def _list_of(choices: Sequence[str]) -> dict[str, Any]:
    # Other words may be right, too, such as `yes` for `1`: the list only helps.
    return {"validate": "list", "source": list(choices), "show_error": False}
