"""What `caseroll import` prints at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.cli.folder import DataFolder
from api.cli.imports import _summarise, print_errors
from tests.api.cli.test_printable import NASTY, TAMED


def test_a_hostile_import(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What `caseroll import` says of an import is plain, whatever the file and the API say."""
    error = {"column": NASTY, "message": NASTY, "field": ["name"]}
    state: dict[str, Any] = dict.fromkeys(("passed", "cancelled", "created", "updated"), 0)
    state |= {"id": "1", "name": NASTY, "status": "PROCESSED", "removed": 0, "unchanged": 0}
    state |= {"total": 1, "failed": 1, "errors": [], "warnings": [error]}
    state["rows"] = {"edges": [{"node": {"number": 2, "errors": [error]}}]}
    state["passedRows"] = {"edges": [{"node": {"number": 3, "warnings": [error]}}]}
    _summarise(state, DataFolder(tmp_path))
    print_errors([error])
    said = capsys.readouterr()

    assert not set("\x07\x1b\x9b\u202e\r") & set(said.out + said.err)
    assert [line for line in (said.out + said.err).splitlines() if line.startswith("Error")] == [
        f"Error: --name: {TAMED}"
    ]


def test_warnings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Remarks on the file come first, those on rows that passed in a table."""
    state: dict[str, Any] = dict.fromkeys(("failed", "cancelled", "updated", "removed"), 0)
    state |= {"id": "1", "name": "May", "status": "PROCESSED", "unchanged": 0, "total": 2}
    state |= {"passed": 2, "created": 2, "errors": [], "rows": {"edges": []}}
    state["warnings"] = [{"message": "12 rows are hidden."}]
    similar = {"column": "tag_id", "message": "Tag Id: much like trv-001."}
    rows = [{"number": 2, "warnings": []}, {"number": 3, "warnings": [similar]}]
    state["passedRows"] = {"edges": [{"node": row} for row in rows]}
    _summarise(state, DataFolder(tmp_path))
    said = capsys.readouterr()

    assert said.err == "Warning: 12 rows are hidden.\n"
    assert said.out.startswith("Processed: May, 2 rows: 2 passed, 2 created.\n")
    assert "Tag Id: much like trv-001." in said.out
    assert "failed" not in said.out
