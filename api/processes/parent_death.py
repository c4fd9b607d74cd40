"""Wrapping a command so that it ends with the process that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def bound_command(
    argv: Sequence[str], *, death_signal: signal.Signals = signal.SIGKILL, user: str = ""
) -> list[str]:
    """Wrap a command so that it gets a signal when the thread that starts it ends.

    The wrapper runs this file as a script, without site-packages, and then becomes the command,
    so the process id is the command's own. Start it from the main thread: the kernel watches
    the thread that forked, not the process.

    Args:
        argv: the command; its first element is looked up on PATH.
        death_signal: what the command gets when its parent dies, however that dies.
        user: the system user to run it as; only root can name one.
    """
    wrapper = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(death_signal)), user]
    return [*wrapper, *argv]


def die_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel to signal this process when its parent dies; does nothing but on Linux."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        os.kill(os.getpid(), death_signal)


def _become(user: str) -> None:
    """Drop root for another user; before `die_with_parent`, which this would undo."""
    import pwd  # noqa: PLC0415 - not there on every platform, wanted by root alone

    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def _main(parent: str, death_signal: str, user: str, *argv: str) -> None:
    if user:
        _become(user)
    die_with_parent(int(parent), int(death_signal))
    os.execvp(argv[0], argv)  # noqa: S606 - running the caller's command is its purpose


if __name__ == "__main__":
    _main(*sys.argv[1:])
