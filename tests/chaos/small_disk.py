"""A small disk that can be filled."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.chaos.fault import NotStagedError

_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
_PRIVATE = 1 << 18 | 1 << 14  # MS_PRIVATE, MS_REC
_DETACH = 2  # MNT_DETACH
_BYTES = 160 * 1024 * 1024
_POSTGRES_USER = "pgserver"


class SmallDisk:
    """A file system in memory, which only this process and its children see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @classmethod
    def of(cls, site: Path) -> SmallDisk:
        """Return the disk of the site in that folder."""
        return cls(site / "disk")

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """Mount it for the block; yield a folder on it that PostgreSQL may write to.

        Raises:
            NotStagedError: this process may not mount anything.
        """
        self.folder.mkdir()
        system = ctypes.CDLL(None, use_errno=True)
        options = f"size={_BYTES}".encode()
        if (
            system.unshare(_NEW_MOUNTS)
            or system.mount(None, b"/", None, _PRIVATE, None)
            or system.mount(b"none", os.fsencode(self.folder), b"tmpfs", 0, options)
        ):
            raise NotStagedError(
                f"a small disk can't be mounted: {os.strerror(ctypes.get_errno())}"
            )
        data = self.folder / "data"
        data.mkdir()
        shutil.chown(data, _POSTGRES_USER)
        try:
            yield data
        finally:
            system.umount2(os.fsencode(self.folder), _DETACH)

    def fill(self, *, spare: int) -> None:
        """Fill the disk but for some bytes, while other processes write to it."""
        with self._ballast.open("wb") as file:
            taken = 0
            while (room := self._room() - spare) > 0:
                with suppress(OSError):
                    os.posix_fallocate(file.fileno(), taken, room)
                    taken += room

    def _room(self) -> int:
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def clear(self) -> None:
        """Free the disk again."""
        self._ballast.unlink(missing_ok=True)
