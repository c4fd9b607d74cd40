"""A plugin's reader as the engine uses it, beside those of Caseroll's own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from importers.isolation.guard import Guard
from importers.reading.isolated.plugin_file import PluginFile, reader_failure

if TYPE_CHECKING:
    from importers.reading.format_reader import FileSource
    from importers.sdk.reader import Reader

logger = logging.getLogger(__name__)

TAKES_SECONDS = 2.0
"""How long a reader may think about one upload, which waits for the answer."""


class PluginReader:
    """A reader of files of a plugin's format."""

    needs_all = True

    def __init__(self, reader: Reader) -> None:
        self.key = reader.key
        self._reader = reader

    def takes(self, beginning: bytes, filename: str) -> bool:
        """Ask the plugin, under a guard.

        Raises:
            FileRefusedError: it fails. The file may be one of its own, which another reader would
                read wrongly.
        """
        guard = Guard(f"reader {self.key!r}", call_seconds=TAKES_SECONDS)
        try:
            found = guard.call(self._reader.takes, beginning, filename)
        except Exception as error:
            logger.exception("reader %r can't say whether it takes %r", self.key, filename)
            raise reader_failure(self.key) from error
        if not isinstance(found, bool):
            logger.error("reader %r answers %.80r, neither True nor False", self.key, found)
            raise reader_failure(self.key)
        return found

    def refuse_early(self, head: bytes, filename: str) -> None:
        """Refuse nothing: only the plugin knows what is wrong with a file of its own."""

    def open(self, source: FileSource) -> PluginFile:
        """Return the rows, which the plugin reads in a process of its own."""
        return PluginFile(self._reader, self.key, source)
