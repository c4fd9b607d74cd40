"""A file that is no table is refused by its content; the message says what it seems to be."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from importers.reading.limits import Limits
from importers.reading.table import Table, open_table
from importers.sdk.errors import FileRefusedError


def opened(data: bytes, filename: str) -> Table:
    return open_table(io.BytesIO(data), filename=filename, encoding=None, limits=Limits())


def refused(data: bytes, filename: str = "roster.csv") -> tuple[str, str]:
    with pytest.raises(FileRefusedError) as caught:
        opened(data, filename)
    (error,) = caught.value.errors
    return error.code, error.message


def zipped(*names: str, content: str = "x") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
UNPACK = "unpack it and upload the table that it holds"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(zipped("roster.csv"), f"an archive (zip): {UNPACK}", id="zip"),
        pytest.param(zipped(), "an empty zip archive", id="empty zip"),
        pytest.param(
            zipped("mimetype", content="application/vnd.oasis.opendocument.text"),
            "an OpenDocument file that is no spreadsheet",
            id="OpenDocument text",
        ),
        pytest.param(zipped("word/document.xml"), "a Word document", id="Word"),
        pytest.param(zipped("ppt/presentation.xml"), "a PowerPoint presentation", id="PowerPoint"),
        pytest.param(zipped("Index/Document.iwa"), "an Apple Numbers document", id="Numbers"),
        pytest.param(gzip.compress(b"a,b\n"), f"an archive (gzip): {UNPACK}", id="gzip"),
        pytest.param(b"7z\xbc\xaf\x27\x1c\0\4", f"an archive (7-Zip): {UNPACK}", id="7-Zip"),
        pytest.param(b"Rar!\x1a\x07\x01\0", f"an archive (RAR): {UNPACK}", id="RAR"),
        pytest.param(b"BZh91AY&SY\0", f"an archive (bzip2): {UNPACK}", id="bzip2"),
        pytest.param(b"\xfd7zXZ\0\0\4", f"an archive (xz): {UNPACK}", id="xz"),
        pytest.param(b"\x28\xb5\x2f\xfd\4", f"an archive (Zstandard): {UNPACK}", id="Zstandard"),
        pytest.param(
            b"a.csv".ljust(257, b"\0") + b"ustar\0", f"an archive (tar): {UNPACK}", id="tar"
        ),
        pytest.param(b"%PDF-1.7\n", "a PDF document", id="PDF"),
        pytest.param(b"{\\rtf1 }", "an RTF document", id="RTF"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "an image (PNG)", id="PNG"),
        pytest.param(b"\xff\xd8\xff\xe0", "an image (JPEG)", id="JPEG"),
        pytest.param(b"GIF89a", "an image (GIF)", id="GIF"),
        pytest.param(b"II*\0", "an image (TIFF)", id="TIFF"),
        pytest.param(b"RIFF\1\2\3\4WEBP", "an image (WebP)", id="WebP"),
        pytest.param(b"\0\0\0\x18ftypheic", "an image or a film", id="HEIC"),
        pytest.param(b"SQLite format 3\0", "a SQLite database", id="SQLite"),
        pytest.param(b"PAR1\x15\0", "a Parquet file", id="Parquet"),
        pytest.param(b"\x7fELF\2", "a program", id="ELF"),
        pytest.param(b"\n <!DOCTYPE html><p>", "an HTML page", id="HTML with a document type"),
        pytest.param(b"<html lang='en'>", "an HTML page", id="HTML"),
        pytest.param(b"<table><tr>", "an HTML page", id="a table in HTML, as old tools export"),
        pytest.param("\ufeff<?xml version='1.0'?>".encode(), "an XML file", id="XML"),
        pytest.param("\ufeff<Workbook >".encode("utf-16-le"), "an XML file", id="XML in UTF-16"),
        pytest.param(b'{"data": null}', "a JSON file", id="JSON object"),
        pytest.param(b' [\n {"case_id": 1}]', "a JSON file", id="JSON array"),
    ],
)
def test_something_else(data: bytes, kind: str) -> None:
    """The message says what the file seems to be, although its name ends in `.csv`."""
    assert refused(data) == (
        "NOT_A_TABLE",
        f"The file 'roster.csv' seems to be {kind}. "
        "Only CSV text and workbooks (.xlsx, .ods) can be imported.",
    )


@pytest.mark.parametrize("name", ["report.xls", "REPORT.XLS ", "report.xlsx", "report.fods"])
@pytest.mark.parametrize(
    "data", [b"<html><body><table>", b'<?xml version="1.0"?><Workbook>', b"MIME-Version: 1.0\r\n"]
)
def test_what_spreadsheet_programs_alone_can_open(data: bytes, name: str) -> None:
    """Programs export pages and XML under the names of workbooks, which admins see as sheets."""
    assert refused(data, name) == (
        "NOT_A_TABLE",
        f"The file '{name.strip()}' is a web page or an XML file, though its name is that of a "
        "workbook, as some programs export it. Open it in a spreadsheet program, save it as .xlsx, "
        "and upload that.",
    )


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        pytest.param(
            OLE,
            "NOT_A_TABLE",
            "The file 'roster.xlsx' seems to be an old Excel workbook (.xls), or one "
            "that is protected with a password. Save it as CSV UTF-8, or as .xlsx without a "
            "password.",
            id=".xls",
        ),
        pytest.param(
            OLE + "EncryptedPackage".encode("utf-16-le"),
            "PASSWORD_PROTECTED",
            "The file 'roster.xlsx' is protected with a password. "
            "Save it without the password, or as CSV UTF-8.",
            id="encrypted .xlsx",
        ),
    ],
)
def test_ole(data: bytes, code: str, message: str) -> None:
    """Old workbooks and those with a password begin alike; the message says which, if it can."""
    assert refused(data, "roster.xlsx") == (code, message)


@pytest.mark.parametrize(
    "header", ["BZh,b", "PAR1,PAR2", "user_id,WEBP", "MZ,II*", "PK,b", "[id],b", "{x},b", "<3,b"]
)
def test_nearly_something_else(header: str) -> None:
    """A header that begins with the letters of another format's signature is still a header."""
    assert opened(f"{header}\n1,2\n".encode(), "a.csv").header == tuple(header.split(","))


