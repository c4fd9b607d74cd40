"""The reader: the plugin that reads files of a format of its own, for importers of any type."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from importers.sdk.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Reader(Plugin):
    """Read files of a format that Caseroll does not know, for imports of any type.

    A reader makes rows of texts of a file; what they mean is the importer's to say. The engine sees
    to the rest: limits, refusals, the header, blank rows and the numbers in messages. Readers are
    asked in the order of `plugins.toml`, and before Caseroll's own, which read CSV text and
    workbooks. `rows` runs in a process of its own, with limits of memory and time and without the
    environment's variables. So define the class at the top of a module, and give it plain settings.

    Example:
        >>> from io import BytesIO
        >>> class Pairs(Reader):
        ...     def takes(self, beginning, name):
        ...         return beginning.startswith(b"#pairs")
        ...
        ...     def rows(self, file):
        ...         yield 1, ["case_id", "user_id"]
        ...         for number, line in enumerate(file, 1):
        ...             if number > 1:
        ...                 yield number, line.decode().strip().split("=")
        >>> list(Pairs().rows(BytesIO(b"#pairs\\ntrv-001=jack-001\\n")))
        [(1, ['case_id', 'user_id']), (2, ['trv-001', 'jack-001'])]
    """

    def takes(self, beginning: bytes, name: str) -> bool:
        """Return whether the file is for this reader to read.

        Called for every upload, in the process that receives it: be quick, and be sure. What no
        reader takes is read as a workbook or as CSV text, or refused.

        Args:
            beginning: the file's first 64 KiB, or all of it if it has less.
            name: the file's name as it was uploaded, in any case; it may be empty, or wrong.
        """
        raise NotImplementedError

    def rows(self, file: BinaryIO) -> Iterable[tuple[int, Sequence[str]]]:
        """Yield the rows of a file that this reader takes: each with its number and its cells.

        The first row is the header. A cell without a value is an empty text. A row may have fewer
        cells than the header; what is missing at its end is blank.

        Args:
            file: at its beginning; it can be read again from there, with `seek`.

        Returns:
            Pairs of a number and a list or tuple of texts. The numbers ascend; they say where a
            person finds the row in the file, as in "row 7". A header that is no row of the file has
            the number 0.

        Raises:
            FileError: refuses the file, in words that the admin understands. Any other error
                refuses it as well, and only the log has its text.
        """
        raise NotImplementedError
