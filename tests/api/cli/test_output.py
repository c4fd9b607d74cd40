"""What the command line prints, and what it leaves in its folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.cli.failure import RefusedError, describe
from api.cli.folder import DataFolder
from api.cli.imports import _print_errors, _summarise
from api.cli.output import print_table
from api.cli.printable import printable, printable_json
from importers.sdk.errors import ConfigError


def test_table_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal is, a table is one tab-separated line a row, however long the cells."""
    print_table(["name", "note"], [["x" * 200, None], ["two\nlines", "[red]as it is[/red]"]])

    assert capsys.readouterr().out.splitlines() == [
        "name\tnote",
        "x" * 200 + "\t",
        "two lines\t[red]as it is[/red]",
    ]


NASTY = "\x1b]0;title\x07\x1b[2J\x9b31m\u202egpj.\r\nError: all is lost\ttrv"
TAMED = "\ufffd]0;title\ufffd\ufffd[2J\ufffd31m\ufffdgpj.  Error: all is lost trv"


def test_text_of_others_does_nothing_to_a_terminal() -> None:
    """Escape sequences, line ends and marks that turn text round are shown, not obeyed."""
    assert printable(NASTY) == TAMED
    assert (
        printable("José, 中文, \u0639\u0631\u0628\u064a, 👩\u200d🚀")
        == "José, 中文, \u0639\u0631\u0628\u064a, 👩\u200d🚀"
    )


@pytest.mark.parametrize("is_terminal", [True, False])
def test_hostile_cells_in_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    """No cell breaks out of its table, in a terminal or in a pipe that ends in one."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if is_terminal else "0")
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(["name"], [[NASTY]])
    out = capsys.readouterr().out

    assert not set("\x07\x9b\u202e\r") & set(out)
    assert "\x1b]" not in out
    assert "\x1b[2J" not in out


def test_hostile_json() -> None:
    """JSON for programs says the same text, with nothing in it for a terminal."""
    text = printable_json({"name": NASTY})

    assert json.loads(text) == {"name": NASTY}
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_a_hostile_import(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What `caseroll import` says of an import is plain, whatever the file and the API say."""
    error = {"column": NASTY, "message": NASTY, "field": ["name"]}
    state: dict[str, Any] = dict.fromkeys(("passed", "cancelled", "created", "updated"), 0)
    state |= {"id": "1", "name": NASTY, "status": "PROCESSED", "removed": 0, "unchanged": 0}
    state |= {"total": 1, "failed": 1, "errors": []}
    state["rows"] = {"edges": [{"node": {"number": 2, "errors": [error]}}]}
    _summarise(state, DataFolder(tmp_path))
    _print_errors([error], None)
    said = capsys.readouterr()

    assert not set("\x07\x1b\x9b\u202e\r") & set(said.out + said.err)
    assert [line for line in (said.out + said.err).splitlines() if line.startswith("Error")] == [
        f"Error: --name: {TAMED}"
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
