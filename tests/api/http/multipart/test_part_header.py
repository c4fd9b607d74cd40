"""Names of files in the forms in which clients send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.multipart.part_header import read_part_header

# The client, what it sends, and what the file is called.
FILENAMES = [
    ("plain", 'filename="May.csv"', "May.csv"),
    ("token", "filename=May.csv", "May.csv"),
    ("spaces", ' FileName = "May 2026.csv" ', "May 2026.csv"),
    ("browser", 'filename="März „neu“ 😀.csv"', "März „neu“ 😀.csv"),
    ("browser, quotes", 'filename="Mai %22neu%22.csv"', 'Mai "neu".csv'),
    ("browser, percent", 'filename="100% off.csv"', "100% off.csv"),
    ("browser, escapes", 'filename="50%25 off.csv"', "50%25 off.csv"),
    ("browser, semicolon", 'filename="a; filename=b.csv"', "a; filename=b.csv"),
    ("browser, apostrophe", "filename=\"it's.csv\"", "it's.csv"),
    ("old browser", r'filename="C:\Users\jo\May.csv"', r"C:\Users\jo\May.csv"),
    ("curl, Go: quotes", r'filename="Mai \"neu\".csv"', 'Mai "neu".csv'),
    ("curl, Go: backslash", r'filename="a\\b.csv"', r"a\b.csv"),
    ("curl, Go: both", r'filename="a\\\"b;c.csv"', r'a\"b;c.csv'),
    ("no escapes", 'filename="Mai "neu".csv"', 'Mai "neu".csv'),
    ("aiohttp, gql", 'filename="M%C3%A4rz%202026.csv"', "März 2026.csv"),
    ("not UTF-8 in escapes", 'filename="M%E4rz.csv"', "M%E4rz.csv"),
    ("RFC 5987", "filename*=UTF-8''M%C3%A4rz%22.csv", 'März".csv'),
    ("RFC 5987, language", "filename*=utf-8'de'M%C3%A4rz.csv", "März.csv"),
    ("RFC 5987, Latin-1", "filename*=ISO-8859-1''M%E4rz.csv", "März.csv"),
    ("RFC 5987, quoted", "filename*=\"UTF-8''M%C3%A4rz.csv\"", "März.csv"),
    ("both", "filename=\"M_rz.csv\"; filename*=UTF-8''M%C3%A4rz.csv", "März.csv"),
    ("both, the other first", "filename*=UTF-8''M%C3%A4rz.csv; filename=\"M_rz.csv\"", "März.csv"),
    ("both, one malformed", "filename=\"May.csv\"; filename*=UTF-8''%E4", "May.csv"),
    ("both, unknown charset", "filename=\"May.csv\"; filename*=klingon''x", "May.csv"),
    ("both, no charset", 'filename="May.csv"; filename*=x.csv', "May.csv"),
    ("RFC 5987, malformed", "filename*=UTF-8''%E4.csv", "UTF-8''%E4.csv"),
    (".NET", 'filename="=?utf-8?B?TcOkcnouY3N2?="', "März.csv"),
    (
        ".NET, both",
        "filename=\"=?utf-8?B?TcOkcnouY3N2?=\"; filename*=utf-8''M%C3%A4rz.csv",
        "März.csv",
    ),
    ("Q", 'filename="=?ISO-8859-1?Q?M=E4rz=5F1.csv?="', "März_1.csv"),
    ("two words", 'filename="=?utf-8?B?TcOk?= =?utf-8?B?cnouY3N2?="', "März.csv"),
    ("word of an unknown charset", 'filename="=?klingon?B?TcOk?="', "=?klingon?B?TcOk?="),
    ("word with more damage", 'filename="=?utf-8?B?x?="', "=?utf-8?B?x?="),
    ("word with damage", 'filename="=?utf-8?B?TcO?="', "=?utf-8?B?TcO?="),
    ("word without a letter", 'filename="=?utf-8?B?!!!?="', "=?utf-8?B?!!!?="),
    ("part of a word", 'filename="a =?utf-8?B?TcOk?= b"', "a =?utf-8?B?TcOk?= b"),
    ("empty", 'filename=""', ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "name"), [each[1:] for each in FILENAMES], ids=[each[0] for each in FILENAMES]
)
def test_filename(sent: str, name: str) -> None:
    """A file's name arrives as it is, whatever the client has done to it."""
    for header in (f'form-data; name="0"; {sent}', f'form-data;{sent};name="0"'):
        assert read_part_header(header.encode()) == ("0", name)


def test_backslash_at_the_end() -> None:
    """A browser escapes no backslash, so the last one leaves the closing quote alone."""
    assert read_part_header(b'form-data; name="0"; filename="a\\"') == ("0", "a\\")


def test_other_encoding() -> None:
    """A name that is not UTF-8 is read as Latin-1."""
    assert read_part_header('form-data; name="0"; filename="März"'.encode("latin-1")) == (
        "0",
        "März",
    )


@pytest.mark.parametrize("header", ["", "form-data", "form-data; nonsense", "form-data; x=y"])
def test_nothing_said(header: str) -> None:
    """A header may say neither."""
    assert read_part_header(header.encode()) == (None, None)


PIECES = st.sampled_from(
    ["form-data", ";", " ", "name", "filename", "filename*", "=", '"', "\\", "'", "UTF-8''", "%C3",
     "%22", "=?utf-8?B?", "=?utf-8?q?", "TcOk", "?=", "utf-16", "undefined", "idna", "é", "/", "\0"]
)  # fmt: skip


@given(pieces=st.lists(PIECES | st.text(max_size=3), max_size=20))
def test_any_header(pieces: list[str]) -> None:
    """Whatever a client sends, a name is text, or there is none."""
    found = read_part_header("".join(pieces).encode(errors="replace"))

    assert all(isinstance(each, str | None) for each in found)


def test_field() -> None:
    """A part that is no file has a name alone."""
    assert read_part_header(b'form-data; NAME="map"') == ("map", None)
