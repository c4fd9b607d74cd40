"""One sheet of an OpenDocument spreadsheet, which has each cell's shown text beside its value."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, NamedTuple

from importers.reading.number_formats.date_text import iso_text
from importers.reading.number_formats.number_text import general_text, stored_number
from importers.reading.refusal import refusal
from importers.reading.workbooks.sheet import Area, SheetNotes, SheetRow
from importers.reading.workbooks.sheet_address import MOST_COLUMNS, MOST_ROWS, column_letters
from importers.reading.workbooks.xml_parser import local_names, new_parser, parse_block
from importers.sdk.cell_note import Holds, number_note, struck_text, with_note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    Attributes = dict[str, str]

_URN = "urn:oasis:names:tc:opendocument:xmlns"
_OFFICE, _TABLE, _TEXT = (f"{_URN}:{name}:1.0" for name in ("office", "table", "text"))
_EXTENSIONS = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
_NAMES = {
    **local_names([_TABLE], "table table-column table-row table-cell covered-table-cell"),
    **local_names([_TEXT], "p span s tab line-break"),
    # Remarks, notes and phonetic readings are no part of a cell's text, and neither are shapes.
    **dict.fromkeys((f"{_OFFICE} annotation", f"{_TEXT} note", f"{_TEXT} ruby-text"), "aside"),
}
_SHAPES = tuple(f"{_URN}:{name}:1.0 " for name in ("drawing", "dr3d"))
_HIDDEN = ("collapse", "filter")
_SPACES = re.compile(r"[ \t\r\n]+")
# What elements stand for, until spaces of the text have been made one; no XML has these characters.
_MARKS = {"s": "\x01", "tab": "\x02", "line-break": "\x03"}
_MARKED = {1: " ", 2: "\t", 3: "\n"}
_DEFAULT_STYLE = f"{_TABLE} default-cell-style-name"
_TIME = re.compile(r"PT(?P<h>\d+)H(?P<m>\d+)M(?P<s>\d+)(?:[.,]\d+)?S")
_ERROR = re.compile(r"#[\w/]+[!?]?|Err:\d+")
_MARKS_OF_NUMBERS = str.maketrans(",\u2212", ".-")
_EXPONENT = re.compile(r"\dE[+-]?\d", re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9]+")


class OdsStyles(NamedTuple):
    """Names of a document's styles.

    Args:
        struck: those with a line through the text.
        formatted: those of cells with a number format.
    """

    struck: Collection[str]
    formatted: Collection[str]


class OdsSheet:
    """A sheet of an OpenDocument spreadsheet.

    Args:
        blocks: the document's content.
        place: the sheet's number in it, from 0.
        styles: what the document's styles say.
    """

    def __init__(
        self,
        name: str,
        blocks: Iterable[bytes],
        place: int,
        *,
        is_hidden: bool,
        styles: OdsStyles,
    ) -> None:
        self.name = name
        self.is_hidden = is_hidden
        self.notes = SheetNotes()
        self._blocks = blocks
        self._place = place
        self._is_open = False
        self._rows: list[SheetRow] = []
        self._row = 0
        self._row_attributes: Attributes = {}
        self._column = 0
        self._columns: list[int] = []
        self._texts: list[str] = []
        self._cell = _OpenOdsCell({})
        self._columns_listed = 0
        self._styles = styles
        self._column_styles: list[str] = []
        self._parser = new_parser(self._start, self._end, self._add_text)

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that have cells, in their order.

        Raises:
            FileRefusedError: a formula has no value, or the part declares a document type.
            ValueError: the content is damaged.
        """
        for block in self._blocks:
            parse_block(self._parser, block)
            yield from self._parsed_rows()
        parse_block(self._parser, b"", is_last=True)
        yield from self._parsed_rows()

    def _parsed_rows(self) -> Iterator[SheetRow]:
        rows, self._rows = self._rows, []
        return iter(rows)

    def _start(self, name: str, attributes: Attributes) -> None:
        local = _local_name(name)
        if local == "table":
            if self._is_open:
                raise ValueError(f"the sheet '{self.name}' has a table within a table")
            self._is_open = self._place == 0
            self._place -= 1
        elif not self._is_open or local is None:
            return
        elif local == "table-row":
            self._row_attributes = attributes
            self._column, self._columns, self._texts = 0, [], []
        elif local in ("table-cell", "covered-table-cell"):
            self._cell = _OpenOdsCell(attributes)
        elif local == "table-column":
            self._list_column(attributes)
        else:
            is_struck = attributes.get(f"{_TEXT} style-name") in self._styles.struck
            self._cell.start(local, attributes, is_struck=is_struck)

    def _end(self, name: str) -> None:
        local = _local_name(name)
        if local == "table":
            self._is_open = False
        elif not self._is_open or local is None:
            return
        elif local == "table-row":
            self._end_row()
        elif local == "table-cell":
            self._end_cell(self._cell.attributes)
        elif local == "covered-table-cell":
            # The cell that covers it is shown in its place.
            self._column += _repeated(self._cell.attributes, "columns")
        elif local in ("p", "aside"):
            self._cell.end(local)

    def _add_text(self, text: str) -> None:
        if self._is_open:
            self._cell.add(text)

    def _list_column(self, attributes: Attributes) -> None:
        start = self._columns_listed
        self._columns_listed += _repeated(attributes, "columns")
        if attributes.get(f"{_TABLE} visibility") in _HIDDEN:
            self.notes.hidden_columns.append(range(start, self._columns_listed))
        listed = min(self._columns_listed, MOST_COLUMNS) - len(self._column_styles)
        self._column_styles += [attributes.get(_DEFAULT_STYLE, "")] * listed

    def _end_row(self) -> None:
        """Add the row, as often as it is repeated; blank ones only count."""
        count = _repeated(self._row_attributes, "rows")
        first, self._row = self._row + 1, self._row + count
        if not self._columns:
            return
        if self._row > MOST_ROWS:
            raise ValueError(f"there is a row {self._row}")
        columns = tuple(self._columns)
        self._rows += (SheetRow(row, columns, self._texts) for row in range(first, first + count))
        if self._row_attributes.get(f"{_TABLE} visibility") in _HIDDEN:
            self.notes.hidden_rows += range(first, first + count)

    def _end_cell(self, attributes: Attributes) -> None:
        count = _repeated(attributes, "columns")
        address = f"{column_letters(self._column)}{self._row + 1}"
        first, self._column = self._column, self._column + count
        wide, high = (
            int(attributes.get(f"{_TABLE} number-{name}-spanned", 1))
            for name in ("columns", "rows")
        )
        if wide > 1 or high > 1:
            area = Area(self._row + 1, self._row + high, first, first + wide - 1)
            self.notes.merged.append(area)
        style = self._style_of(attributes, first)
        text = self._cell.shown(address, has_format=style in self._styles.formatted)
        if self._cell.is_struck or style in self._styles.struck:
            text = struck_text(text)
        if text:
            if self._column > MOST_COLUMNS:
                raise ValueError(f"there is a column {self._column}")
            self._columns += range(first, self._column)
            self._texts += [text] * count

    def _style_of(self, attributes: Attributes, column: int) -> str:
        """Return the style of a cell: its own, else that of its row or column."""
        own = attributes.get(f"{_TABLE} style-name") or self._row_attributes.get(_DEFAULT_STYLE)
        of_column = self._column_styles[column : column + 1]
        return own or "".join(of_column) or "Default"


