"""Which format a downloaded file has."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from api.cli.failure import RefusedError
from api.cli.file_format import is_workbook


@pytest.mark.parametrize(
    ("format_", "name", "expected"),
    [
        (None, "failed.csv", False),
        (None, "failed.xlsx", True),
        (None, "Failed.XLSX", True),
        (None, "xlsx", False),
        (None, "-", False),
        ("xlsx", "failed.csv", True),
        ("csv", "failed.xlsx", False),
    ],
)
def test_is_workbook(tmp_path: Path, format_: str | None, name: str, *, expected: bool) -> None:
    """What is asked for by name wins over the output file's name."""
    output = click.File("wb", lazy=True).convert(str(tmp_path / name), None, None)

    assert is_workbook(format_, output) == expected


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows text alone; a pipe takes anything."""
    output = click.File("wb", lazy=True).convert("-", None, None)
    assert is_workbook("xlsx", output)

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert not is_workbook("csv", output)
    with pytest.raises(RefusedError, match="name a file with -o"):
        is_workbook("xlsx", output)
