"""The byte order mark or the upload names a file's encoding; it is never guessed."""

from __future__ import annotations

import codecs

import pytest

from tests.importers.reading.csv_files import opened, refused

TEXT = "name,n\r\nJosé,1\r\n"
UTF16 = TEXT.encode("utf-16-le")
UTF16_BE = TEXT.encode("utf-16-be")
SAVE = "Save the file as CSV UTF-8"
SAY = f"{SAVE}, or say which encoding it has, for example windows-1252."


@pytest.mark.parametrize(
    ("data", "declared", "encoding"),
    [
        pytest.param(TEXT.encode(), None, "utf-8", id="UTF-8"),
        pytest.param(TEXT.encode(), "utf8", "utf-8", id="UTF-8 declared"),
        pytest.param(TEXT.encode("utf-8-sig"), None, "utf-8-bom", id="UTF-8 with a mark"),
        pytest.param(TEXT.encode("utf-8-sig"), "UTF-8-SIG", "utf-8-bom", id="declared with a mark"),
        pytest.param(TEXT.encode(), "utf-8-sig", "utf-8", id="declared with a mark, without one"),
        pytest.param(codecs.BOM_UTF16_LE + UTF16, None, "utf-16-le", id="UTF-16"),
        pytest.param(codecs.BOM_UTF16_BE + UTF16_BE, None, "utf-16-be", id="UTF-16 BE"),
        pytest.param(
            codecs.BOM_UTF16_BE + UTF16_BE,
            "utf-16",
            "utf-16-be",
            id="utf-16 declared, the mark says which",
        ),
        pytest.param(UTF16, "utf-16-le", "utf-16-le", id="UTF-16 without a mark"),
        pytest.param(TEXT.encode("cp1252"), "windows-1252", "windows-1252", id="windows-1252"),
        pytest.param(TEXT.encode("cp1252"), " CP1252 ", "windows-1252", id="another name of it"),
        pytest.param(TEXT.encode("latin-1"), "latin1", "iso-8859-1", id="ISO 8859-1"),
        pytest.param(TEXT.encode("mac-roman"), "macintosh", "mac-roman", id="old Mac"),
        pytest.param(TEXT.encode("utf-8-sig"), "windows-1252", "utf-8-bom", id="the mark wins"),
        pytest.param(TEXT.encode("utf-8-sig"), "utf-8-bom", "utf-8-bom", id="as an import tells"),
        pytest.param(TEXT.encode(), "UTF-8-BOM", "utf-8", id="without the mark that was declared"),
    ],
)
def test_encoding(data: bytes, declared: str | None, encoding: str) -> None:
    """A file is in the encoding of its byte order mark, or the declared one, or UTF-8."""
    table = opened(data, declared)

    assert table.encoding == encoding
    assert list(table.rows) == [(2, ["José", "1"])]


