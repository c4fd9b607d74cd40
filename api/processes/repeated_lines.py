"""Log lines that say the same again and again."""

from __future__ import annotations

import logging
import time

_SECONDS = 60.0


class RepeatedLines(logging.Filter):
    """Drops a warning whose text was logged within the last minute.

    While Redis or PostgreSQL is away, Dramatiq and the loops that try again would log dozens of
    equal lines a minute. Tracebacks stay: equal texts may have different ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to log the record."""
        if record.levelno < logging.WARNING or record.exc_info:
            return True
        line, now = f"{record.name} {record.getMessage()}", time.monotonic()
        # A new dictionary each time, since another thread may log at this moment.
        logged = {text: at for text, at in self._logged.items() if now - at < _SECONDS}
        self._logged = {line: now, **logged}
        return line not in logged


def leave_out_repeated_lines() -> None:
    """Filter what this process logs from here on, whichever logger it comes from."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(RepeatedLines())
