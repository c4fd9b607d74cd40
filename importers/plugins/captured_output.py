"""A standard output that sends what plugins print to the log, with the plugin's name."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, TextIO

from importers.isolation.guard import current_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

# A plugin that prints for each row would fill the log.
_MOST_LINES = 100


def log_line(line: str) -> None:
    """Log a line that a plugin printed."""
    logger.warning("%s", line)


class CapturedOutput(io.TextIOBase):
    """A standard output that passes on the first hundred lines of each plugin.

    `output` receives what Caseroll itself prints.
    """

    def __init__(self, output: TextIO, pass_on: Callable[[str], None] = log_line) -> None:
        self._output = output
        self.pass_on = pass_on
        self._counts: dict[str, int] = {}

    def write(self, text: str) -> int:
        """Pass on a plugin's lines; write all else through."""
        # None while no guard is at work: then the text is ours.
        plugin = current_plugin()
        if plugin is None:
            return self._output.write(text)
        for line in filter(str.strip, text.splitlines()):
            count = self._counts[plugin] = self._counts.get(plugin, 0) + 1
            if count <= _MOST_LINES:
                self.pass_on(f"{plugin} printed: {line:.500}")
            if count == _MOST_LINES:
                self.pass_on(f"{plugin} prints a lot; no more of it is logged")
        return len(text)

    def flush(self) -> None:
        """Flush the output behind."""
        self._output.flush()
