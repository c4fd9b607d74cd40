"""One sheet of an Excel workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.reading.refusal import refusal
from importers.reading.workbooks.escapes import unescaped
from importers.reading.workbooks.sheet import Area, SheetNotes, SheetRow, look_under
from importers.reading.workbooks.sheet_address import MOST_ROWS, column_letters, position_of
from importers.reading.workbooks.usual_rows import RowForm, UsualRows
from importers.reading.workbooks.xlsx_cells import CellReaders
from importers.reading.workbooks.xml_parser import MAIN, TRUE, UsualForm, local_names, new_parser
from importers.sdk.cell_note import Holds, struck_text, with_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from importers.reading.workbooks.xlsx_package import Package

    Attributes = dict[str, str]

_NAMES = {
    **local_names(
        MAIN,
        "worksheet sheetView col sheetData row c v f is t rPh strike mergeCell"
        " conditionalFormatting cfRule numFmt",
    ),
    # Conditions on cells of other sheets, whose formats are not among the styles.
    "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main conditionalFormatting": "others",
    "http://schemas.microsoft.com/office/excel/2006/main sqref": "sqref",
}
# How deep in a sheet they are. In any other place, such as one of several alternatives, it is not
# certain that a program reads them.
_DEPTHS = {"sheetData": 2, "row": 3, "c": 4, "v": 5, "f": 5, "is": 5}


class XlsxSheet:
    """A sheet of an Excel workbook.

    Args:
        open_part: opens the sheet's part, and returns its content.
    """

    def __init__(
        self,
        name: str,
        open_part: Callable[[], Iterable[bytes]],
        package: Package,
        *,
        is_hidden: bool,
    ) -> None:
        self.name = name
        self.is_hidden = is_hidden
        self.notes = SheetNotes()
        self._open_part = open_part
        self._package = package
        self._shows_zeros = True
        self._is_sheet = False
        self._depth = 0
        self._condition = ""
        self._changes_format = False
        self._column_styles: list[tuple[range, str]] = []
        self._rows: list[SheetRow] = []
        self._row = 0
        self._row_style = ""
        self._columns: list[int] = []
        self._texts: list[str] = []
        self._cell = _OpenXlsxCell({})
        parser = new_parser(self._start, self._end, self._add_text)
        self._usual = UsualForm(parser, "</row>", self._take_usual)
        self._begin_rows()

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that have cells, in their order.

        Raises:
            FileRefusedError: a formula has no value, or the part declares a document type.
            ValueError: the part is damaged.
        """
        yield from self._read()
        if merged := self.notes.merged:
            # Merged cells are listed behind the rows, and hardly any table has some.
            again = XlsxSheet(self.name, self._open_part, self._package, is_hidden=self.is_hidden)
            self.notes.merged, self.notes.covered = look_under(again._read(), merged)

    def _read(self) -> Iterator[SheetRow]:
        for block in self._open_part():
            self._usual.parse(block)
            yield from self._parsed_rows()
        self._usual.parse(b"", is_last=True)
        yield from self._parsed_rows()
        if not self._is_sheet:
            raise ValueError(f"the sheet '{self.name}' has no cells")

    def _parsed_rows(self) -> Iterator[SheetRow]:
        rows, self._rows = self._rows, []
        return iter(rows)

    def _take_usual(self, text: str, start: int) -> int:
        try:
            rows, end = self._usual_rows.read(text, start)
            for row in rows:
                self._begin_row(row.number)
                if row.columns:
                    self._rows.append(row)
        except (LookupError, ValueError) as error:
            raise ValueError(f"row {self._row + 1}: {error}") from error
        return end

    def _begin_rows(self) -> None:
        self._readers = CellReaders(
            self._package.formats,
            self._package.strings,
            shows_zeros=self._shows_zeros,
            column_styles=self._column_styles,
            struck=self._package.struck,
        )
        form = RowForm(
            is_excels="x14ac" in self._usual.prefixes,
            has_results=not self._package.is_computed_later,
        )
        self._usual_rows = UsualRows(self._readers, form)

    def _begin_row(self, number: int) -> None:
        if not self._row < number <= MOST_ROWS:
            raise ValueError(f"row {number} follows row {self._row}")
        self._row = number

    def _start(self, name: str, attributes: Attributes) -> None:
        local = _NAMES.get(name)
        self._depth += 1
        if local in _DEPTHS and _DEPTHS[local] != self._depth:
            raise ValueError(f"behind row {self._row} is an element '{local}' in a wrong place")
        match local:
            case "c":
                self._cell = _OpenXlsxCell(attributes)
            case "v" | "is" | "f" | "t" | "rPh" as part:
                self._cell.start(part)
            case "strike":
                self._cell.is_struck |= attributes.get("val", "1") in TRUE
            case "row":
                self._begin_row(int(attributes.get("r", self._row + 1)))
                self._columns, self._texts = [], []
                has_style = attributes.get("customFormat") in TRUE
                self._row_style = attributes.get("s", "") if has_style else ""
                if _is_unseen(attributes, "ht"):
                    self.notes.hidden_rows.append(self._row)
            case "sheetData":
                self._is_sheet = True
                self._usual.begin()
                self._begin_rows()
            case str():
                self._take_note(local, attributes)

    def _take_note(self, local: str, attributes: Attributes) -> None:
        """Take notice of what stands before the rows or behind them."""
        match local:
            case "sheetView":  # one for each window
                self._shows_zeros &= attributes.get("showZeros", "1") in TRUE
            case "col":
                columns = range(int(attributes["min"]) - 1, int(attributes["max"]))
                if _is_unseen(attributes, "width"):
                    self.notes.hidden_columns.append(columns)
                if style := attributes.get("style"):
                    self._column_styles.append((columns, style))
            case "mergeCell":
                self.notes.merged.append(_area(attributes.get("ref", "")))
            case "conditionalFormatting":
                self._condition = attributes.get("sqref", "")
            case "cfRule" if attributes.get("dxfId") in self._package.conditional_formats:
                self.notes.conditional += map(_area, self._condition.split())
            case "numFmt":
                self._changes_format = True
            case "sqref":
                self._cell = _OpenXlsxCell({})
                self._cell.start("v")

    def _end(self, name: str) -> None:
        self._depth -= 1
        match _NAMES.get(name):
            case "c":
                self._end_cell()
            case "v" | "t" | "rPh" as part:
                self._cell.end(part)
            case "row":
                if self._columns:
                    self._rows.append(SheetRow(self._row, tuple(self._columns), self._texts))
                self._usual.ended()
            case "sqref" if self._changes_format:
                self.notes.conditional += map(_area, self._cell.value.split())
            case "others":
                self._changes_format = False

    def _add_text(self, text: str) -> None:
        if self._cell.open is not None:
            self._cell.open.append(text)

    def _end_cell(self) -> None:
        column = self._columns[-1] + 1 if self._columns else 0
        address = self._cell.attributes.get("r")
        if address is not None:
            row, column = position_of(address)
            if row != self._row or (self._columns and column <= self._columns[-1]):
                raise ValueError(f"the cell '{address}' in row {self._row}")
        address = f"{column_letters(column)}{self._row}"
        self._columns.append(column)
        self._texts.append(self._shown(address, column))

    def _shown(self, address: str, column: int) -> str:
        cell, kind = self._cell, self._cell.attributes.get("t", "n")
        if cell.is_uncomputed():
            raise refusal(
                "UNCOMPUTED_FORMULA",
                "{cell} holds a formula that was never computed, so there is no value to "
                "read. Open the workbook in a spreadsheet program and save it.",
                cell=address,
            )
        if cell.has_formula and self._package.is_computed_later and kind != "e":
            raise refusal(
                "UNCOMPUTED_FORMULA",
                "{cell} holds a formula that programs compute when they open the workbook, so its "
                "value in the file may not be the one that you saw. Open the workbook in a "
                "spreadsheet program and save it there, or save the sheet as CSV UTF-8.",
                cell=address,
            )
        if cell.is_ambiguous:
            raise ValueError(f"{address} has several values for the type '{kind}'")
        if cell.is_picture():
            return with_note("", Holds.UNSHOWN, "a picture or a linked record, which is no text")
        stored = cell.inline if kind == "inlineStr" else cell.value
        if kind in ("str", "inlineStr"):
            stored = unescaped(stored, has_entities=False)
        else:
            stored = stored.strip()
        try:
            style = cell.attributes.get("s", "")
            read = self._readers.reader(kind, style, column, self._row_style)
            text = read(stored) if stored else ""
        except (LookupError, ValueError) as error:
            raise ValueError(f"{address}: {error}") from error
        return struck_text(text) if cell.is_struck else text


