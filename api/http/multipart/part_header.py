"""The header of a part: its name, and its file's name in every form that clients write."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header, make_header
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

# A quote before neither a semicolon nor the end is part of the text: some clients escape none.
_PARAMETER = re.compile(
    r"""
    ;\s* ([^\s=;]+) \s*=\s*
    ( "(?: \\. | [^"\\] | "(?!\s*(?:;|\Z)) )*" (?=\s*(?:;|\Z)) | [^;]* )
    """,
    re.VERBOSE,
)
# Each that lacks its closing quote is looked for to the end.
_MOST_PARAMETERS = 10
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_ENCODED_WORDS = re.compile(r"(?:=\?[\w-]+\?[bq]\?[^?\s]*\?=\s*)+", re.IGNORECASE)


class PartHeader(NamedTuple):
    """What a Content-Disposition says; None for what it does not say."""

    name: str | None
    filename: str | None


def read_part_header(disposition: bytes) -> PartHeader:
    """Read a Content-Disposition.

    RFC 7578 forbids `filename*` in forms, but clients send it, for the same name as `filename`.

    Example:
        >>> read_part_header(b"form-data; name=0; filename=_.csv; filename*=UTF-8''%C3%A9.csv")
        PartHeader(name='0', filename='é.csv')
    """
    parameters = islice(_PARAMETER.finditer(decode(disposition)), _MOST_PARAMETERS)
    found = {each[1].lower(): _unquote(each[2].strip()) for each in parameters}
    extended = found.get("filename*", "")
    # Without a name that can be read, the part is a file nevertheless.
    plain = found.get("filename", extended or None)
    return PartHeader(found.get("name"), _read_extended(extended) or (plain and _read_plain(plain)))


def decode(text: bytes) -> str:
    """Decode text whose encoding nothing states: UTF-8 if it can be, or else Latin-1."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] + value[-1] != '""':
        return value
    # Any other backslash is a folder's, in the paths that old browsers send.
    return _QUOTED_PAIR.sub(r"\1", value[1:-1])


def _read_extended(value: str) -> str | None:
    """Read a name such as `UTF-8''M%C3%A4rz.csv` (RFC 5987); None if it can't be read."""
    charset, _, rest = value.partition("'")
    try:
        return unquote_to_bytes(rest.partition("'")[2]).decode(charset) or None
    except (LookupError, ValueError):
        return None


def _read_plain(name: str) -> str:
    """Undo what clients do to a name with other letters than ASCII, and to one with quotes."""
    if _ENCODED_WORDS.fullmatch(name):  # .NET: `=?utf-8?B?TcOkcnouY3N2?=`
        try:
            return str(make_header(decode_header(name))) or name
        except (LookupError, ValueError, MessageError):
            return name
    # aiohttp, and so gql, escape the whole name: `May%202026.csv`. A file that is really called so
    # loses its escapes; browsers, which escape the quote alone, make them by saving such a file.
    whole = unquote(name)
    return whole if quote(whole, safe="") == name else name.replace("%22", '"')
