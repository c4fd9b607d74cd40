"""What the command line says of an import, and its exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.cli.folder import DataFolder
from api.cli.import_summary import import_exit_code, print_errors, print_summary, remarks
from tests.api.cli.test_printable import NASTY, TAMED

COUNTS = ("passed", "failed", "cancelled", "created", "updated", "removed", "unchanged")
STATE: dict[str, Any] = {
    **dict.fromkeys(COUNTS, 0),
    "id": "1",
    "name": "May",
    "status": "PROCESSED",
    "dryRun": False,
    "atomic": False,
    "hold": None,
    "errors": [],
    "warnings": [],
    "rows": {"edges": []},
    "passedRows": {"edges": []},
    "errorGroups": {"edges": []},
    **dict.fromkeys(("appliedFrom", "appliedAs", "undoOf", "undoneBy")),
}
HELD = {
    **STATE,
    "status": "HELD",
    "total": 3,
    "passed": 2,
    "failed": 1,
    "removed": 2,
    "hold": {"code": "REMOVES_MANY", "message": "2 of the 2 assignments would be gone."},
}
FAILED_ROW = {"number": 2, "errors": [{"column": "case_id", "message": "No such case."}]}


def said_of(state: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_summary(state, DataFolder(folder))
    return capsys.readouterr().out.splitlines()


def test_a_hostile_import(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What is said of an import is plain, whatever the file and the API say."""
    error = {"column": NASTY, "message": NASTY, "field": ["name"]}
    state = {**STATE, "name": NASTY, "total": 1, "failed": 1, "warnings": [error]}
    state["rows"] = {"edges": [{"node": {"number": 2, "errors": [error]}}]}
    state["passedRows"] = {"edges": [{"node": {"number": 3, "warnings": [error]}}]}
    print_summary(state, DataFolder(tmp_path))
    print_summary({**state, "hold": {"code": NASTY, "message": NASTY}}, DataFolder(tmp_path))
    print_errors([error])
    said = capsys.readouterr()

    assert not set("\x07\x1b\x9b\u202e\r") & set(said.out + said.err)
    assert [line for line in (said.out + said.err).splitlines() if line.startswith("Error")] == [
        f"Error: --name: {TAMED}"
    ]


def test_warnings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Remarks on the file come first, those on rows that passed in a table."""
    state = {**STATE, "total": 2, "passed": 2, "created": 2}
    state["warnings"] = [{"message": "12 rows are hidden."}]
    similar = {"column": "tag_id", "message": "Tag Id: much like trv-001."}
    rows = [{"number": 2, "warnings": []}, {"number": 3, "warnings": [similar]}]
    state["passedRows"] = {"edges": [{"node": row} for row in rows]}
    print_summary(state, DataFolder(tmp_path))
    said = capsys.readouterr()

    assert said.err == "Warning: 12 rows are hidden.\n"
    assert said.out.startswith("Processed: May, 2 rows: 2 passed, 2 created.\n")
    assert "Tag Id: much like trv-001." in said.out
    assert "failed" not in said.out


def test_a_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A plan says what it would do, and the command that does it."""
    state = {**STATE, "dryRun": True, "total": 3, "passed": 2, "failed": 1, "removed": 2}
    state["rows"] = {"edges": [{"node": FAILED_ROW}]}

    assert said_of(state, tmp_path, capsys) == [
        "Planned: May, 3 rows: 2 passed, 1 failed, 2 to remove.",
        "row\tcolumn\twhat is wrong",
        "2\tcase_id\tNo such case.",
        f"All of them, to correct: caseroll failed-rows 1 -o failed.csv --data {tmp_path}",
        f"What it would change: caseroll changes 1 --data {tmp_path}",
        f"Apply just what passed: caseroll apply 1 --data {tmp_path}",
    ]


ALL_OR_NOTHING = {"atomic": True, "passed": 2, "failed": 1}


