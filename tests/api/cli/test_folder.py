"""The notes that `caseroll up` leaves for other commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder


def test_notes(tmp_path: Path) -> None:
    """A note can be replaced and removed, and is for its owner's eyes alone."""
    folder = DataFolder(tmp_path)
    folder.write("admin.token", "one")
    folder.write("admin.token", "two")

    assert folder.read("admin.token") == "two"
    assert (folder.path / "admin.token").stat().st_mode & 0o777 == 0o600
    folder.remove("admin.token")
    assert folder.read("admin.token") is None


def test_lock(tmp_path: Path) -> None:
    """One process at a time holds the folder, and lets go of it at the end."""
    folder = DataFolder(tmp_path / "new")
    with folder.locked(), pytest.raises(RefusedError, match="another"), folder.locked():
        pass
    with folder.locked():
        pass