class _OpenOdsCell:
    """A cell between its start tag and its end tag."""

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.is_struck = False
        self._paragraphs: list[list[str]] = []
        self._is_text = False
        self._asides = 0

    def start(self, part: str, attributes: Attributes, *, is_struck: bool) -> None:
        """Take notice that an element in the cell begins."""
        if part == "aside":
            self._asides += 1
        if self._asides:
            return
        self.is_struck |= is_struck
        if part == "p":
            self._paragraphs.append([])
            self._is_text = True
        elif self._paragraphs and part in _MARKS:
            count = int(attributes.get(f"{_TEXT} c", 1)) if part == "s" else 1
            self._paragraphs[-1].append(_MARKS[part] * min(count, MOST_COLUMNS))

    def end(self, part: str) -> None:
        """Take notice that an element in the cell has ended."""
        if part == "aside":
            self._asides -= 1
        elif not self._asides:
            self._is_text = False

    def add(self, text: str) -> None:
        """Add to the cell's text."""
        if self._is_text and not self._asides:
            self._paragraphs[-1].append(text)

    def shown(self, address: str, *, has_format: bool) -> str:
        """Return what the sheet shows, with a note where the cell does not hold that.

        Args:
            has_format: its style has a number format.

        Raises:
            FileRefusedError: the cell has a formula without a value.
        """
        # Line breaks in the file mean no more than a space.
        lines = (_SPACES.sub(" ", "".join(parts)).strip(" ") for parts in self._paragraphs)
        text = "\n".join(lines).translate(_MARKED)
        kind = self.attributes.get(f"{_OFFICE} value-type", "")
        has_formula = f"{_TABLE} formula" in self.attributes
        if has_formula and not kind and not text:
            raise refusal(
                "UNCOMPUTED_FORMULA",
                "{cell} holds a formula that was never computed, so there is no value to "
                "read. Open the workbook in a spreadsheet program and save it.",
                cell=address,
            )
        # LibreOffice alone says which cells are errors.
        kind_there = self.attributes.get(f"{_EXTENSIONS} value-type")
        looks_wrong = kind_there is None and has_formula and _ERROR.fullmatch(text)
        if kind_there == "error" or looks_wrong:
            return with_note(text, Holds.ERROR)
        is_plain = kind == "float" and not has_format and not has_formula
        try:
            if is_plain:
                return _plain_number(text, self.attributes.get(f"{_OFFICE} value", ""))
            return self._with_note(text, kind)
        except ValueError as error:
            raise ValueError(f"{address}: {error}") from error

    def _with_note(self, text: str, kind: str) -> str:
        if kind in ("float", "currency", "percentage"):
            return _number(text, self.attributes.get(f"{_OFFICE} value", ""))
        if kind == "date":
            return _date(text, self.attributes.get(f"{_OFFICE} date-value", ""))
        if kind == "time":
            found = _TIME.fullmatch(self.attributes.get(f"{_OFFICE} time-value", ""))
            detail = f"{int(found['h'])}:{found['m']:0>2}:{found['s']:0>2}" if found else text
            return with_note(text or detail, Holds.TIME, detail)
        if kind == "boolean":
            value = self.attributes.get(f"{_OFFICE} boolean-value", "").upper()
            return with_note(text or value, Holds.BOOLEAN)
        return _text(text, self.attributes.get(f"{_OFFICE} string-value", ""))