def test_csv_under_the_name_of_a_workbook() -> None:
    """A file is read by its content and not by its name."""
    table = opened(b"a,b\n1,2\n", "roster.XLSX")

    assert list(table.rows) == [(2, ["1", "2"])]
    assert [(warning.code, warning.message) for warning in table.warnings] == [
        (
            "NOT_A_WORKBOOK",
            "The file 'roster.XLSX' is no workbook, though its name says so; it was read as text.",
        )
    ]


@pytest.mark.parametrize("data", [b"\0" * 600, b"a,b\n1,\0\x01\xff", b"\x13\0\x07" * 50])
def test_a_broken_workbook(data: bytes) -> None:
    """Bytes that are neither a workbook nor text are no workbook, whatever their name says."""
    assert refused(data, "roster.xlsx") == (
        "NOT_A_TABLE",
        "The file 'roster.xlsx' is no workbook, though its name says so: it is damaged, or not "
        "complete. Save it again as .xlsx or CSV UTF-8, and upload that.",
    )


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        pytest.param(" ", "The file seems", id="no name"),
        pytest.param(
            "a\n\x1b[1m.csv", "The file 'a[U+000A][U+001B][1m.csv' seems", id="control characters"
        ),
        pytest.param("n" * 1000, f"The file '{'n' * 100}' seems", id="long"),
    ],
)
def test_shown_name(filename: str, shown: str) -> None:
    """A file's name is shown shortened and without control characters."""
    assert refused(b"%PDF-1.7", filename)[1].startswith(shown)
