"""Recognises files that are no tables, by their first bytes and never by their names."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from importers.sdk.errors import ErrorDetail, FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from importers.reading.encoding import Encoding

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVE = "an archive ({}): unpack it and upload the table that it holds"

# A signature of plain letters is matched together with bytes that no header has, because a header
# may begin with "BZh" or "PAR1" and contain "WEBP" or "ustar" anywhere.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(mark, re.DOTALL), kind)
    for mark, kind in (
        (rb"PK\x05\x06", "an empty zip archive"),
        (rb"\x1f\x8b", _ARCHIVE.format("gzip")),
        (rb"7z\xbc\xaf\x27\x1c", _ARCHIVE.format("7-Zip")),
        (rb"Rar!\x1a\x07", _ARCHIVE.format("RAR")),
        (rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", _ARCHIVE.format("bzip2")),
        (rb"\xfd7zXZ\x00", _ARCHIVE.format("xz")),
        (rb"\x28\xb5\x2f\xfd", _ARCHIVE.format("Zstandard")),
        (rb"(?=.{0,99}\x00).{257}ustar", _ARCHIVE.format("tar")),
        (rb"%PDF-", "a PDF document"),
        (rb"\{\\rtf", "an RTF document"),
        (rb"\x89PNG\r\n\x1a\n", "an image (PNG)"),
        (rb"\xff\xd8\xff", "an image (JPEG)"),
        (rb"GIF8[79]a", "an image (GIF)"),
        (rb"II\*\x00|MM\x00\*", "an image (TIFF)"),
        (rb"RIFF.{4}WEBP", "an image (WebP)"),
        (rb"\x00\x00\x00.ftyp", "an image or a film"),
        (rb"SQLite format 3\x00", "a SQLite database"),
        (rb"PAR1[\x00-\x1f]", "a Parquet file"),
        (rb"\x7fELF|MZ.\x00", "a program"),
    )
)

_HTML = re.compile(r"\s*<(?:!doctype\s+html|(?:html|head|body|table|meta|script|div)[\s>])", re.I)
_XML = re.compile(r"\s*<(?:[?!][a-z-]|[a-z][\w:.-]*[\s/>])", re.I)
_MHTML = re.compile(r"MIME-Version:", re.I)
_SHEET_NAMES = (".xls", ".xlsx", ".ods", ".fods")
_JSON = re.compile(r"""\s*(?:\{\s*["}]|\[\s*["\[{\]])""")

# A workbook's parts may have any names, but these are their kinds.
_PARTS = (".xml", ".rels", "mimetype")
# The first entry of an OpenDocument file, which says what kind of document it is.
_OPEN_DOCUMENT = re.compile(
    rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.(?!spreadsheet)", re.DOTALL
)
_ZIP_ARCHIVE = _ARCHIVE.format("zip")
_OPEN_DOCUMENT_KIND = "an OpenDocument file that is no spreadsheet"
_ZIP_KINDS = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("index/document.iwa", "an Apple Numbers document"),
)


def is_workbook(head: bytes) -> bool:
    """Tell whether a file that begins like this may be a workbook (.xlsx, .ods)."""
    return head.startswith(_ZIP)


def refuse_foreign(head: bytes, filename: str) -> None:
    """Refuse a file whose first bytes are those of another known format.

    Args:
        head: the first bytes of the file; a tar archive is recognised by its first 262.
        filename: as it was uploaded, for the message.

    Raises:
        FileRefusedError: says what the file seems to be.
    """
    if head.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in head:
            raise password_protected(filename)
        raise refused_file(
            "NOT_A_TABLE",
            "seems to be an old Excel workbook (.xls), or one that is protected with a password. "
            "Save it as CSV UTF-8, or as .xlsx without a password.",
            filename,
        )
    if is_workbook(head):
        if _OPEN_DOCUMENT.match(head):
            raise seems_to_be(_OPEN_DOCUMENT_KIND, filename)
        names = _archive_names(head)
        kind = zip_kind(names)
        if names and (kind != _ZIP_ARCHIVE or not any(name.endswith(_PARTS) for name in names)):
            raise seems_to_be(kind, filename)
        return
    for signature, kind in _SIGNATURES:
        if signature.match(head):
            raise seems_to_be(kind, filename)


def is_named_as_workbook(filename: str) -> bool:
    """Tell whether a file's name is that of a workbook."""
    return filename.strip().lower().endswith((".xlsx", ".xlsm", ".ods"))


def refuse_broken_workbook(head: bytes, filename: str) -> None:
    """Refuse a file with the name of a workbook whose bytes are neither that nor text."""
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if is_named_as_workbook(filename) and b"\0" in head and not is_utf16:
        raise refused_file(
            "NOT_A_TABLE",
            "is no workbook, though its name says so: it is damaged, or not complete. Save it again"
            " as .xlsx or CSV UTF-8, and upload that.",
            filename,
        )


def refuse_markup(head: bytes, encoding: Encoding, filename: str) -> None:
    """Refuse text that begins as HTML, XML or JSON does."""
    text = head[len(encoding.bom) :][:4096].decode(encoding.codec, "ignore")
    is_sheet = filename.strip().lower().endswith(_SHEET_NAMES)
    if is_sheet and any(pattern.match(text) for pattern in (_HTML, _XML, _MHTML)):
        template = "is a web page or an XML file, though its name is that of a workbook, as some"
        template += " programs export it. Open it in a spreadsheet program, save it as .xlsx, and"
        raise refused_file("NOT_A_TABLE", template + " upload that.", filename)
    for pattern, kind in ((_HTML, "an HTML page"), (_XML, "an XML file"), (_JSON, "a JSON file")):
        if pattern.match(text):
            raise seems_to_be(kind, filename)


def zip_kind(names: Collection[str]) -> str:
    """Return what an archive with these lower-case names is, if it is no workbook."""
    for start, kind in _ZIP_KINDS:
        if any(name.startswith(start) for name in names):
            return kind
    return _ZIP_ARCHIVE


def seems_to_be(kind: str, filename: str) -> FileRefusedError:
    """Return the refusal of a file of another known format."""
    template = "seems to be {kind}. Only CSV text and workbooks (.xlsx, .ods) can be imported."
    return refused_file("NOT_A_TABLE", template, filename, kind=kind)


def file_error(code: str, template: str, filename: str, **params: str) -> ErrorDetail:
    """Describe an error whose message begins with the file's name.

    Args:
        template: what is wrong with the file, without the name.
    """
    name = filename.strip()[:100]
    named = "The file '{file}' " if name else "The file "
    return ErrorDetail.of(code, named + template, file=name, **params)


def refused_file(code: str, template: str, filename: str, **params: str) -> FileRefusedError:
    """Return the refusal of a file whose message begins with the file's name."""
    return FileRefusedError([file_error(code, template, filename, **params)])


def password_protected(filename: str) -> FileRefusedError:
    template = "is protected with a password. Save it without the password, or as CSV UTF-8."
    return refused_file("PASSWORD_PROTECTED", template, filename)


def _archive_names(head: bytes) -> set[str]:
    """Return the lower-case names of a zip archive's entries that lie in these first bytes.

    The archive's index is at the end of the file, which may not have arrived yet. So this reads the
    header before each entry: 26 bytes in is the name's length, 30 bytes in the name.
    """
    names = set()
    start = head.find(_ZIP)
    while start >= 0:
        length = int.from_bytes(head[start + 26 : start + 28], "little")
        name = head[start + 30 : start + 30 + length]
        if len(name) == length and length:
            names.add(name.decode("utf-8", "replace").lower().replace("\\", "/"))
        start = head.find(_ZIP, start + 4)
    return names
