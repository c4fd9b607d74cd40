"""Detects a file's encoding and decodes its bytes to text in blocks."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from importers.reading.refusal import BadRecordError, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.sdk.errors import FileRefusedError

BLOCK_BYTES = 256 * 1024

_ADVICE = "Save the file as CSV UTF-8"

# UTF-16, and encodings in which plain ASCII text has the bytes of ASCII, by Python's names. On
# purpose without EBCDIC and UTF-7, where a comma's byte is not a comma, and without encodings with
# a state that spans lines, such as ISO 2022.
_CODEC = re.compile(
    r"ascii|utf_8|utf_16(?:_[bl]e)?|latin_1|iso8859_(?:[2-9]|1[013456])|koi8_[rtu]|tis_620"
    r"|cp(?:125[0-8]|437|737|775|85[02578]|86[0-69]|874|932|949|950)|mac_(?:roman|cyrillic|greek)"
    r"|big5(?:hkscs)?|euc_(?:jp|kr)|gb(?:k|2312|18030)|shift_jis"
)


# Names that Python lacks: the one by which an import tells of a byte order mark, and Windows' own.
_OTHER_NAMES = {
    "utf_8_bom": "utf_8",
    "utf_8_sig": "utf_8",
    "windows_31j": "cp932",
    "windows_874": "cp874",
    "windows_949": "cp949",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a file's bytes become text.

    Args:
        label: the name that admins see: `utf-8`, `utf-8-bom`, `utf-16-le`, `windows-1252`.
        codec: Python's name.
        bom: the byte order mark that the file begins with; empty if it has none.
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
    """Return the encoding of the file's byte order mark, else the declared one, else UTF-8.

    A byte order mark wins over the declared encoding: no text in another encoding begins with one,
    while an admin easily leaves a form's menu of encodings as it was for the last file.

    Args:
        head: the first bytes of the file, at least four if the file has four.
        declared: a name that the upload gives, such as `windows-1252`; None or blank for none.

    Raises:
        FileRefusedError: the declared encoding is unknown, or the file is in UTF-32, or in UTF-16
            with neither a mark nor a declaration of its byte order.
    """
    codec = _find_codec(declared) if declared and declared.strip() else None
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise refusal("UNKNOWN_ENCODING", "The file is in UTF-32. " + _ADVICE + ".")
    for marked in _MARKED:
        if head.startswith(marked.bom):
            return marked
    if codec == "utf_16":
        raise refusal(
            "UNKNOWN_ENCODING",
            "The encoding utf-16 leaves the order of bytes open, and the file does not begin with "
            "a byte order mark. " + _ADVICE + ", or say utf-16-le or utf-16-be.",
        )
    if codec is None:
        _refuse_unmarked_utf16(head)
    codec = codec or "utf_8"
    if codec.startswith("cp125"):
        return Encoding(label=codec.replace("cp", "windows-"), codec=codec)
    label = {"latin_1": "iso-8859-1"}.get(codec) or codec.replace("iso8859", "iso-8859")
    return Encoding(label=label.replace("_", "-"), codec=codec)


def is_cut_mark(head: bytes) -> bool:
    """Tell whether these first bytes may be the beginning of a byte order mark, cut short."""
    return any(len(head) < len(marked.bom) and marked.bom.startswith(head) for marked in _MARKED)


def _find_codec(declared: str) -> str:
    name = re.sub(r"[^0-9a-z]+", "_", declared.strip().lower())
    codec = _OTHER_NAMES.get(name) or aliases.get(name, name)
    if not _CODEC.fullmatch(codec):
        raise refusal(
            "UNKNOWN_ENCODING",
            "The encoding '{encoding}' is not known. " + _ADVICE + ", or name the encoding that it "
            "has, for example windows-1252, iso-8859-1 or shift-jis.",
            value=declared[:100],
            encoding=declared.strip()[:40],
        )
    return codec


def _refuse_unmarked_utf16(head: bytes) -> None:
    # Every other byte of text in a Latin script is zero, and text in other encodings has no zeros.
    # Up to a fifth of the characters may be of another script. Zeros at the end are none of text.
    start = head[:512].rstrip(b"\0")
    half = len(start) // 2
    if half < 4 or max(start[0::2].count(0), start[1::2].count(0)) < half * 0.8:
        return
    raise refusal(
        "UNKNOWN_ENCODING",
        "The file seems to be in UTF-16, but does not begin with a byte order mark that says so. "
        + _ADVICE
        + ", or say that its encoding is utf-16-le or utf-16-be.",
    )


def decode_blocks(file: BinaryIO, encoding: Encoding, *, is_whole: bool) -> Iterator[str]:
    """Yield the file's text from its beginning, one block of text for each `BLOCK_BYTES` bytes.

    The text before a fault is yielded before the error is raised, so that a caller that counts rows
    knows the row at fault.

    Args:
        file: seekable; read to its end.
        is_whole: these bytes are the whole file; else its beginning, which may end within a
            character.

    Raises:
        BadRecordError: a byte sequence that the encoding does not have, or a NUL.
        FileRefusedError: the file is UTF-8, and was declared to be something else.
    """
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    offset = file.seek(len(encoding.bom))
    # Every file can be read as windows-1252, and hardly any that is not UTF-8 as UTF-8.
    rival = _Utf8Check() if is_whole and not encoding.codec.startswith("utf") else None
    is_last = False
    while not is_last:
        block = file.read(BLOCK_BYTES)
        is_last = not block
        # The decoder keeps the bytes of an incomplete character and puts them before the next
        # block; the position that an error reports counts from there.
        kept = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=is_last and is_whole)
        except UnicodeDecodeError as error:
            yield from _text_to_nul(error.object[: error.start].decode(encoding.codec, "replace"))
            raise _bad_encoding(error, offset - kept + error.start, encoding) from error
        if "\0" in text and is_whole and _is_nul_to_the_end(text, file):
            yield text[: text.index("\0")]
            raise _nul_tail(is_whole_file=not (offset - len(encoding.bom) or text.strip("\0")))
        yield from _text_to_nul(text)
        offset += len(block)
        if rival:
            rival.add(block)
    if rival and rival.is_utf8():
        raise _is_utf8(encoding)


class _Utf8Check:
    """Whether bytes are UTF-8, and more than ASCII."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf_8")()
        self._has_others = False
        self._is_valid = True

    def add(self, block: bytes) -> None:
        """Look at the next block; an empty one is the end."""
        self._has_others = self._has_others or not block.isascii()
        try:
            if self._is_valid:
                self._decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            self._is_valid = False

    def is_utf8(self) -> bool:
        return self._is_valid and self._has_others


