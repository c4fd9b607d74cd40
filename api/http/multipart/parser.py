"""A multipart body: short fields and a file, read only as far as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from api.errors import HttpError, bad_request
from api.http.multipart.part_header import decode, read_part_header
from api.schema.uploads.upload import UploadedFile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# `operations` and `map`.
_GRAPHQL_FIELDS = 2


class MultipartBody:
    """Parses a body as it arrives.

    Args:
        field_bytes: how long a field may be.
        most_fields: how many fields there may be beside the file.

    Attributes:
        fields: texts of the fields that are complete, by name.
        files: the file, from its first byte on, by the name of its part.
        is_whole: whether the body is complete.
        error: why reading has failed; reading on raises it again.

    Raises:
        HttpError: the request's header has no boundary.
    """

    def __init__(
        self,
        content_type: str,
        blocks: AsyncGenerator[bytes, None],
        field_bytes: int,
        most_fields: int = _GRAPHQL_FIELDS,
    ) -> None:
        self.fields: dict[str, str] = {}
        self.files: dict[str, UploadedFile] = {}
        self.is_whole = False
        self.error: HttpError | ClientDisconnect | None = None
        self._blocks = blocks
        self._field_bytes = field_bytes
        self._most_fields = most_fields
        self._part = _Part()
        self._is_at_end = False
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise _malformed("there is no boundary")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._take_header_name,
                    "on_header_value": self._take_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._take_content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _malformed(str(error)) from error

    async def read_on(self) -> None:
        """Wait for the next block, and parse it.

        Raises:
            HttpError: the body is malformed, too large, or arrives too slowly.
            ClientDisconnect: the client has left.
        """
        if self.error is None:
            try:
                await self._read_block()
            except (HttpError, ClientDisconnect) as error:
                self.error = error
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Delete what has been stored of the file."""
        for file in self.files.values():
            file.content.close()

    async def _read_block(self) -> None:
        block = await anext(self._blocks, None)
        if block is None:
            if not self._is_at_end:
                raise _malformed("it ends too early")
            self.is_whole = True
        else:
            try:
                self._parser.write(block)
            except FormParserError as error:
                raise _malformed(str(error)) from error
        # After each block, and awaited: a client sends no faster than the file is stored.
        for file in self.files.values():
            await file.keep()

    def _begin_part(self) -> None:
        self._part = _Part()

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _end_header(self) -> None:
        part = self._part
        if part.header_name.lower() == b"content-disposition":
            part.disposition = bytes(part.header_value)
        part.header_name.clear()
        part.header_value.clear()

    def _begin_content(self) -> None:
        header = read_part_header(self._part.disposition)
        if header.name is None:
            raise _malformed("a part has no name")
        self._part.name = header.name
        if header.filename is None:
            return
        # The operation begins when its file does, so a second file would arrive too late for it.
        if self.files:
            raise _malformed("there is more than one file")
        self._part.file = UploadedFile(header.filename, self)
        self.files[self._part.name] = self._part.file

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.file is not None:
            part.file.take(data[start:end])
            return
        part.content += data[start:end]
        # The limit of the whole body is that of a file, far too much for what is kept in memory.
        if len(part.content) > self._field_bytes:
            raise _malformed(f"a field is larger than {self._field_bytes:,} bytes, the most")

    def _end_part(self) -> None:
        if self._part.file is not None:
            return
        if self._part.name in self.fields or len(self.fields) == self._most_fields:
            raise _malformed(
                f"there are more than {self._most_fields} fields, or one of them twice; the part of"
                " the file needs a filename"
            )
        self.fields[self._part.name] = decode(bytes(self._part.content))

    def _end(self) -> None:
        self._is_at_end = True


class _Part:
    """The part that is being parsed."""

    def __init__(self) -> None:
        self.header_name = bytearray()
        self.header_value = bytearray()
        self.disposition = b""
        self.name = ""
        self.content = bytearray()
        self.file: UploadedFile | None = None


def _malformed(why: str) -> HttpError:
    return bad_request(f"The multipart body can't be read: {why}.")
