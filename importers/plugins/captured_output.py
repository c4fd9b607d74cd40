"""What plugins print goes to the log, with the plugin's name."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, TextIO

from importers.isolation.guard import current_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_MOST_LINES = 100


def log_line(line: str) -> None:
    """Log what a plugin has printed."""
    logger.warning("%s", line)


class PrintLog(io.TextIOBase):
    """A standard output that passes on what is printed, but for what plugins print.

    It passes on a plugin's first hundred lines.

    Args:
        output: where all else goes.
        pass_on: is told of each line that a plugin prints.
    """

    def __init__(self, output: TextIO, pass_on: Callable[[str], None] = log_line) -> None:
        self._output = output
        self.pass_on = pass_on
        self._counts: dict[str, int] = {}

    def write(self, text: str) -> int:
        """Tell of a plugin's lines, write others through."""
        plugin = current_plugin()
        if plugin is None:
            return self._output.write(text)
        for line in filter(str.strip, text.splitlines()):
            self._take(plugin, line)
        return len(text)

    def flush(self) -> None:
        """Flush the output behind."""
        self._output.flush()

    def _take(self, plugin: str, line: str) -> None:
        count = self._counts[plugin] = self._counts.get(plugin, 0) + 1
        if count <= _MOST_LINES:
            self.pass_on(f"{plugin} printed: {line:.500}")
        if count == _MOST_LINES:
            self.pass_on(f"{plugin} prints a lot; no more of it is logged")
