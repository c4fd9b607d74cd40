"""Tables on stdout: for a terminal, and for programs."""

from __future__ import annotations

import pytest

from api.cli.output import print_table
from tests.api.cli.test_printable import NASTY


def test_table_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal is, a table is one tab-separated line a row, however long the cells."""
    print_table(["name", "note"], [["x" * 200, None], ["two\nlines", "[red]as it is[/red]"]])

    assert capsys.readouterr().out.splitlines() == [
        "name\tnote",
        "x" * 200 + "\t",
        "two lines\t[red]as it is[/red]",
    ]


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