def _local_name(name: str) -> str | None:
    return _NAMES.get(name) or ("aside" if name.startswith(_SHAPES) else None)


def _text(shown: str, value: str) -> str:
    """Return what is shown of a text, with a note if the cell holds another one.

    A format may add to the text or hide it, or a program has changed one of them alone.
    """
    if not value or value.split() == shown.split():
        return shown
    hidden = "" if shown else ", which the sheet hides"
    return with_note(shown, Holds.UNSHOWN, f"the text '{value[:100]}'{hidden}")


def _date(shown: str, value: str) -> str:
    try:
        moment = datetime.datetime.fromisoformat(value)
    except ValueError:  # such as a year before all calendars
        return with_note(shown, Holds.UNSHOWN, f"the date '{value[:30]}'")
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    detail = iso_text(moment.date(), seconds)
    return with_note(shown or detail.replace("T", " "), Holds.DATE, detail)


def _plain_number(shown: str, value: str) -> str:
    """Return a number without a format, which a sheet shows as it is.

    The text beside it may be missing, or be what another program has once shown.
    """
    number = stored_number(value)
    general = general_text(number)
    if not shown or shown.translate(_MARKS_OF_NUMBERS) == general.text:
        return number_note(shown or general.text, number.text, is_whole=general.is_whole)
    return with_note(shown, Holds.NUMBER, number.text)


def _number(shown: str, value: str) -> str:
    """Return what is shown of a number, with a note if that is not all of it."""
    number = stored_number(value)
    if not shown:
        return with_note("", Holds.UNSHOWN, f"{number.text}, which the sheet hides")
    digits, all_digits = _NO_DIGIT.sub("", shown), _NO_DIGIT.sub("", number.text)
    # Decimals may have more zeros than the number, and thousands or millions fewer.
    has_all = (
        digits.rstrip("0").endswith(all_digits.strip("0"))
        and _zeros_at_end(digits) >= _zeros_at_end(all_digits)
        if number.value
        else not digits.strip("0")
    )
    has_sign = number.value >= 0 or "-" in shown or "(" in shown or "\u2212" in shown
    is_whole = has_all and has_sign and number.is_whole and not _EXPONENT.search(shown)
    return number_note(shown, number.text, is_whole=is_whole)


def _repeated(attributes: Attributes, what: str) -> int:
    return max(1, int(attributes.get(f"{_TABLE} number-{what}-repeated", 1)))


def _zeros_at_end(digits: str) -> int:
    return len(digits) - len(digits.rstrip("0"))
