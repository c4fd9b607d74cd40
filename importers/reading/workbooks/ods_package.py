"""OpenDocument spreadsheets: recognised, and their sheets listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.reading.sniff import password_protected
from importers.reading.workbooks.ods_sheet import OdsSheet, OdsStyles
from importers.reading.workbooks.xml_parser import local_names, new_parser, parse_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from importers.reading.workbooks.archive import Archive

_URN = "urn:oasis:names:tc:opendocument:xmlns"
_NAMES = {
    **local_names([f"{_URN}:office:1.0"], "spreadsheet"),
    **local_names(
        [f"{_URN}:style:1.0"], "style default-style map table-properties text-properties"
    ),
    **local_names([f"{_URN}:table:1.0"], "table"),
    # Number formats, whose elements `map` are not those of a cell's style.
    **dict.fromkeys(
        (
            f"{_URN}:datastyle:1.0 {kind}-style"
            for kind in ("number", "currency", "percentage", "date", "time", "boolean", "text")
        ),
        "data-style",
    ),
}
_STYLE, _FAMILY, _PARENT, _DATA_STYLE = (
    f"{_URN}:style:1.0 {name}"
    for name in ("name", "family", "parent-style-name", "data-style-name")
)
_TABLE_NAME, _TABLE_STYLE, _DISPLAY = (
    f"{_URN}:table:1.0 {name}" for name in ("name", "style-name", "display")
)
# Programs write either or both.
_LINES = tuple(f"{_URN}:style:1.0 text-line-through-{name}" for name in ("style", "type"))
_MOST_PARENTS = 20
# Has no cells.
_OTHER_STYLE = "?"
_ENCRYPTION = f"{_URN}:manifest:1.0 encryption-data"
_CONTENT, _STYLES, _MANIFEST = "content.xml", "styles.xml", "meta-inf/manifest.xml"


def open_document_sheets(archive: Archive, filename: str) -> Sequence[OdsSheet] | None:
    """List the sheets; return None if the archive is no OpenDocument spreadsheet.

    Raises:
        FileRefusedError: it is protected with a password.
        ValueError: a part is damaged.
    """
    names = archive.names()
    if "encrypted-package" in names or _is_encrypted(archive):
        raise password_protected(filename)
    if _CONTENT not in names:
        return None
    content = _Content()
    for part in (_STYLES, _CONTENT):
        if part in names:
            parse_part(new_parser(content.start), archive.blocks(part))
    if not content.is_spreadsheet:
        return None
    styles = content.styles()
    return [
        OdsSheet(
            name,
            archive.blocks(_CONTENT),
            place,
            is_hidden=style in content.hidden_styles,
            styles=styles,
        )
        for place, (name, style) in enumerate(content.tables)
    ]


def _is_encrypted(archive: Archive) -> bool:
    is_encrypted = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal is_encrypted
        is_encrypted = is_encrypted or name == _ENCRYPTION

    if _MANIFEST in archive.names():
        parse_part(new_parser(start), archive.blocks(_MANIFEST))
    return is_encrypted


class _Content:
    """The tables of a document, by their names and styles, and what its styles say."""

    def __init__(self) -> None:
        self.is_spreadsheet = False
        self.tables: list[tuple[str, str]] = []
        self.hidden_styles: set[str] = set()
        self._lines: dict[str, bool] = {}
        self._formats: set[str] = set()
        self._parents: dict[str, str] = {}
        self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _NAMES.get(name):
            case "spreadsheet":
                self.is_spreadsheet = True
            case "style" | "default-style":
                self._begin_style(attributes)
            case "data-style":
                self._style = _OTHER_STYLE
            case "map":  # a condition, of which another style may be the result
                self._formats.add(self._style)
            case "table-properties" if attributes.get(_DISPLAY) == "false":
                self.hidden_styles.add(self._style)
            case "text-properties" if lines := {attributes.get(name) for name in _LINES} - {None}:
                self._lines[self._style] = lines != {"none"}
            case "table" if self.is_spreadsheet:
                table = attributes.get(_TABLE_NAME, ""), attributes.get(_TABLE_STYLE, "")
                self.tables.append(table)

    def _begin_style(self, attributes: dict[str, str]) -> None:
        is_of_cells = attributes.get(_FAMILY) == "table-cell"
        # The default of cells has no name.
        name = self._style = attributes.get(_STYLE, "" if is_of_cells else _OTHER_STYLE)
        if name:
            self._parents[name] = attributes.get(_PARENT, "")
        if is_of_cells and _DATA_STYLE in attributes:
            self._formats.add(name)

    def styles(self) -> OdsStyles:
        """Return what each style says, by itself or as one of those that it inherits from."""
        lines, formats = set(), set()
        for name in {"Default", *self._parents}:
            chain = list(self._with_parents(name))
            if next((self._lines[each] for each in chain if each in self._lines), False):
                lines.add(name)
            if not self._formats.isdisjoint(chain):
                formats.add(name)
        return OdsStyles(frozenset(lines), frozenset(formats))

    def _with_parents(self, name: str) -> Iterator[str]:
        for _ in range(_MOST_PARENTS):
            yield name
            if not name:
                return
            name = self._parents.get(name, "")