@pytest.mark.parametrize(
    ("data", "declared", "code", "message"),
    [
        pytest.param(
            "n\nJosé\n".encode("cp1252"),
            None,
            "BAD_ENCODING",
            "Row 2 has the byte 0xE9, at offset 5 of the file, which is not utf-8 text "
            f"there. {SAY}",
            id="not UTF-8",
        ),
        pytest.param(
            "n\né,\n".encode("cp1252"),
            "utf-8",
            "BAD_ENCODING",
            "Row 2 has the byte 0xE9, at offset 2 of the file, which is not utf-8 text "
            f"there. {SAY}",
            id="declared, and not UTF-8",
        ),
        pytest.param(
            b"\xef\xbb\xbfn\n1\n\xff\n",
            None,
            "BAD_ENCODING",
            "Row 3 has the byte 0xFF, at offset 7 of the file, which is not utf-8 text "
            f"there. The file is damaged. {SAVE} again.",
            id="a mark, and not UTF-8",
        ),
        pytest.param(
            b"n\n1\n\x81\n",
            "windows-1252",
            "BAD_ENCODING",
            "Row 3 has the byte 0x81, at offset 4 of the file, which is not "
            f"windows-1252 text there. {SAVE}, or say which encoding it really has.",
            id="not as declared",
        ),
        pytest.param(
            "n\né".encode()[:-1],
            None,
            "BAD_ENCODING",
            "Row 2 has the byte 0xC3, at offset 2 of the file, which is not utf-8 text "
            f"there. {SAY}",
            id="cut in a letter",
        ),
        pytest.param(
            b"\xff\xfen\0\n\0\x00\xd8\n\0",
            None,
            "BAD_ENCODING",
            "Row 2 has the byte 0x00, at offset 6 of the file, which is not "
            f"utf-16-le text there. The file is damaged. {SAVE} again.",
            id="half a pair in UTF-16",
        ),
        pytest.param(
            b"n\xe9,b\n1,2\n",
            None,
            "BAD_ENCODING",
            "Row 1 has the byte 0xE9, at offset 1 of the file, which is not utf-8 text "
            f"there. {SAY}",
            id="in the header",
        ),
        pytest.param(
            b"\n\r\n\r\xe9,b\n1,2\n",
            None,
            "BAD_ENCODING",
            "Row 4 has the byte 0xE9, at offset 4 of the file, which is not utf-8 text "
            f"there. {SAY}",
            id="below blank lines",
        ),
        pytest.param(
            b"a,b\n1,2\n3,\x00\n",
            None,
            "NUL_BYTE",
            "Row 3 has a NUL byte, which no text has: the file is damaged, or is not "
            f"a text file. {SAVE} and upload that.",
            id="a NUL byte",
        ),
        pytest.param(
            b"a,b\n1,2\n3," + b"\0" * 700,
            None,
            "NUL_BYTE",
            "From row 3 on, the file holds nothing but NUL bytes: it was not completely saved, "
            "copied or downloaded. Save it again, and upload that.",
            id="a tail of NUL bytes",
        ),
        pytest.param(
            b"\0" * 700_000,
            None,
            "NUL_BYTE",
            "The file holds nothing but NUL bytes: it was not completely saved, copied or "
            "downloaded. Save it again, and upload that.",
            id="NUL bytes alone",
        ),
        *(
            pytest.param(
                TEXT.encode(),
                encoding,
                "BAD_ENCODING",
                f"The upload says that the file is {encoding}, but it is UTF-8: read as "
                f"{encoding}, letters with accents would be wrong. Upload it without an encoding.",
                id=f"UTF-8, declared as {encoding}",
            )
            for encoding in ("windows-1252", "iso-8859-1", "shift-jis", "mac-roman")
        ),
        pytest.param(
            "name,number\n1,2\n".encode("utf-16-le"),
            None,
            "UNKNOWN_ENCODING",
            "The file seems to be in UTF-16, but does not begin with a byte order mark "
            f"that says so. {SAVE}, or say that its encoding is utf-16-le or utf-16-be.",
            id="UTF-16 without a mark",
        ),
        pytest.param(
            "name,number\n1,2\n".encode("utf-16-le"),
            "utf-16",
            "UNKNOWN_ENCODING",
            "The encoding utf-16 leaves the order of bytes open, and the file does not "
            f"begin with a byte order mark. {SAVE}, or say utf-16-le or utf-16-be.",
            id="UTF-16 declared, without a mark",
        ),
        pytest.param(
            "n\n1\n".encode("utf-32"),
            None,
            "UNKNOWN_ENCODING",
            f"The file is in UTF-32. {SAVE}.",
            id="UTF-32",
        ),
        *(
            pytest.param(
                b"n\n1\n",
                name,
                "UNKNOWN_ENCODING",
                f"The encoding '{name}' is not known. {SAVE}, or name the encoding that "
                "it has, for example windows-1252, iso-8859-1 or shift-jis.",
                id=f"declared: {name}",
            )
            for name in (
                "klingon",
                "base64",
                "rot13",
                "zlib_codec",
                "idna",
                "unicode_escape",
                "utf-7",
                "cp037",
                "undefined",
                "iso8859_99",
                "../utf_8",
                "os",
            )
        ),
    ],
)
def test_bad_encoding(data: bytes, declared: str | None, code: str, message: str) -> None:
    """Text that can't be decoded is refused; the message says where it is and what to do."""
    error = refused(data, declared)

    assert (error.code, error.message) == (code, message)


def test_a_bad_byte_far_into_the_file() -> None:
    """All rows before a bad byte are counted, also in earlier blocks, so its row is known."""
    data = b"a,b\n" + b"1,2\n" * 900_000 + b"1,\xe9\n" + b"1,2\n" * 900_000

    error = refused(data)

    assert error.message.startswith("Row 900002 has the byte 0xE9, at offset 3600006 of the file,")
    assert error.value == "0xE9"


def test_ascii_under_any_name() -> None:
    """A file of plain ASCII is the same in the declared encoding."""
    assert opened(b"name,n\r\nJo,1\r\n", "windows-1252").encoding == "windows-1252"


@pytest.mark.parametrize("data", [TEXT.encode("utf-8-sig"), TEXT.encode("cp1252"), UTF16])
def test_what_is_told_can_be_declared(data: bytes) -> None:
    """The encoding that one import tells is one that the next upload of the file may name."""
    declared = "utf-16-le" if data == UTF16 else "windows-1252"
    told = opened(data, declared).encoding

    assert opened(data, told).encoding == told


def test_the_names_of_windows() -> None:
    """Japanese Windows has letters that Shift JIS lacks."""
    table = opened("n,m\n\u2460\u9ad9,1\n".encode("cp932"), "Windows-31J")

    assert list(table.rows) == [(2, ["\u2460\u9ad9", "1"])]
