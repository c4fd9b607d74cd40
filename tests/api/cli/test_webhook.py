"""What `caseroll webhook` asks the API, and prints of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli.failure import RefusedError
from api.cli.webhook import _EVENTS, webhook
from models.webhook import WebhookEvent
from tests.api.cli.test_printable import NASTY

ADDED = {"id": "V2ViaG9vazox", "url": "https://a.example.org/", "events": ["IMPORT_FINISHED"]}
DELIVERY = {
    "id": "V2ViaG9va0RlbGl2ZXJ5Ojc=",
    "event": "IMPORT_FINISHED",
    "status": "PENDING",
    "attempts": 2,
    "responseStatus": None,
    "error": NASTY,
    "nextAttemptAt": "2026-05-01T10:00:31+00:00",
    "createdAt": "2026-05-01T10:00:01+00:00",
    "import": {"id": "SW1wb3J0OjU=", "name": NASTY},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the command sent; `answers` of the last test are what it gets."""
    sent: list[dict[str, Any]] = []

    def execute(_folder: object, _document: str, **variables: Any) -> Any:
        sent.append(variables)
        return ANSWERS.pop()

    monkeypatch.setattr("api.cli.webhook._execute", execute)
    return sent


ANSWERS: list[dict[str, Any]] = []


def run(*arguments: str, answer: dict[str, Any]) -> Result:
    """Run the command, which gets an answer from the API."""
    ANSWERS.append(answer)
    result = CliRunner().invoke(webhook, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_add(asked: list[dict[str, Any]]) -> None:
    """The secret alone is on stdout, so that a script can keep it."""
    payload = {"webhook": ADDED, "secret": "whsec_x", "userErrors": []}
    result = run("add", ADDED["url"], answer={"createWebhook": payload})

    assert result.stdout == "whsec_x\n"
    assert ADDED["id"] in result.stderr
    assert asked == [
        {"input": {"url": ADDED["url"], "events": ["IMPORT_FINISHED"], "description": ""}}
    ]


def test_add_for_some_events(asked: list[dict[str, Any]]) -> None:
    """Events are named in any case; JSON has the secret, too."""
    payload = {"webhook": ADDED, "secret": "whsec_x", "userErrors": []}
    events = ("--event", "import_held", "--event", "IMPORT_FINISHED")
    result = run("add", "u", *events, "--json", answer={"createWebhook": payload})

    assert json.loads(result.stdout) == {**ADDED, "secret": "whsec_x"}
    assert asked[0]["input"]["events"] == ["IMPORT_HELD", "IMPORT_FINISHED"]


def test_events() -> None:
    """Every event can be named."""
    assert list(_EVENTS) == [each.value for each in WebhookEvent]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("add", "x"), "createWebhook"),
        (("enable", "x"), "enableWebhook"),
        (("remove", "x"), "deleteWebhook"),
    ],
)
def test_refused(asked: list[dict[str, Any]], arguments: tuple[str, ...], field: str) -> None:
    """What the API refuses is said in its words."""
    payload = {"webhook": None, "secret": None, "userErrors": [{"message": "No such thing."}]}
    with pytest.raises(RefusedError, match=r"No such thing\."):
        run(*arguments, answer={field: payload})

    assert len(asked) == 1


def test_list(asked: list[dict[str, Any]]) -> None:
    """One line a webhook; those that are disabled say since when."""
    more = {"description": "Payroll", "createdAt": "2026-05-01T10:00:01+00:00", "disabledAt": None}
    found = {"webhooks": {"edges": [{"node": {**ADDED, **more}}]}}
    result = run("list", answer=found)

    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        ["id", "url", "events", "description", "createdAt", "disabledAt"],
        [ADDED["id"], ADDED["url"], "IMPORT_FINISHED", "Payroll", more["createdAt"], ""],
    ]
    assert json.loads(run("list", "--json", answer=found).stdout) == [{**ADDED, **more}]


def test_deliveries(asked: list[dict[str, Any]]) -> None:
    """Whatever a receiver answered is printed as plain text."""
    found = {"node": {"deliveries": {"edges": [{"node": DELIVERY}]}}}
    result = run("deliveries", ADDED["id"], "--last", "5", answer=found)
    [_, line] = result.stdout.splitlines()

    assert asked == [{"id": ADDED["id"], "first": 5}]
    assert not set("\x07\x1b\x9b\u202e\r") & set(result.output)
    assert line.split("\t")[1:4] == ["IMPORT_FINISHED", "PENDING", "2"]


@pytest.mark.parametrize("node", [None, {}], ids=["nothing", "another type"])
def test_deliveries_of_none_such(asked: list[dict[str, Any]], node: Any) -> None:
    """An ID of no webhook is refused."""
    with pytest.raises(RefusedError, match="there is no webhook 'x'"):
        run("deliveries", "x", answer={"node": node})
