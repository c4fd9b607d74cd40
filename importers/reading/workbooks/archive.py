"""The parts of a workbook's zip archive, found by their names however these are written."""

from __future__ import annotations

import re
import zipfile
import zlib
from posixpath import dirname, join, normpath
from typing import IO, TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from importers.reading.refusal import refusal
from importers.reading.sniff import password_protected

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from importers.reading.limits import Limits

_MAX_ENTRIES = 10_000
_BLOCK = 1024 * 1024
_ZLIB_NO_MEMORY = "Error -4 "
_BACKSLASHES = re.compile(r"\\+")

DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    UnicodeError,
    ValueError,
    LookupError,
    ArithmeticError,
    OSError,
)
"""Exceptions of an archive or a part that is damaged or crafted, beside those of the parser."""


class Archive:
    """A workbook's parts.

    Names of parts may differ from those in relations in capitals, have `\\` for `/`, and be
    escaped as those of URLs are.

    Raises:
        FileRefusedError: it is too large, or encrypted.
    """

    def __init__(self, file: BinaryIO, filename: str, limits: Limits) -> None:
        self._archive = zipfile.ZipFile(file)
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        _refuse_bad_entries(entries, filename, limits)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._doubled: set[str] = set()
        for entry in entries:
            name = _plain_name(entry.filename)
            if name in self._entries:
                self._doubled.add(name)
            self._entries[name] = entry

    def names(self) -> Collection[str]:
        """Return the names of all parts, in lower case."""
        return self._entries.keys()

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a part's content, piece by piece.

        Raises:
            LookupError: there is no such part.
            ValueError: there are several of that name, so programs differ in which they read.
        """
        name = _plain_name(name)
        if name in self._doubled:
            raise ValueError(f"the part '{name}' is there twice")
        with self._archive.open(self._entries[name]) as stream:
            while block := _read_block(stream):
                yield block


def _read_block(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_BLOCK)
    except zlib.error as error:
        # zlib tells by a number in its message that there is no memory left.
        if _ZLIB_NO_MEMORY in str(error):
            raise MemoryError from error
        raise


def part_at(source: str, target: str) -> str:
    """Return the name of the part that a relation of another part names."""
    return _plain_name(join("/", dirname(source), _BACKSLASHES.sub("/", target)))


def _plain_name(name: str) -> str:
    return normpath(unquote(_BACKSLASHES.sub("/", name))).lstrip("/").lower()


def _refuse_bad_entries(
    entries: Collection[zipfile.ZipInfo], filename: str, limits: Limits
) -> None:
    if any(entry.flag_bits & 1 for entry in entries):
        raise password_protected(filename)
    size = sum(entry.file_size for entry in entries)
    if size > limits.max_unpacked_bytes or len(entries) > _MAX_ENTRIES:
        raise refusal(
            "TOO_LARGE",
            "The workbook unpacks to {size:,} bytes in {parts:,} parts; {limit:,} bytes in "
            "{most_parts:,} parts are the most that can be read. Save the sheet as CSV UTF-8.",
            size=size,
            parts=len(entries),
            limit=limits.max_unpacked_bytes,
            most_parts=_MAX_ENTRIES,
        )
