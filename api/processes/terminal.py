"""The terminal that a process was started from, and whether it is still there."""

from __future__ import annotations

import os
import signal


class Terminal:
    """Tells the two meanings of SIGHUP apart: "read your settings anew", and "I am closed".

    Make it before SIGHUP is handled: under nohup, which has it ignored, a terminal that closes
    means nothing.
    """

    def __init__(self) -> None:
        self._was_there = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and _is_there()

    def is_gone(self) -> bool:
        """Tell whether there was a terminal, which has been closed."""
        return self._was_there and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
