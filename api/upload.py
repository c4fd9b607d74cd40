"""An uploaded file, on its way from the request into the database."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import strawberry
from graphql import GraphQLError

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile

HEAD_BYTES = 1024 * 1024
_NAME_LONGEST = 255


class UploadedFile:
    """A file part of a multipart request, spooled to disk when it is large.

    Args:
        part: what the form parser made of it; whoever parsed the form closes it.
    """

    def __init__(self, part: UploadFile) -> None:
        self.name = base_name(part.filename or "")
        self.size = part.size or 0
        self.content = part.file

    def head(self) -> bytes:
        """Read the beginning, up to `HEAD_BYTES`, and go back to it."""
        self.content.seek(0)
        head = self.content.read(HEAD_BYTES)
        self.content.seek(0)
        return head

    def sha256(self) -> str:
        """Hash the content; takes about a second for a gibibyte."""
        digest = hashlib.sha256()
        self.content.seek(0)
        while block := self.content.read(HEAD_BYTES):
            digest.update(block)
        self.content.seek(0)
        return digest.hexdigest()


def base_name(filename: str) -> str:
    """Return a file's name without folders and without what can't be seen.

    Example:
        >>> base_name("C:\\\\Users\\\\jo\\\\May.csv")
        'May.csv'
    """
    name = PurePosixPath(filename.replace("\\", "/")).name
    shown = "".join(letter for letter in name if not unicodedata.category(letter).startswith("C"))
    return shown.strip().lstrip(".")[:_NAME_LONGEST] or "file"


def _parse(value: object) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise GraphQLError("A file is sent as a part of a GraphQL multipart request.")
    return value


UPLOAD = strawberry.scalar(
    name="Upload",
    description="A file: null in `operations`, and a part of its own in a GraphQL multipart "
    "request.",
    specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
    parse_value=_parse,
)
