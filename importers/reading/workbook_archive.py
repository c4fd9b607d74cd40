"""Checks an Excel workbook's archive before it is parsed, and finds cells that parse wrongly."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import TYPE_CHECKING, BinaryIO
from xml.etree import ElementTree as ET

from importers.reading.refusal import refusal
from importers.reading.sniff import password_protected, seems_to_be, zip_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.reading.limits import Limits

_MAX_ENTRIES = 10_000
_MAX_INDEX_BYTES = 4 * 1024 * 1024
# Parts are searched in windows that overlap, so that a cell on the border of two is seen whole.
_WINDOW = 1024 * 1024
_OVERLAP = 64 * 1024
# The parser allocates every cell between a sheet's corners, also the empty ones.
_BYTES_A_CELL = 64

_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
# Patterns stop at the next "<" when they search the inside of a tag. This makes them linear in time
# on any input; with ".*?" a crafted part could make each attempt scan to the end.
_OPEN_CELL = rb"<(?:\w+:)?c\s"
_ADDRESS = rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']"""
_CELL = re.compile(_OPEN_CELL + rb"[^<>]*?" + _ADDRESS + rb"[^<>/]*>")
_ERROR = rb"""\bt\s*=\s*["']e["']"""
# <c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v>: attributes, text.
_ERROR_CELL = re.compile(
    _OPEN_CELL + rb"(?=[^<>]*?" + _ERROR + rb")([^<>]*)>"
    rb"(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<>]*</[^<>]*>))?\s*<(?:\w+:)?v\s*>([^<>]*)<"
)
_STYLE = rb"""\bs\s*=\s*["']([0-9]{1,6})["']"""
# <c r="B2" s="3"><v>7</v>: style, attributes, digits. A type other than "n" is no number.
_STYLED_NUMBER = re.compile(
    _OPEN_CELL + rb"(?=[^<>]*?" + _STYLE + rb""")(?![^<>]*?\bt\s*=\s*["'][^n])([^<>]*)>"""
    rb"(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<>]*</[^<>]*>))?\s*<(?:\w+:)?v\s*>([0-9]{1,15})<"
)
# The number format `000`, by which a spreadsheet shows 7 as 007.
_PADDED = re.compile(r"0{2,}")
# <c r="B2"><f>A1+1</f></c>, also with an empty <v>. Only of numbers: a formula that gives a text
# may rightly have an empty value.
_UNCOMPUTED = re.compile(
    _OPEN_CELL + rb"""(?![^<>]*?\bt\s*=\s*["'](?:str|s|inlineStr|b|e|d)["'])([^<>]*)>"""
    rb"<(?:\w+:)?f\b[^<>]*(?:/>|>[^<>]*</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*(?:/>|></(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"
)

DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    ET.ParseError,
    EOFError,
    NotImplementedError,
    UnicodeError,
    ValueError,
    LookupError,
    OSError,
)
"""Exceptions of zipfile, zlib and ElementTree for an archive that is damaged or crafted."""

Position = tuple[int, int]
"""Row and column of a cell, both from 1."""


@dataclass(slots=True)
class _ScannedPart:
    """Notes of one part's cells, filled in window by window.

    Args:
        first: the smallest row and column of any cell; None while no cell was seen.
        last: the largest row and column.
        texts: cells that show another text than the parser returns.
    """

    first: Position | None = None
    last: Position = (0, 0)
    texts: dict[Position, str] = field(default_factory=dict)

    def area(self) -> int:
        """Count the cells between the corners, for which the parser allocates memory."""
        if self.first is None:
            return 0
        return (self.last[0] - self.first[0] + 1) * (self.last[1] - self.first[1] + 1)


def examine(file: BinaryIO, filename: str, limits: Limits) -> dict[str, dict[Position, str]]:
    """Look through the whole archive, and refuse what the parser can't read safely and correctly.

    Returns:
        Sheet name → the cells whose shown text the parser does not return: error values such as
        `#N/A`, and numbers that a format pads with zeros, such as `007`.

    Raises:
        FileRefusedError: the file is no workbook, or is too large or encrypted, declares a document
            type, or has a formula without a value.
    """
    with zipfile.ZipFile(file) as archive:
        _refuse_bad_archive(archive, filename, limits)
        widths = _padded_styles(archive)
        parts = {
            entry.filename: _scan_part(archive, entry, limits, widths)
            for entry in archive.infolist()
            if not entry.is_dir()
        }
        sheets = _sheet_parts(archive)
    return {name: parts[part].texts for name, part in sheets.items() if part in parts}


def _refuse_bad_archive(archive: zipfile.ZipFile, filename: str, limits: Limits) -> None:
    entries = archive.infolist()
    kind = zip_kind({entry.filename.lower() for entry in entries})
    if kind:
        raise seems_to_be(kind, filename)
    if any(entry.flag_bits & 1 for entry in entries):
        raise password_protected(filename)
    size = sum(entry.file_size for entry in entries)
    if size > limits.max_unpacked_bytes or len(entries) > _MAX_ENTRIES:
        raise refusal(
            "TOO_LARGE",
            f"The workbook unpacks to {size:,} bytes in {len(entries):,} parts; "
            f"{limits.max_unpacked_bytes:,} bytes in {_MAX_ENTRIES:,} parts are the most that can "
            "be read. Save the sheet as CSV UTF-8.",
        )


