"""Which encoding a file is in, and its text in blocks."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from encodings.aliases import aliases
from typing import TYPE_CHECKING, BinaryIO

from importers.reading.refusal import BadRecordError, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES = 256 * 1024

_ADVICE = "Save the file as CSV UTF-8"

# Text encodings that keep ASCII where ASCII is, by Python's names. Left out on purpose: EBCDIC and
# UTF-7, where a comma's byte is not a comma, and encodings with a state that spans lines.
_CODEC = re.compile(
    r"ascii|utf_8|utf_16(?:_[bl]e)?|latin_1|iso8859_(?:[2-9]|1[013456])|koi8_[rtu]|tis_620"
    r"|cp(?:125[0-8]|437|737|775|85[02578]|86[0-69]|874|932|949|950)|mac_(?:roman|cyrillic|greek)"
    r"|big5(?:hkscs)?|euc_(?:jp|kr)|gb(?:k|2312|18030)|shift_jis"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a file's bytes become text.

    Args:
        label: the name that admins see: `utf-8`, `utf-8-bom`, `utf-16-le`, `windows-1252`.
        codec: Python's name.
        bom: the byte order mark that the file begins with, or nothing.
    """

    label: str
    codec: str
    bom: bytes = b""


_MARKED = (
    Encoding(label="utf-8-bom", codec="utf_8", bom=codecs.BOM_UTF8),
    Encoding(label="utf-16-le", codec="utf_16_le", bom=codecs.BOM_UTF16_LE),
    Encoding(label="utf-16-be", codec="utf_16_be", bom=codecs.BOM_UTF16_BE),
)


def find_encoding(head: bytes, declared: str | None) -> Encoding:
    """Return the encoding that the file's mark says, or else the declared one, or else UTF-8.

    A byte order mark wins over what was declared: no text in another encoding begins with one,
    while a form's menu of encodings is easily left at what it was for the last file.

    Args:
        head: the first bytes of the file; four or more when there are as many.
        declared: a name from whoever uploads the file, such as `windows-1252`.

    Raises:
        FileRefusedError: the declared encoding is not known, or the file is in UTF-32, or in UTF-16
            with nothing that says so.
    """
    codec = _find_codec(declared) if declared and declared.strip() else None
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise refusal("UNKNOWN_ENCODING", f"The file is in UTF-32. {_ADVICE}.")
    for marked in _MARKED:
        if head.startswith(marked.bom):
            return marked
    if codec == "utf_16":
        raise refusal(
            "UNKNOWN_ENCODING",
            "The encoding utf-16 leaves the order of bytes open, and the file does not begin with "
            f"a byte order mark. {_ADVICE}, or say utf-16-le or utf-16-be.",
        )
    if codec is None:
        _refuse_unmarked_utf16(head)
    return Encoding(label=_label(codec or "utf_8"), codec=codec or "utf_8")


def is_cut_mark(head: bytes) -> bool:
    """Tell whether these first bytes end inside what may be a byte order mark."""
    return any(len(head) < len(marked.bom) and marked.bom.startswith(head) for marked in _MARKED)


def _find_codec(declared: str) -> str:
    name = re.sub(r"[^0-9a-z]+", "_", declared.strip().lower())
    codec = aliases.get(name, name)
    if codec == "utf_8_sig":
        return "utf_8"
    if not _CODEC.fullmatch(codec):
        raise refusal(
            "UNKNOWN_ENCODING",
            f"The encoding '{declared.strip()[:40]}' is not known. {_ADVICE}, or name the encoding "
            "that it has, for example windows-1252, iso-8859-1 or shift-jis.",
            value=declared[:100],
        )
    return codec


def _label(codec: str) -> str:
    if codec.startswith("cp125"):
        return codec.replace("cp", "windows-")
    if codec == "latin_1":
        return "iso-8859-1"
    return codec.replace("iso8859", "iso-8859").replace("_", "-")


def _refuse_unmarked_utf16(head: bytes) -> None:
    start = head[:512]
    half = len(start) // 2
    if half < 4 or max(start[0::2].count(0), start[1::2].count(0)) < half * 0.8:
        return
    raise refusal(
        "UNKNOWN_ENCODING",
        "The file seems to be in UTF-16, but does not begin with a byte order mark that says so. "
        f"{_ADVICE}, or say that its encoding is utf-16-le or utf-16-be.",
    )


def decode_blocks(file: BinaryIO, encoding: Encoding, *, is_whole: bool = True) -> Iterator[str]:
    """Yield the file's text from its beginning, in blocks of bounded size.

    What comes before a fault is yielded first, so that whoever counts rows knows its row.

    Args:
        file: seekable; read to its end.
        encoding: as `find_encoding` returned it.
        is_whole: this is all of a file; else only its beginning, which may end in a character.

    Raises:
        BadRecordError: a byte that the encoding does not have, or a NUL.
    """
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    offset = file.seek(len(encoding.bom))
    is_last = False
    while not is_last:
        block = file.read(BLOCK_BYTES)
        is_last = not block
        kept = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=is_last and is_whole)
        except UnicodeDecodeError as error:
            yield from _up_to_nul(error.object[: error.start].decode(encoding.codec, "replace"))
            raise _undecodable(error, offset - kept + error.start, encoding) from error
        yield from _up_to_nul(text)
        offset += len(block)


def _up_to_nul(text: str) -> Iterator[str]:
    end = text.find("\0")
    if end < 0:
        if text:
            yield text
        return
    yield text[:end]
    raise BadRecordError(
        "NUL_BYTE",
        "Row {row} has a NUL byte, which no text has: the file is damaged, or is not a text file. "
        f"{_ADVICE} and upload that.",
    )


def _undecodable(error: UnicodeDecodeError, offset: int, encoding: Encoding) -> BadRecordError:
    byte = f"0x{error.object[error.start]:02X}"
    label = encoding.label.removesuffix("-bom")
    if encoding.bom:
        advice = f"The file is damaged. {_ADVICE} again."
    elif label == "utf-8":
        advice = f"{_ADVICE}, or say which encoding it has, for example windows-1252."
    else:
        advice = f"{_ADVICE}, or say which encoding it really has."
    return BadRecordError(
        "BAD_ENCODING",
        f"Row {{row}} has the byte {byte}, at offset {offset} of the file, "
        f"which is not {label} text there. {advice}",
        value=byte,
    )
