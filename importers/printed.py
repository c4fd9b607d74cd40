"""What plugins print goes to the log, with the plugin's name."""

from __future__ import annotations

import io
import logging
from typing import TextIO

from importers.guard import current_plugin

logger = logging.getLogger(__name__)

_MOST_LINES = 100


class PrintLog(io.TextIOBase):
    """A standard output that passes on what is printed, but for what plugins print.

    A plugin's first hundred lines in the life of a process are logged.

    Args:
        output: where all else goes.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._counts: dict[str, int] = {}

    def write(self, text: str) -> int:
        """Log lines of a plugin, write others through."""
        plugin = current_plugin()
        if plugin is None:
            return self._output.write(text)
        for line in filter(str.strip, text.splitlines()):
            self._log(plugin, line)
        return len(text)

    def flush(self) -> None:
        """Flush the output behind."""
        self._output.flush()

    def _log(self, plugin: str, line: str) -> None:
        count = self._counts[plugin] = self._counts.get(plugin, 0) + 1
        if count <= _MOST_LINES:
            logger.warning("%s printed: %.500s", plugin, line)
        if count == _MOST_LINES:
            logger.warning("%s prints a lot; no more of it is logged", plugin)