def _scan_part(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, widths: Mapping[bytes, int]
) -> _ScannedPart:
    part = _ScannedPart()
    window = b""
    is_xml = entry.filename.lower().endswith((".xml", ".rels"))
    with archive.open(entry) as stream:
        while chunk := stream.read(_WINDOW):
            # Cells in the overlap are seen twice, which changes no note.
            window = window[-_OVERLAP:] + chunk
            if is_xml and _DOCTYPE.search(window):
                raise refusal(
                    "DAMAGED_WORKBOOK",
                    "The workbook declares a document type, which no spreadsheet program writes "
                    "and which can be used to do harm. Save the sheet as CSV UTF-8.",
                )
            _note_corners(part, window)
            _note_texts(part, window, widths)
            _refuse_uncomputed(window)
    if part.area() > limits.workbook_memory // _BYTES_A_CELL:
        start, end = map(_address_of, (part.first or part.last, part.last))
        raise refusal(
            "TOO_LARGE",
            f"A sheet of the workbook reaches from {start} to {end}, {part.area():,} cells: "
            "more than can be read. Clear the outlying cells, or save the sheet as CSV UTF-8.",
        )
    return part


def _note_corners(part: _ScannedPart, window: bytes) -> None:
    addresses = _CELL.findall(window)
    if not addresses:
        return
    rows = [int(row) for row in {row for _, row in addresses}]
    columns = [_column_number(letters) for letters in {letters for letters, _ in addresses}]
    if part.first is None:
        part.first = min(rows), min(columns)
    part.first = min(part.first[0], *rows), min(part.first[1], *columns)
    part.last = max(part.last[0], *rows), max(part.last[1], *columns)


def _note_texts(part: _ScannedPart, window: bytes, widths: Mapping[bytes, int]) -> None:
    """Note error values, and numbers that a format pads with zeros, as many files do with IDs."""
    has_errors = b'"e"' in window or b"'e'" in window
    for attributes, text in _ERROR_CELL.findall(window) if has_errors else ():
        part.texts[_cell_position(attributes)] = text.decode().strip()
    for style, attributes, digits in _STYLED_NUMBER.findall(window) if widths else ():
        if style in widths:
            part.texts[_cell_position(attributes)] = digits.decode().zfill(widths[style])


def _cell_position(attributes: bytes) -> Position:
    address = re.search(_ADDRESS, attributes)
    if address is None:
        raise ValueError("a cell without an address")
    return int(address[2]), _column_number(address[1])


def _refuse_uncomputed(window: bytes) -> None:
    """Refuse a formula without a stored value, which would be read as an empty cell."""
    found = _UNCOMPUTED.search(window) if b"<f" in window or b":f" in window else None
    if found:
        address = re.search(_ADDRESS, found[1])
        cell = (address[1] + address[2]).decode() if address else "A cell"
        raise refusal(
            "UNCOMPUTED_FORMULA",
            f"{cell} holds a formula that was never computed, so there is no value to read. "
            "Open the workbook in a spreadsheet program and save it.",
        )


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Map each sheet's name to the name of the part that holds its cells."""
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in _parse_part(archive, "xl/_rels/workbook.xml.rels")
    }
    parts = {}
    for element in _parse_part(archive, "xl/workbook.xml").iter():
        if element.tag.rpartition("}")[2] == "sheet":
            ids = [value for name, value in element.items() if name.endswith("}id")]
            target = targets.get(ids[0] if ids else None, "")
            parts[element.get("name", "")] = normpath(join("/xl", target)).lstrip("/")
    return parts


def _padded_styles(archive: zipfile.ZipFile) -> dict[bytes, int]:
    """Map each style with a number format such as `000` to the format's number of digits.

    A cell names its style by its index in `cellXfs`; the style names its format by `numFmtId`.
    """
    if "xl/styles.xml" not in archive.namelist():
        return {}
    formats: dict[str | None, int] = {}
    widths: dict[bytes, int] = {}
    for element in _parse_part(archive, "xl/styles.xml"):
        group = element.tag.rpartition("}")[2]
        if group == "numFmts":
            codes = {each.get("numFmtId"): each.get("formatCode", "") for each in element}
            formats = {key: len(code) for key, code in codes.items() if _PADDED.fullmatch(code)}
        if group == "cellXfs":
            used = [formats.get(each.get("numFmtId")) for each in element]
            widths = {b"%d" % style: width for style, width in enumerate(used) if width}
    return widths


def _parse_part(archive: zipfile.ZipFile, name: str) -> ET.Element:
    if archive.getinfo(name).file_size > _MAX_INDEX_BYTES:
        raise ValueError(f"{name} is too large")
    # S314 warns of entities that expand; _scan_part refuses parts that declare any.
    return ET.fromstring(archive.read(name))  # noqa: S314


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _address_of(position: Position) -> str:
    row, number = position
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
