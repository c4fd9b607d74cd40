"""The terminal that a process was started from, and whether it is still there."""

from __future__ import annotations

import os
import signal


class Terminal:
    """Tells whether a SIGHUP means that the terminal was closed, or that settings are to be read.

    Create it before a handler for SIGHUP is set: under nohup, SIGHUP is ignored until then, and a
    terminal that is closed must not end the process.
    """

    def __init__(self) -> None:
        self._was_there = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and _can_be_opened()

    def is_gone(self) -> bool:
        """Tell whether there was a terminal, which has been closed."""
        return self._was_there and not _can_be_opened()


def _can_be_opened() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