@pytest.mark.parametrize(
    "changed", [{"status": "CANCELLED", "passed": 1}, {"status": "FAILED"}, ALL_OR_NOTHING]
)
def test_nothing_to_apply(
    changed: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A plan that is not whole, or in which no row has passed, can't be applied; one that is all
    or nothing neither, if a row has failed."""
    said = said_of({**STATE, "dryRun": True, "total": 3, **changed}, tmp_path, capsys)

    assert not [line for line in said if line.startswith("Apply")]


def test_held(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An import that is held says why, and names the two commands that go on."""
    assert said_of(HELD, tmp_path, capsys) == [
        "Held: May, 3 rows, once it is released: 2 passed, 1 failed, 2 removed.",
        "Why: 2 of the 2 assignments would be gone.",
        "… and 1 more failed rows.",
        f"What they have in common: caseroll groups 1 --data {tmp_path}",
        f"What it would change: caseroll changes 1 --data {tmp_path}",
        f"Let it go on: caseroll release 1 --data {tmp_path}",
        f"Or end it: caseroll cancel 1 --data {tmp_path}",
    ]


def test_all_or_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of an import as a whole, the rows at fault are shown, not those not applied."""
    fault = {"code": "NOT_FOUND", "column": "case_id", "message": "No such case.", "firstRow": 9}
    groups = [fault, {**fault, "code": "NOT_APPLIED", "column": None, "firstRow": 2}]
    state = {**STATE, "status": "FAILED", "atomic": True, "total": 8, "failed": 8}
    state["errorGroups"] = {"edges": [{"node": each} for each in groups]}
    state["rows"] = {"edges": [{"node": {"number": 2, "errors": groups[1:]}}]}

    assert said_of(state, tmp_path, capsys)[:4] == [
        "Failed: May, 8 rows: 8 failed.",
        "row\tcolumn\twhat is wrong",
        "9\tcase_id\tNo such case.",
        "… and 7 more failed rows.",
    ]


def test_another_token(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where another token is needed, the command says where it goes."""
    hold = {"code": "RELEASE_REQUIRED", "message": "Another token must release it."}

    assert (
        "Let it go on, with the other token in CASEROLL_TOKEN: "
        f"caseroll release 1 --data {tmp_path}"
    ) in said_of({**HELD, "hold": hold}, tmp_path, capsys)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({}, "", id="plain"),
        pytest.param({"dryRun": True}, "plan", id="plan"),
        pytest.param(
            {"dryRun": True, "appliedAs": {"name": "Mai"}}, "plan, applied as Mai", id="applied"
        ),
        pytest.param(
            {"appliedFrom": {"name": "May"}, "undoneBy": {"name": "Back"}},
            "applies the plan May, undone by Back",
            id="undone",
        ),
        pytest.param({"undoOf": {"name": "May"}}, "undoes May", id="undo"),
        pytest.param({"hold": {"message": "Too much."}}, "Too much.", id="held"),
    ],
)
def test_remarks(changed: dict[str, Any], said: str) -> None:
    """A list of imports says what is special about each."""
    assert remarks({**STATE, **changed}) == said


@pytest.mark.parametrize(
    ("state", "code"),
    [
        pytest.param({"status": "PROCESSED", "failed": 0, "errors": []}, 0, id="all passed"),
        pytest.param({"status": "QUEUED", "failed": 0, "errors": []}, 0, id="not followed"),
        pytest.param({"status": "PROCESSED", "failed": 3, "errors": []}, 1, id="some failed"),
        pytest.param({"status": "FAILED", "failed": 3, "errors": []}, 1, id="every row failed"),
        pytest.param({"status": "CANCELLED", "failed": 0, "errors": []}, 1, id="cancelled"),
        pytest.param({"status": "FAILED", "failed": 0, "errors": [{}]}, 2, id="file refused"),
        pytest.param({"status": "HELD", "failed": 0, "errors": []}, 3, id="held"),
        pytest.param({"status": "HELD", "failed": 3, "errors": []}, 3, id="held, some failed"),
    ],
)
def test_exit_code(state: dict[str, Any], code: int) -> None:
    """0: every row passed; 1: some did not; 2: the file was refused; 3: it is held."""
    assert import_exit_code(state) == code
