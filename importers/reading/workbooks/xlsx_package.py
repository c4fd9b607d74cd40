"""The parts of an Excel workbook, found by its relations: sheets, number formats, texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.reading.number_formats.date_text import DateSystem
from importers.reading.number_formats.number_format import BUILT_IN, SAME_EVERYWHERE, NumberFormat
from importers.reading.workbooks.archive import part_at
from importers.reading.workbooks.escapes import unescaped
from importers.reading.workbooks.xml_parser import (
    MAIN,
    PLAIN_TEXT,
    TRUE,
    UsualForm,
    local_names,
    new_parser,
    parse_part,
)
from importers.sdk.cell_note import struck_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from importers.reading.workbooks.archive import Archive

_RELATION = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
_RELATION_IDS = tuple(
    f"{space} id"
    for space in (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    )
)
_WORKBOOK = local_names(MAIN, "workbook workbookPr sheet calcPr")
# Formats of `dxf` are for conditions and tables, and their numbers have another meaning.
_STYLES = local_names(MAIN, "numFmts numFmt fonts font strike cellStyleXfs cellXfs xf dxfs dxf")
_STRINGS = local_names(MAIN, "sst si t rPh strike")

_USUAL_STRINGS = re.compile(rf'(?:<si><t(?: xml:space="preserve")?>{PLAIN_TEXT}</t></si>)*+')
_STRING = re.compile(r"<t[^>]*>([^<]*)<")


@dataclass(frozen=True, slots=True)
class Relation:
    """A part that another part names, by an ID and for a purpose."""

    purpose: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """A sheet as the workbook lists it."""

    name: str
    part: str
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An Excel workbook without its cells.

    Args:
        sheets: those with cells, in their order; charts and macros are left out.
        formats: number formats by a cell's style.
        struck: numbers of styles whose cells are struck out.
        conditional_formats: numbers of the formats of conditions that change how a number is shown.
        strings: texts of cells, which these name by their numbers.
        is_computed_later: programs compute all formulas when they open the workbook.
    """

    sheets: Sequence[SheetPart]
    formats: Sequence[NumberFormat]
    struck: Collection[int]
    conditional_formats: Collection[str]
    strings: Sequence[str]
    is_computed_later: bool


def read_package(archive: Archive) -> Package | None:
    """Read everything but the cells; return None if the archive is no Excel workbook.

    Raises:
        FileRefusedError, LookupError, ValueError: a part is missing or damaged.
    """
    if "_rels/.rels" not in archive.names():
        return None
    main = _part_for("officeDocument", _relations(archive, ""))
    if main is None or main not in archive.names():
        return None
    head = _read_workbook(archive, main)
    if head is None:
        return None
    relations = _relations(archive, main)
    styles = _read_styles(archive, _part_for("styles", relations))
    system = DateSystem.FROM_1904 if head.counts_from_1904 else DateSystem.FROM_1900
    return Package(
        sheets=list(_sheet_parts(head, relations)),
        formats=_formats(styles, system),
        struck=styles.struck(),
        conditional_formats=styles.of_conditions,
        strings=_read_strings(archive, _part_for("sharedStrings", relations)),
        is_computed_later=head.is_computed_later,
    )


class _WorkbookPart:
    """What the workbook's own part says."""

    def __init__(self) -> None:
        self.root = ""
        self.sheets: list[dict[str, str]] = []
        self.counts_from_1904 = False
        self.is_computed_later = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name
        local = _WORKBOOK.get(name)
        if local == "sheet":
            self.sheets.append(attributes)
        elif local == "workbookPr":
            self.counts_from_1904 = attributes.get("date1904") in TRUE
        elif local == "calcPr":
            self.is_computed_later = attributes.get("fullCalcOnLoad") in TRUE


def _read_workbook(archive: Archive, part: str) -> _WorkbookPart | None:
    if not part.endswith(".xml"):
        return None
    found = _WorkbookPart()
    parse_part(new_parser(found.start), archive.blocks(part))
    return found if _WORKBOOK.get(found.root) == "workbook" else None


def _relations(archive: Archive, part: str) -> dict[str, Relation]:
    """Return the parts that a part names, by their IDs; those of the whole package for ""."""
    folder, slash, file = part.rpartition("/")
    found: dict[str, Relation] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == _RELATION and attributes.get("TargetMode") != "External":
            purpose = attributes.get("Type", "").rpartition("/")[2]
            target = part_at(part, attributes.get("Target", ""))
            found[attributes.get("Id", "")] = Relation(purpose, target)

    name = f"{folder}{slash}_rels/{file}.rels"
    if name in archive.names():
        parse_part(new_parser(start), archive.blocks(name))
    return found


def _part_for(purpose: str, relations: dict[str, Relation]) -> str | None:
    parts = (each.part for each in relations.values() if each.purpose == purpose)
    return next(parts, None)