class _OpenXlsxCell:
    """A cell between its start tag and its end tag.

    Args:
        attributes: of its element.
    """

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.open: list[str] | None = None
        self._value: list[str] | None = None
        self._inline: list[str] | None = None
        self.has_formula = False
        self.is_struck = False
        self._has_two_values = False
        self._phonetics = 0

    @property
    def value(self) -> str:
        return "".join(self._value or ())

    @property
    def inline(self) -> str:
        return "".join(self._inline or ())

    @property
    def is_ambiguous(self) -> bool:
        """Whether it has two values, or that of another type."""
        is_inline = self.attributes.get("t") == "inlineStr"
        return self._has_two_values or (self._value if is_inline else self._inline) is not None

    def start(self, part: str) -> None:
        """Take notice that an element in the cell begins."""
        if part == "v":
            self._has_two_values = self._has_two_values or self._value is not None
            self._value = self.open = []
        elif part == "is":
            self._has_two_values = self._has_two_values or self._inline is not None
            self._inline = []
        elif part == "f":
            self.has_formula = True
        elif part == "rPh":
            self._phonetics += 1
        elif not self._phonetics:
            self.open = self._inline

    def end(self, part: str) -> None:
        """Take notice that an element in the cell has ended."""
        if part == "rPh":
            self._phonetics -= 1
        else:
            self.open = None

    def is_picture(self) -> bool:
        """Tell whether the cell shows a picture or linked record, which older programs can't."""
        return self.attributes.get("t") == "e" and "vm" in self.attributes and not self.has_formula

    def is_uncomputed(self) -> bool:
        """Tell whether the cell has a formula and no value."""
        kind = self.attributes.get("t", "n")
        is_empty = self._value is None or (not self.value.strip() and kind != "str")
        return self.has_formula and is_empty


def _is_unseen(attributes: Attributes, size: str) -> bool:
    """Tell whether a row or column is hidden, or has no height or width."""
    return attributes.get("hidden") in TRUE or not attributes.get(size, "1").strip("0.")


def _area(reference: str) -> Area:
    """Return the cells that a reference such as `A1:B2` names."""
    first, _, last = reference.partition(":")
    (first_row, first_column), (last_row, last_column) = map(position_of, (first, last or first))
    return Area(first_row, last_row, first_column, last_column)
