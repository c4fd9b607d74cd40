"""What a reader of one format is to the engine: it takes files, and opens them as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from importers.reading.limits import Limits
    from importers.reading.record import Batches
    from importers.sdk.errors import ErrorDetail

BEGINNING_BYTES = 64 * 1024
"""Of a file, so much says which reader takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A file to be read, or the beginning of one.

    Args:
        file: seekable, at its beginning; the caller closes it.
        head: its first bytes.
        filename: as it was uploaded, for messages.
        encoding: the encoding that was declared, if any.
        is_whole: whether it is all of the file; else its last row may be cut.
    """

    file: BinaryIO
    head: bytes
    filename: str
    encoding: str | None
    limits: Limits
    is_whole: bool = True


class SourceRows(Protocol):
    """All rows of a file, with the header and with blank ones, and what is known beside them."""

    @property
    def encoding(self) -> str | None:
        """The file's encoding, where it is text."""

    @property
    def delimiter(self) -> str | None:
        """What stands between its cells, where something does."""

    @property
    def has_guards(self) -> bool:
        """Whether the file may be a download of failed rows."""

    @property
    def first_column(self) -> int:
        """Index of the column in which the table begins, once there is a row."""

    @property
    def warnings(self) -> list[ErrorDetail]:
        """What an admin may not expect; complete when all rows have been read."""

    def __iter__(self) -> Batches:
        """Read the rows, once; any step may raise FileRefusedError."""


class FormatReader(Protocol):
    """A reader of files of one format."""

    @property
    def needs_all(self) -> bool:
        """Whether nothing can be read of a file before all of it has come."""

    def takes(self, beginning: bytes, filename: str) -> bool:
        """Tell whether a file with these first `BEGINNING_BYTES` is of the format."""

    def refuse_early(self, head: bytes, filename: str) -> None:
        """Raise FileRefusedError for what a file's first bytes show."""

    def open(self, source: FileSource) -> SourceRows:
        """Return the rows, or raise FileRefusedError."""
