"""An uploaded file, on its way from the request into the database."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import unicodedata
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Protocol, cast

import strawberry
from graphql import GraphQLError

HEAD_BYTES = 1024 * 1024
# Larger files go to disk: memory must not grow with the uploads under way.
_IN_MEMORY = 1024 * 1024
_NAME_LONGEST = 255
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:|\.{0,2})\\")


class Source(Protocol):
    """The request that a file comes from.

    Attributes:
        is_whole: whether all of it has come.
    """

    is_whole: bool

    async def read_on(self) -> None:
        """Wait for more."""


class UploadedFile:
    """A file part of a multipart request, spooled to disk when it is large.

    It may still be arriving: `arrive` waits for more.

    Args:
        filename: as the client sent it.
        source: hands blocks to `take`, and closes `content` in the end.

    Attributes:
        size: how many bytes have come.
    """

    def __repr__(self) -> str:
        """Return what errors show a client that has put the file in the wrong place."""
        return "a file"

    def __init__(self, filename: str, source: Source) -> None:
        self.name = base_name(filename)
        self.size = 0
        self.content = cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115
        self._source = source
        self._digest = hashlib.sha256()
        self._taken: list[bytes] = []

    @property
    def is_whole(self) -> bool:
        return self._source.is_whole

    async def arrive(self, size: int) -> None:
        """Wait until `size` bytes of the file have come, or all of it.

        Raises:
            HttpError, ClientDisconnect: the request breaks off, or is malformed.
        """
        while self.size < size and not self.is_whole:
            await self._source.read_on()

    def take(self, block: bytes) -> None:
        """Take a block; `keep` makes it part of the file."""
        self._taken.append(block)

    async def keep(self) -> None:
        """Write what was taken, in a thread when it goes to disk."""
        if not self._taken:
            return
        taken, self._taken = b"".join(self._taken), []
        self.size += len(taken)
        # Up to there the spool is memory, and there is no disk to wait for.
        if self.size > _IN_MEMORY:
            await asyncio.to_thread(self._write, taken)
        else:
            self._write(taken)

    def head(self) -> bytes:
        """Read the beginning, up to `HEAD_BYTES`, as far as it has come."""
        self.content.seek(0)
        head = self.content.read(HEAD_BYTES)
        self.content.seek(0, os.SEEK_END)
        return head

    def sha256(self) -> str:
        return self._digest.hexdigest()

    def _write(self, data: bytes) -> None:
        self.content.write(data)
        self._digest.update(data)


def base_name(filename: str) -> str:
    """Return a file's name without folders and invisible characters.

    Example:
        >>> base_name("C:\\\\Users\\\\jo\\\\May.csv")
        'May.csv'
    """
    # Elsewhere a backslash is a letter like any other.
    is_windows_path = _WINDOWS_PATH.match(filename) is not None
    name = PurePosixPath(filename.replace("\\", "/") if is_windows_path else filename).name
    shown = "".join(letter for letter in name if not unicodedata.category(letter).startswith("C"))
    return shown.strip().lstrip(".")[:_NAME_LONGEST] or "file"


def _read_upload(value: object) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise GraphQLError("A file is sent as a part of a GraphQL multipart request.")
    return value


UPLOAD = strawberry.scalar(
    name="Upload",
    description="A file: null in `operations`, and a part of its own in a GraphQL multipart "
    "request.",
    specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
    parse_value=_read_upload,
)
