"""What the command line prints, and what it leaves in its folder."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from api.cli.failure import RefusedError, describe
from api.cli.folder import DataFolder
from api.cli.output import print_table
from importers.errors import ConfigError


def test_table_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal is, a table is one tab-separated line a row, however long the cells."""
    print_table(["name", "note"], [["x" * 200, None], ["two\nlines", "[red]as it is[/red]"]])

    assert capsys.readouterr().out.splitlines() == [
        "name\tnote",
        "x" * 200 + "\t",
        "two lines\t[red]as it is[/red]",
    ]


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        pytest.param(ConfigError(["One.", "Two."]), ["One.", "Two."], id="settings"),
        pytest.param(RefusedError("No such app."), ["No such app."], id="refused"),
        pytest.param(OSError(28, "No space left"), ["[Errno 28] No space left"], id="disk"),
        pytest.param(
            asyncpg.InvalidPasswordError("wrong password"),
            ["the database says: wrong password"],
            id="database",
        ),
        pytest.param(
            KeyError("x"),
            ["KeyError: 'x' (a bug in Caseroll; `caseroll --debug …` shows where)"],
            id="bug",
        ),
    ],
)
def test_describe(error: Exception, lines: list[str]) -> None:
    """Every error becomes plain lines; only a bug says that it is one."""
    assert describe(error) == lines


class TestDataFolder:
    """The notes that `caseroll up` leaves for other commands."""

    def test_notes(self, tmp_path: Path) -> None:
        """A note can be replaced and removed, and is for its owner's eyes alone."""
        folder = DataFolder(tmp_path)
        folder.write("admin.token", "one")
        folder.write("admin.token", "two")

        assert folder.read("admin.token") == "two"
        assert (folder.path / "admin.token").stat().st_mode & 0o777 == 0o600
        folder.remove("admin.token")
        assert folder.read("admin.token") is None

    def test_lock(self, tmp_path: Path) -> None:
        """One process at a time holds the folder, and lets go of it at the end."""
        folder = DataFolder(tmp_path / "new")
        with folder.locked(), pytest.raises(RefusedError, match="another"), folder.locked():
            pass
        with folder.locked():
            pass
