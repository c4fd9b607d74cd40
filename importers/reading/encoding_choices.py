"""Encodings that the beginning of a text may be in, for people to choose from."""

from __future__ import annotations

import codecs

from importers.reading.encoding import find_encoding
from importers.sdk.errors import FileRefusedError

# In which programs write tables today: Windows and macOS by their languages, and Excel's "MS-DOS".
_USUAL = (
    "windows-1252",
    "mac-roman",
    "windows-1250",
    "windows-1251",
    "cp850",
    "shift-jis",
    "cp932",  # Shift JIS as Japanese Windows writes it, with more letters
    "gb18030",
    "euc-kr",
)
_UTF_16 = ("utf-16-le", "utf-16-be")


def encoding_choices(head: bytes, *, is_whole: bool) -> list[str]:
    """Return the usual encodings in which these first bytes are text.

    They are one where there is no choice: the file begins with a byte order mark, or the bytes are
    UTF-8. Every file is text in some of the others, so none of them is ever taken as the right one.

    Args:
        is_whole: these bytes are the whole file; else they may end within a character.
    """
    try:
        label = find_encoding(head, None).label
    except FileRefusedError:
        return _readable(head, _UTF_16, is_whole=is_whole)
    if label != "utf-8" or _readable(head, [label], is_whole=is_whole):
        return [label]
    return _readable(head, _USUAL, is_whole=is_whole)


def _readable(head: bytes, labels: tuple[str, ...] | list[str], *, is_whole: bool) -> list[str]:
    found = []
    for label in labels:
        decoder = codecs.getincrementaldecoder(find_encoding(b"", label).codec)()
        try:
            decoder.decode(head, final=is_whole)
        except UnicodeDecodeError:
            continue
        found.append(label)
    return found
