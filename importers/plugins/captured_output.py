"""Output of plugins: what they print goes to the log, which they can't change."""

from __future__ import annotations

import io
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO

from importers.isolation.guard import current_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger(__name__)

# A plugin that prints for each row would fill the log.
_MOST_LINES = 100
_LONGEST_LINE = 500


def log_line(line: str) -> None:
    """Log a line that a plugin printed."""
    logger.warning("%s", line)


@contextmanager
def logging_kept(tell: Callable[[], None]) -> Iterator[None]:
    """Take back what a plugin does to the log of the process while its module is loaded.

    `logging.config.dictConfig`, say, silences all loggers that there are, unless told otherwise.

    Args:
        tell: called if there was anything to take back.
    """
    before = _log_state()
    try:
        yield
    finally:
        after = _log_state()
        changed = [each for each in before.loggers if before.loggers[each] != after.loggers[each]]
        if changed or before.disabled != after.disabled:
            tell()
        logging.disable(before.disabled)
        for each in changed:
            each.disabled, level, each.propagate, handlers = before.loggers[each]
            each.handlers[:] = handlers
            each.setLevel(level)  # also forgets for which levels it was found enabled


class _LogState(NamedTuple):
    disabled: int
    loggers: dict[logging.Logger, tuple[bool, int, bool, tuple[logging.Handler, ...]]]


def _log_state() -> _LogState:
    root = logging.getLogger()
    named = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    states = {
        each: (each.disabled, each.level, each.propagate, tuple(each.handlers))
        for each in (root, *named)
    }
    return _LogState(root.manager.disable, states)


class CapturedOutput(io.TextIOBase):
    """A standard output that passes on the first hundred lines of each plugin.

    `output` receives what Caseroll itself prints.
    """

    def __init__(self, output: TextIO, pass_on: Callable[[str], None] = log_line) -> None:
        self._output = output
        self.pass_on = pass_on
        self._counts: dict[str, int] = {}
        self._begun: dict[tuple[str, int], str] = {}

    def write(self, text: str) -> int:
        """Pass on a plugin's lines; write all else through."""
        # None while no guard is at work: then the text is ours.
        plugin = current_plugin()
        if plugin is None:
            return self._output.write(text)
        # `print` writes each of its arguments, and the end of the line, by itself.
        place = plugin, threading.get_ident()
        *lines, rest = (self._begun.pop(place, "") + text).split("\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], ""
        if rest:
            self._begun[place] = rest
        self._pass_on(plugin, lines)
        return len(text)

    def _pass_on(self, plugin: str, lines: Iterable[str]) -> None:
        for line in filter(str.strip, lines):
            count = self._counts[plugin] = self._counts.get(plugin, 0) + 1
            if count <= _MOST_LINES:
                self.pass_on(f"{plugin} printed: {line:.{_LONGEST_LINE}}")
            if count == _MOST_LINES:
                self.pass_on(f"{plugin} prints a lot; no more of it is logged")

    def flush(self) -> None:
        """Pass on the lines that plugins have begun; flush the output behind."""
        for place in list(self._begun):
            self._pass_on(place[0], [self._begun.pop(place, "")])
        self._output.flush()
