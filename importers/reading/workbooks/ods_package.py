"""OpenDocument spreadsheets: recognised, and their sheets listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.reading.sniff import password_protected
from importers.reading.workbooks.ods_sheet import OdsSheet
from importers.reading.workbooks.xml_parser import local_names, new_parser, parse_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.reading.workbooks.archive import Archive

_URN = "urn:oasis:names:tc:opendocument:xmlns"
_NAMES = {
    **local_names([f"{_URN}:office:1.0"], "spreadsheet"),
    **local_names([f"{_URN}:style:1.0"], "style table-properties text-properties"),
    **local_names([f"{_URN}:table:1.0"], "table"),
}
_STYLE = f"{_URN}:style:1.0 name"
_TABLE_NAME, _TABLE_STYLE, _DISPLAY = (
    f"{_URN}:table:1.0 {name}" for name in ("name", "style-name", "display")
)
# Programs write either or both.
_LINES = tuple(f"{_URN}:style:1.0 text-line-through-{name}" for name in ("style", "type"))
_ENCRYPTION = f"{_URN}:manifest:1.0 encryption-data"
_CONTENT, _MANIFEST = "content.xml", "meta-inf/manifest.xml"


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
    parse_part(new_parser(content.start), archive.blocks(_CONTENT))
    if not content.is_spreadsheet:
        return None
    return [
        OdsSheet(
            name,
            archive.blocks(_CONTENT),
            place,
            is_hidden=style in content.hidden_styles,
            struck=content.struck_styles,
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
    """The tables of a document, by their names and styles."""

    def __init__(self) -> None:
        self.is_spreadsheet = False
        self.tables: list[tuple[str, str]] = []
        self.hidden_styles: set[str] = set()
        self.struck_styles: set[str] = set()
        self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _NAMES.get(name):
            case "spreadsheet":
                self.is_spreadsheet = True
            case "style":
                self._style = attributes.get(_STYLE, "")
            case "table-properties" if attributes.get(_DISPLAY) == "false":
                self.hidden_styles.add(self._style)
            case "text-properties" if any(attributes.get(n, "none") != "none" for n in _LINES):
                self.struck_styles.add(self._style)
            case "table" if self.is_spreadsheet:
                table = attributes.get(_TABLE_NAME, ""), attributes.get(_TABLE_STYLE, "")
                self.tables.append(table)