def _is_nul_to_the_end(text: str, file: BinaryIO) -> bool:
    """Tell whether all is NUL from the text's first NUL to the end of the file, and read that."""
    if text[text.index("\0") :].strip("\0"):
        return False
    return not any(block.strip(b"\0") for block in iter(partial(file.read, BLOCK_BYTES), b""))


def _nul_tail(*, is_whole_file: bool) -> BadRecordError:
    # A file system reserves the space of a file, and something stops before it is filled.
    what = "The file holds" if is_whole_file else "From row {row} on, the file holds"
    why = "it was not completely saved, copied or downloaded"
    template = what + " nothing but NUL bytes: " + why + ". Save it again, and upload that."
    return BadRecordError("NUL_BYTE", template)


def _is_utf8(encoding: Encoding) -> FileRefusedError:
    return refusal(
        "BAD_ENCODING",
        "The upload says that the file is {encoding}, but it is UTF-8: read as {encoding}, letters "
        "with accents would be wrong. Upload it without an encoding.",
        value=encoding.label,
        encoding=encoding.label,
    )


def _text_to_nul(text: str) -> Iterator[str]:
    """Yield the text; raise BadRecordError after the part before a NUL."""
    end = text.find("\0")
    if end < 0:
        if text:
            yield text
        return
    yield text[:end]
    raise BadRecordError(
        "NUL_BYTE",
        "Row {row} has a NUL byte, which no text has: the file is damaged, or is not a text file. "
        + _ADVICE
        + " and upload that.",
    )


def _bad_encoding(error: UnicodeDecodeError, offset: int, encoding: Encoding) -> BadRecordError:
    byte = f"0x{error.object[error.start]:02X}"
    label = encoding.label.removesuffix("-bom")
    if encoding.bom:
        advice = "The file is damaged. " + _ADVICE + " again."
    elif label == "utf-8":
        advice = _ADVICE + ", or say which encoding it has, for example windows-1252."
    else:
        advice = _ADVICE + ", or say which encoding it really has."
    return BadRecordError(
        "BAD_ENCODING",
        "Row {row} has the byte {byte}, at offset {offset} of the file, which is not {encoding} "
        "text there. " + advice,
        value=byte,
        byte=byte,
        offset=offset,
        encoding=label,
    )
