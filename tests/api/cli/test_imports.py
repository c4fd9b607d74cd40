"""What `caseroll import` prints at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.cli.folder import DataFolder
from api.cli.imports import _print_errors, _summarise
from tests.api.cli.test_printable import NASTY, TAMED


def test_a_hostile_import(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What `caseroll import` says of an import is plain, whatever the file and the API say."""
    error = {"column": NASTY, "message": NASTY, "field": ["name"]}
    state: dict[str, Any] = dict.fromkeys(("passed", "cancelled", "created", "updated"), 0)
    state |= {"id": "1", "name": NASTY, "status": "PROCESSED", "removed": 0, "unchanged": 0}
    state |= {"total": 1, "failed": 1, "errors": []}
    state["rows"] = {"edges": [{"node": {"number": 2, "errors": [error]}}]}
    _summarise(state, DataFolder(tmp_path))
    _print_errors([error])
    said = capsys.readouterr()

    assert not set("\x07\x1b\x9b\u202e\r") & set(said.out + said.err)
    assert [line for line in (said.out + said.err).splitlines() if line.startswith("Error")] == [
        f"Error: --name: {TAMED}"
    ]