def _sheet_parts(head: _WorkbookPart, relations: dict[str, Relation]) -> Iterator[SheetPart]:
    for attributes in head.sheets:
        key = next((attributes[name] for name in _RELATION_IDS if name in attributes), "")
        relation = relations.get(key)
        name = attributes.get("name", "")
        if relation is None:
            raise ValueError(f"the sheet '{name}' is missing")
        if relation.purpose == "worksheet":
            is_hidden = attributes.get("state", "visible") != "visible"
            yield SheetPart(name=name, part=relation.part, is_hidden=is_hidden)


class _StylesPart:
    """What the part of styles says of number formats.

    Attributes:
        of_cells: for each style of cells, the number of its format; None if that is not certain.
        fonts: for each style of cells, the number of its font.
        of_conditions: numbers of the formats of conditions that change how a number is shown.
    """

    def __init__(self) -> None:
        self.of_cells: list[int | None] = []
        self.fonts: list[str] = []
        self.of_conditions: set[str] = set()
        self._conditions = 0
        self._fonts: list[bool] = []
        self._of_styles: list[str] = []
        self._codes: dict[int, set[str]] = {}
        self._within = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _STYLES.get(name)
        if local == "numFmt" and self._within == "numFmts":
            codes = self._codes.setdefault(int(attributes["numFmtId"]), set())
            codes.add(attributes["formatCode"])
        elif local == "xf" and self._within == "cellStyleXfs":
            self._of_styles.append(attributes.get("numFmtId", "0"))
        elif local == "xf" and self._within == "cellXfs":
            self.of_cells.append(self._format_of(attributes))
            self.fonts.append(attributes.get("fontId", "0"))
        elif local == "numFmt" and self._within == "dxf":
            self.of_conditions.add(str(self._conditions - 1))
        elif local in ("font", "strike"):
            self._take_font(local, attributes)
        elif local not in ("numFmt", "xf", None):
            self._within = local
            self._conditions += local == "dxf"

    def _format_of(self, attributes: dict[str, str]) -> int | None:
        if "numFmtId" in attributes:
            return int(attributes["numFmtId"])
        # Programs differ in whether a cell's style inherits the format of a named style.
        named = int(attributes.get("xfId", "0"))
        return 0 if self._of_styles[named : named + 1] in ([], ["0"]) else None

    def _take_font(self, local: str, attributes: dict[str, str]) -> None:
        if self._within != "fonts":
            return
        if local == "font":
            self._fonts.append(False)
        elif self._fonts:
            self._fonts[-1] = attributes.get("val", "1") in TRUE

    def struck(self) -> Collection[int]:
        """Return the numbers of the styles of cells whose font has a line through it."""
        struck = {str(number) for number, is_struck in enumerate(self._fonts) if is_struck}
        return {style for style, font in enumerate(self.fonts) if font in struck}

    def code(self, number: int | None) -> str | None:
        """Return the code of a format; None if it is not certain."""
        if number is None:
            return None
        known, own = BUILT_IN.get(number), self._codes.get(number, set())
        if number in SAME_EVERYWHERE:
            own = own | {known or ""}
        codes = {code if code.lower() != "general" else "General" for code in own}
        return known if not codes else codes.pop() if len(codes) == 1 else None


def _read_styles(archive: Archive, part: str | None) -> _StylesPart:
    styles = _StylesPart()
    if part is not None:
        parse_part(new_parser(styles.start), archive.blocks(part))
    return styles


def _formats(styles: _StylesPart, system: DateSystem) -> list[NumberFormat]:
    """Return the number format of each style, by its number."""
    numbers = styles.of_cells or [0]
    made = {number: NumberFormat(styles.code(number), system) for number in set(numbers)}
    return [made[number] for number in numbers]


class _Strings:
    """The texts that cells name by their numbers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._is_text = False
        self._is_struck = False
        self._phonetic = 0
        self.parser = new_parser(self._start, self._end, self._add)
        self.usual = UsualForm(self.parser, "</si>", self._take)

    def _take(self, text: str, start: int) -> int:
        usual = _USUAL_STRINGS.match(text, start)
        if usual is None:
            return start
        found = _STRING.findall(usual[0])
        has_escapes = "&" in usual[0] or "_x" in usual[0]
        self.texts += map(unescaped, found) if has_escapes else found
        return usual.end()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = _STRINGS.get(name)
        if local == "sst":
            self.usual.begin()
        elif local == "si":
            self._parts, self._is_struck = [], False
        elif local == "strike":
            self._is_struck = self._is_struck or attributes.get("val", "1") in TRUE
        elif local == "rPh":
            self._phonetic += 1
        elif local == "t":
            self._is_text = not self._phonetic

    def _end(self, name: str) -> None:
        local = _STRINGS.get(name)
        if local == "si":
            text = unescaped("".join(self._parts), has_entities=False)
            self.texts.append(struck_text(text) if self._is_struck else text)
            self.usual.ended()
        elif local == "rPh":
            self._phonetic -= 1
        elif local == "t":
            self._is_text = False

    def _add(self, text: str) -> None:
        if self._is_text:
            self._parts.append(text)


def _read_strings(archive: Archive, part: str | None) -> Sequence[str]:
    strings = _Strings()
    if part is not None:
        for block in archive.blocks(part):
            strings.usual.parse(block)
        strings.usual.parse(b"", is_last=True)
    return strings.texts
