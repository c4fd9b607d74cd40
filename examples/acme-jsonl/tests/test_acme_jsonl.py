"""Files of JSON Lines become rows, or are refused with the line at fault."""

import json
from pathlib import Path

import pytest
from importers import FileError
from importers.builtin.assign import AssignUsers
from importers.testing import check_importer, check_reader, run_importer

from acme_jsonl import JsonLines

ROSTER = Path(__file__).parent / "roster.jsonl"


def test_roster() -> None:
    """Rows have the numbers of their lines; a key that a line lacks is a blank cell."""
    check_importer(
        AssignUsers,
        ROSTER,
        [
            {"row": 1, "outcome": "CREATED", "asks": [{"case": "trv-002", "notify": True}]},
            {"row": 3, "outcome": "CREATED", "asks": [{"user": "jones-001", "notify": False}]},
            {"row": 4, "errors": [{"column": "case_role_id", "code": "REQUIRED"}]},
        ],
        readers=[JsonLines],
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"case_id": "trv-001", ', "Line 2 is no JSON: "),
        ('["trv-001", "jack-001"]', "Line 2 is no JSON object, or has a key twice."),
        ('{"case_id": "trv-001", "case_id": "trv-002"}', "Line 2 is no JSON object, or has a key"),
        ('{"case_id": ["trv-001"]}', "Line 2 has several values in 'case_id'"),
        ('{"case_id": {"tag": "trv-001"}}', "Line 2 has several values in 'case_id'"),
    ],
)
def test_a_bad_line(tmp_path: Path, line: str, message: str) -> None:
    """A line that is no row refuses the file."""
    file = tmp_path / "roster.jsonl"
    file.write_text(json.dumps({"case_id": "trv-001", "user_id": "jack-001"}) + "\n" + line)

    with pytest.raises(FileError) as caught:
        run_importer(AssignUsers, file, readers=[JsonLines])

    assert str(caught.value).startswith(message)


def test_conformance() -> None:
    """The reader passes the checks that every reader must pass."""
    check_reader(JsonLines, ROSTER)
