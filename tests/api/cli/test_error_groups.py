"""`caseroll groups` and `caseroll retry`: what they send, and what they print."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from api.cli import error_groups
from api.cli.error_groups import groups, retry
from api.cli.failure import RefusedError

GROUP = {
    "column": "user_id", "code": "NOT_FOUND", "value": "jones-1", "suggestion": "jones-001",
    "message": "User Id: no user has it.", "params": [], "count": 412,
    "rows": ["2-9", "11", "13", "15", "17", "19"], "firstRow": 2,
}  # fmt: skip


class FakeApi:
    """An API that notes what is sent, and answers as it is told."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.sent: list[dict[str, Any]] = []
        self.documents: list[str] = []

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        """Note the variables, and give the next answer."""
        if "imports(" in document:
            return {"imports": {"edges": []}}
        self.sent.append(variables)
        self.documents.append(document)
        return self.answers.pop(0)


def run(
    monkeypatch: pytest.MonkeyPatch, command: click.Command, api: FakeApi, *arguments: str
) -> Any:
    monkeypatch.setattr(error_groups, "find_api", lambda _folder: api)
    return CliRunner().invoke(command, ["May", *arguments], standalone_mode=False)


def found(*shown: dict[str, Any]) -> dict[str, Any]:
    edges = [{"node": each} for each in shown]
    return {"import": {"id": "x", "failed": 500, "errorGroups": {
        "totalCount": 3, "isComplete": True, "edges": edges}}}  # fmt: skip


def test_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a group: how many rows, what is wrong, and which."""
    result = run(monkeypatch, groups, FakeApi(found(GROUP)))

    assert result.output.splitlines() == [
        "count\tcode\tcolumn\tvalue\twhat is wrong\trows",
        "412\tNOT_FOUND\tuser_id\tjones-1\tUser Id: no user has it.\t2-9, 11, 13, 15, 17, …",
    ]


def test_groups_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs get all that the API says."""
    api = FakeApi(found(GROUP))
    result = run(monkeypatch, groups, api, "--json", "--first", "5")

    assert json.loads(result.output)["edges"] == [{"node": GROUP}]
    assert "errorGroups(first: 5)" in api.documents[-1]


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ([], {"where": None}),
        (["--code", "CASE_CLOSED"], {"where": {"code": "CASE_CLOSED"}}),
        (["--column", "", "--code", "X"], {"where": {"column": None, "code": "X"}}),
        (
            ["--column", "user_id", "--value", "a=b", "--set", "user_id=c=d", "--set", "n="],
            {
                "where": {"column": "user_id", "value": "a=b"},
                "set": [{"column": "user_id", "value": "c=d"}, {"column": "n", "value": ""}],
            },
        ),
    ],
)
def test_retry(monkeypatch: pytest.MonkeyPatch, arguments: list[str], sent: dict[str, Any]) -> None:
    """Rows are named by what is wrong with them; the command ends as the import does."""
    state = {"id": "x", "status": "PROCESSING", "errors": [], "failed": 1}
    payload = {"retryImport": {"import": state, "userErrors": []}}
    api = FakeApi(payload)
    result = run(monkeypatch, retry, api, "--no-watch", *arguments)

    assert api.sent == [{"id": "May", **sent}]
    assert (result.output, result.return_value) == ("x\n", 1)


def test_a_retry_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the API refuses is said, and ends with 2."""
    error = {"code": "NO_SUCH_ROW", "message": "No failed row has such an error.", "field": []}
    payload = {"retryImport": {"import": None, "userErrors": [error]}}
    result = run(monkeypatch, retry, FakeApi(payload), "--code", "X")

    assert result.return_value == 2
    assert "Error: No failed row has such an error." in result.output + result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--set", "user_id=x"], ["--code", "X", "--set", "user_id"], ["--code", "X", "--set", "=x"]],
)
def test_wrong_options(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Options that can't be meant are refused before anything is sent."""
    api = FakeApi()
    result = run(monkeypatch, retry, api, *arguments)

    assert isinstance(result.exception, RefusedError)
    assert "--set" in str(result.exception)
    assert api.sent == []
